"""Measurements of cells: NAS-Bench-101 without TensorFlow, 201 and Graph, and the protocols."""

STORED_FILE = "nasbench101.safetensors"
"""What an import writes into a folder, and what is looked for in one."""

STORED_FILE_201 = "nasbench201.npz"
"""What an import of NAS-Bench-201's measurements writes into the data folder."""

DATASETS = {
    "nasbench201": ("cifar10", "cifar100"),
    "nasbench_graph": (
        *("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv"),
        "proteins",
    ),
}
"""Of the spaces that have been measured on several; the first is the default."""

TITLES = {
    "nasbench101": "NAS-Bench-101",
    "nasbench201": "NAS-Bench-201",
    "nasbench_graph": "NAS-Bench-Graph",
}
"""How spaces that have been measured are written."""

GRAPH = "nasbench-graph"
"""What stands for the data of the installed package nas-bench-graph where a path is asked for."""
