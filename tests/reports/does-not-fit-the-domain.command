check --domain domain.xml --checkpoint checkpoint.xml --existing-checkpoint cp-monday backup.xml
