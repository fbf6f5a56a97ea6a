"""Every query of the service, one module per thing asked for or written."""
