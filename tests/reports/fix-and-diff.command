check --fix --diff backup.xml
