"""A search in a folder of its own, from its seeds to its summary."""
