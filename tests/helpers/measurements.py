"""Measurements that nobody made, in the compact format, so that searches can be tested anywhere."""

from pathlib import Path

import numpy as np

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
