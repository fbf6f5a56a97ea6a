"""Cloud Storage on one machine: the JSON and XML protocols of Google's service in, files and one
SQLite database out. Started as a process: ``python -m localcloud.storage --data-dir DIR --port N``."""
