"""The program backupxml as a Python package: run it with `python -m backupxml`."""
