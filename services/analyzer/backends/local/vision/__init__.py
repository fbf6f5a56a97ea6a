"""What is visible in a picture, told on this machine by an image-text model, where its weights are."""
