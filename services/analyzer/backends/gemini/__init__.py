"""Analysis by Gemini, with an API key or through Vertex AI."""
