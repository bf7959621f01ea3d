check --format concise --domain domain.xml backup.xml
