check --format github backup.xml
