"""Measurements of cells: NAS-Bench-101 without TensorFlow, and the protocols of a search in it."""

STORED_FILE = "nasbench101.safetensors"
"""What an import writes into a folder, and what is looked for in one."""
