"""Every query of upload-gateway, by thing: uploads, users and their keys, figures."""
