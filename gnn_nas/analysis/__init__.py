"""What embeddings and decoders are worth: metrics and pictures."""
