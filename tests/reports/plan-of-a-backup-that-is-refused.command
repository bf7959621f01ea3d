plan --domain domain.xml backup.xml
