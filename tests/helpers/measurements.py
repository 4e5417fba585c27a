"""Measurements that nobody made, in the compact format, so that searches can be tested anywhere."""

import pickle
from itertools import product
from pathlib import Path

import numpy as np

from gnn_nas.benchmarks.nasbench_graph import LINKS
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH, from_links
from gnn_nas.spaces.table import CellTable


def write_benchmark(folder: Path, table: CellTable) -> Path:
    """Write the file of all cells; convolutions of 3 by 3 make a cell better, and chance does."""
    draw = np.random.default_rng(0)
    convs = ((table.cells.ops == 0) & table.cells.has_interior()).sum(1).numpy()
    quality = 9000 + 60 * convs + draw.normal(0, 60, len(table))
    correct = (quality[:, None] + draw.normal(0, 30, (len(table), 3))).clip(0, 9984).astype(int)
    np.savez(
        folder / "nasbench101_108epochs.npz",
        module_hash=table.module_hash.numpy(),
        trainable_parameters=np.arange(10**6, 10**6 + len(table), dtype=np.int32),
        test_correct_trial0=correct[:, 0].astype(np.uint16),
        test_correct_sum3=correct.sum(1).astype(np.uint16),
    )
    return folder


def nasbench201_arrays() -> dict[str, np.ndarray]:
    """Arrays of NAS-Bench-201 in any order; convolutions and chance make a cell better."""
    draw = np.random.default_rng(0)
    ops = np.indices((5,) * 6).reshape(6, -1).T.astype(np.uint8)
    ops = ops[draw.permutation(len(ops))]
    arrays = {"ops": ops}
    for dataset, most in (("cifar10", 94.0), ("cifar100", 73.0)):
        quality = most - 2 * (6 - (ops >= 2).sum(1)) - draw.random(len(ops))
        for name, noise in (("val200", 0.3), ("test200", 0.0)):
            values = quality - noise * draw.random(len(ops))
            arrays[f"{dataset}_{name}"] = values.astype(np.float32)
        arrays[f"{dataset}_seconds200"] = (1000 + 9000 * draw.random(len(ops))).astype(np.float32)
    return arrays


def graph_keys(table: CellTable) -> list[int]:
    """A key of every cell of NAS-Bench-Graph, in the order of the rows: the number of its tree and
    a digit for each op."""
    trees, ops = range(len(LINKS)), list(product(range(9), repeat=4))
    links = [LINKS[tree] for tree in trees for _ in ops]
    rows = table.rows_of(from_links(links, ops * len(LINKS))).tolist()
    digits = [int("".join(map(str, each))) for each in ops]
    keys = [tree * 10**4 + each for tree in trees for each in digits]
    found = {row: key for row, key in zip(rows, keys, strict=True) if row >= 0}
    return [found[row] for row in range(len(table))]


def write_graph_benchmark(folder: Path, table: CellTable, datasets: tuple[str, ...]) -> Path:
    """Write files as the package nas-bench-graph has them; gcn and chance make a cell better.

    Of proteins half of the cells are there.
    """
    folder.mkdir()
    gcn = (table.cells.ops == NASBENCH_GRAPH.ops.index("gcn")).sum(1).numpy()
    for number, dataset in enumerate(datasets):
        draw = np.random.default_rng(number)
        quality = 0.6 + 0.05 * gcn + 0.05 * draw.random(len(table))
        found = {
            key: {
                "valid_perf": float(value + 0.02 * noise),
                "perf": float(value),
                "latency": float(noise),
                "para": np.float64(1 + noise),
            }
            for key, value, noise in zip(
                graph_keys(table), quality, draw.random(len(table)), strict=True
            )
            if dataset != "proteins" or key % 2
        }
        (folder / f"{dataset}.bench").write_bytes(pickle.dumps(found, protocol=3))
    return folder
