"""What embeddings and decoders are worth."""
