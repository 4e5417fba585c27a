"""Writes made-up files in the published layout of NATS-Bench and NAS-Bench-201.

Nothing is shared with the code that reads them.
"""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace

TINY = CellSpace.on_edges(
    name="tiny201", ops=("none", "skip_connect"), parameters=(0.0, 0.0), nodes=3
)
"""NAS-Bench-201 with one node less and the first two of its ops: 8 cells, written at once."""

ASKED = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
"""What sets were asked of networks that were trained on each."""


def texts(space: CellSpace = NASBENCH201) -> list[str]:
    """The official texts of all cells, in an order of chance."""
    cells = list(product(space.ops, repeat=space.max_interior))
    nodes = "|{}~0|+|{}~0|{}~1|", "+|{}~0|{}~1|{}~2|"
    text = "".join(nodes[: (space.nodes or 0) - 2])
    return [
        text.format(*cells[at]) for at in np.random.default_rng(0).permutation(len(cells)).tolist()
    ]


def accuracy(index: int, trained: str, asked: str, epochs: int, seed: int) -> float:
    """What a training came to: a figure that tells all of its origin apart."""
    place = list(ASKED).index(trained) * 3 + ASKED[trained].index(asked)
    return 20 + 60 * (index % 997) / 997 + place + epochs / 100 + (seed % 10) / 1000


def seconds(index: int, trained: str) -> float:
    """Of one epoch."""
    return (index % 89 + 1) * (2 if trained == "cifar10-valid" else 4) / 16


@cache
def times(epoch: float, epochs: int) -> OrderedDict[int, float]:
    """The same of every epoch, made once: a file of all cells has it hundred thousands of times."""
    return OrderedDict.fromkeys(range(epochs), epoch)


def seeds_of(index: int) -> list[int]:
    """Of the trainings of 200 epochs."""
    return [777, 888, 999][: 1 + index % 3]


def result(
    index: int, text: str, trained: str, epochs: int, seed: int, every_epoch: bool
) -> dict[str, Any]:
    """The state of a ``ResultsCount``: one training."""
    told = range(epochs) if every_epoch else [epochs - 1]
    at = {
        f"{asked}@{epoch}": accuracy(index, trained, asked, epochs, seed)
        - (epochs - 1 - epoch) / 1000
        for asked in ASKED[trained]
        for epoch in told
    }
    by_epoch = OrderedDict((epoch, float(epoch)) for epoch in told)
    return {
        "name": trained,
        "net_state_dict": None,
        "train_acc1es": by_epoch,
        "train_acc5es": by_epoch,
        "train_losses": by_epoch,
        "train_times": times(seconds(index, trained), epochs),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": text, "class_num": 10},
        "params": np.float64(1 + index % 50 / 100 + (trained == "cifar100")),
        "flop": np.float64(15.6),
        "seed": seed,
        "epochs": epochs,
        "latency": [0.0125, 0.0131],
        "eval_names": list(ASKED[trained]),
        "eval_acc1es": at,
        "eval_times": dict.fromkeys(at, 0.5),
        "eval_losses": dict.fromkeys(at, 0.25),
    }


def results(index: int, text: str, epochs: int, every_epoch: bool = False) -> dict[str, Any]:
    """The state of an ``ArchResults``: all trainings of a cell for so many epochs."""
    seeds = seeds_of(index) if epochs == 200 else [777]
    return {
        "arch_index": index,
        "arch_str": text,
        "all_results": OrderedDict(
            ((trained, seed), result(index, text, trained, epochs, seed, every_epoch))
            for trained in ASKED
            for seed in seeds
        ),
        "dataset_seed": {trained: list(seeds) for trained in ASKED},
        "clear_net_done": True,
    }


def pack(path: Path, value: Any) -> None:
    """Write a file of NATS-Bench."""
    path.write_bytes(bz2.compress(pickle.dumps(value, protocol=4), 1))


def write_folder(folder: Path, space: CellSpace = NASBENCH201, every_epoch: bool = False) -> Path:
    """Write a folder as ``NATS-tss-v1_0-3ffb9-simple``."""
    folder.mkdir(parents=True)
    named = texts(space)
    pack(folder / "meta.pickle.pbz2", {"meta_archs": named, "evaluated_indexes": set()})
    for index, text in enumerate(named):
        cell = {str(epochs): results(index, text, epochs, every_epoch) for epochs in (12, 200)}
        pack(folder / f"{index:06d}.pickle.pbz2", cell)
    return folder


def pth_content(space: CellSpace = NASBENCH201) -> dict[str, Any]:
    """What a file as ``NAS-Bench-201-v1_1-096897.pth`` has."""
    named = texts(space)
    infos = OrderedDict(
        (index, {"less": results(index, text, 12), "full": results(index, text, 200)})
        for index, text in enumerate(named)
    )
    return {"meta_archs": named, "arch2infos": infos, "evaluated_indexes": set(infos)}


def write_pth(path: Path, content: Any, zipped: bool = False) -> Path:
    """Write it as torch did before its version 1.6, or does since."""
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path
