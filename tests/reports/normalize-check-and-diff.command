normalize --check --diff backup.xml
