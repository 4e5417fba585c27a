"""Experiments, from their plan to their tables: searches, Table 1, Fig. 1, predictor quality."""
