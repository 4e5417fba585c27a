"""Pretraining and search of neural-architecture-search controllers with graph neural networks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gnn_nas.version import __version__

if TYPE_CHECKING:
    from gnn_nas.benchmarks.locate import find_benchmark
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.config import PretrainConfig, load_config
    from gnn_nas.errors import UserError
    from gnn_nas.models.controller import Controller
    from gnn_nas.models.pretrained import load_pretrained
    from gnn_nas.pretraining.trainer import pretrain
    from gnn_nas.search.method import Method
    from gnn_nas.search.observations import Observations
    from gnn_nas.search.searcher import Searcher
    from gnn_nas.spaces.dataset import CellDataset, RandomEdit
    from gnn_nas.spaces.table import Cell, CellTable, load_table

# Imported when they are asked for: torch and PyG take seconds.
_MODULES = {
    "Cell": "spaces.table",
    "CellDataset": "spaces.dataset",
    "CellTable": "spaces.table",
    "Controller": "models.controller",
    "Method": "search.method",
    "NASBench101": "benchmarks.nasbench101",
    "Observations": "search.observations",
    "PretrainConfig": "config",
    "RandomEdit": "spaces.dataset",
    "Searcher": "search.searcher",
    "UserError": "errors",
    "find_benchmark": "benchmarks.locate",
    "load_config": "config",
    "load_pretrained": "models.pretrained",
    "load_table": "spaces.table",
    "pretrain": "pretraining.trainer",
}

__all__ = [
    "Cell",
    "CellDataset",
    "CellTable",
    "Controller",
    "Method",
    "NASBench101",
    "Observations",
    "PretrainConfig",
    "RandomEdit",
    "Searcher",
    "UserError",
    "__version__",
    "find_benchmark",
    "load_config",
    "load_pretrained",
    "load_table",
    "pretrain",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
