normalize backup.xml
