"""Tasks of a user's own: cells as networks, and their real training."""
