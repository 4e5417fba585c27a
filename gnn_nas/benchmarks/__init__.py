"""Measurements of cells: NAS-Bench-101 without TensorFlow, and the protocols of a search in it."""
