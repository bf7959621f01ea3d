check backup.xml missing.xml domain.xml checkpoint.xml
