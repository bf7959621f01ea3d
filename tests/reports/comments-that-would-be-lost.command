normalize --in-place backup.xml
