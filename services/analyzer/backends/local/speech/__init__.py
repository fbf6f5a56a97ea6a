"""Speech to text on this machine by a Whisper-class model, where its weights are."""
