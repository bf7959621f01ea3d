plan --domain domain.xml --existing-checkpoint cp-monday backup.xml
