"""The paper's Fig. 1: what edit distance and embeddings say of each other."""
