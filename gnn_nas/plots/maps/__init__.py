"""Maps of embeddings: their cells, what colours show, pictures, and how far to believe them."""
