"""What pictures of a space take from options: its cells, and what is measured of them here."""

from __future__ import annotations

import argparse
from pathlib import Path

from gnn_nas.benchmarks import DATASETS, TITLES
from gnn_nas.benchmarks.locate import (
    benchmark_path,
    benchmark_space,
    has_benchmark,
    is_own_table,
)
from gnn_nas.cli.checkpoints import chosen_space
from gnn_nas.config import DEFAULT_SPACE, FROM_SCRATCH, SpaceConfig
from gnn_nas.errors import UserError
from gnn_nas.spaces.known import get_space


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Add the option that says on which data set the cells have been measured."""
    known = "; ".join(f"of {TITLES[space]} {', '.join(names)}" for space, names in DATASETS.items())
    parser.add_argument("--dataset", metavar="NAME", help=f"{known} (default: the first)")


def pictured_space(arguments: argparse.Namespace) -> str | SpaceConfig:
    """What a config holds of the space of the checkpoints or of ``--space``, else of the data.

    Raises:
        UserError: there is no such space or checkpoint, or they do not go together.
    """
    given = [each for each in arguments.checkpoint or () if each != FROM_SCRATCH]
    if given or arguments.space is not None or arguments.benchmark is None:
        return chosen_space(arguments.space, given[0] if given else None)
    path = benchmark_path(arguments.benchmark)
    return DEFAULT_SPACE if is_own_table(path) else benchmark_space(path)


def measured_path(
    arguments: argparse.Namespace, described: str | SpaceConfig, needed: bool
) -> Path | None:
    """Where measurements of a space are; None where there are none and none are asked for.

    Raises:
        UserError: those that are asked for are absent or of another space.
    """
    name = get_space(described).name
    asked = needed or arguments.benchmark is not None or arguments.dataset is not None
    if not (asked or has_benchmark()):
        return None
    if described != DEFAULT_SPACE and arguments.benchmark is None and not has_benchmark():
        raise UserError(f"no measurements of {name} are here: say where they are by --benchmark")
    path = benchmark_path(arguments.benchmark)
    own = None if is_own_table(path) else benchmark_space(path)
    if own == described:
        known = DATASETS.get(name, ())
        if arguments.dataset is not None and arguments.dataset not in known:
            listed = ", ".join(known) or "one only, without a name"
            raise UserError(f"--dataset {arguments.dataset}: {path} has {name}'s: {listed}")
        return path
    if not asked:
        return None
    if own is None:
        raise UserError(f"{path} is a table of your own, which gnn-nas search alone reads")
    raise UserError(f"{path} has measurements of {own}, and this is about {name}")
