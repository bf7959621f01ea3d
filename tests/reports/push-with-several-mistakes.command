check backup.xml
