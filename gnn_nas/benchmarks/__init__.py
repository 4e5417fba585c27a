"""Measurements of cells: NAS-Bench-101 without TensorFlow, NAS-Bench-201, and the protocols."""

STORED_FILE = "nasbench101.safetensors"
"""What an import writes into a folder, and what is looked for in one."""

DATASETS = ("cifar10", "cifar100")
"""Of NAS-Bench-201."""
