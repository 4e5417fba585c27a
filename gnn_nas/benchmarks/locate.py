"""Where measurements are on this machine, and of which space they are."""

from __future__ import annotations

import importlib.util
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gnn_nas.benchmarks import DATASETS, GRAPH, STORED_FILE, STORED_FILE_201
from gnn_nas.errors import UserError, reported, to_install
from gnn_nas.files import open_regular
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.user_folders import data_folder

# torch takes a second to import, and that nothing is there is to be said before.
if TYPE_CHECKING:
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.benchmarks.nasbench201 import NASBench201
    from gnn_nas.benchmarks.nasbench_graph import NASBenchGraph
    from gnn_nas.spaces.index import CellIndex
    from gnn_nas.spaces.table import CellTable

VARIABLE = "GNN_NAS_BENCHMARK"
# Arrays that are in every file of theirs.
_OF_101, _OF_201 = "module_hash.npy", f"{DATASETS[NASBENCH201.name][0]}_test200.npy"
_URL = "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord"


def find_benchmark(
    path: str | os.PathLike[str] | None = None, table: CellTable | None = None
) -> NASBench101:
    """Open the given data, else that of ``$GNN_NAS_BENCHMARK``, else that of the data folder.

    Raises:
        UserError: there is none, or it cannot be opened.
    """
    chosen = benchmark_path(path)
    if (space := benchmark_space(chosen)) != NASBENCH101.name:
        raise UserError(f"{chosen} has measurements of {space}, not of {NASBENCH101.name}")

    from gnn_nas.benchmarks.nasbench101 import NASBench101

    return NASBench101.open(chosen, table)


def find_any_benchmark(
    path: str | os.PathLike[str] | None = None,
    index: CellIndex | None = None,
    dataset: str | None = None,
) -> NASBench101 | NASBench201 | NASBenchGraph:
    """Open the same, of whichever space it is.

    Args:
        index: the cells of that space; dataset: one of its `DATASETS`, by default the first.

    Raises:
        UserError: as `find_benchmark`.
    """
    chosen = benchmark_path(path)
    space = benchmark_space(chosen)
    # What is measured is enumerated.
    table = cast("CellTable | None", index)
    if space == NASBENCH101.name:
        return find_benchmark(path, table)
    dataset = dataset or DATASETS[space][0]
    if space == NASBENCH_GRAPH.name:
        from gnn_nas.benchmarks.nasbench_graph import NASBenchGraph

        return NASBenchGraph.open(chosen, table, dataset)

    from gnn_nas.benchmarks.nasbench201 import NASBench201

    return NASBench201.open(chosen, table, dataset)


def benchmark_space(path: Path) -> str:
    """Name of the space that measurements are of, by a look at what their file is made of.

    What is no such file counts as NAS-Bench-101's, whose reader says what is wrong with it.
    """
    if (path / f"{DATASETS[NASBENCH_GRAPH.name][0]}.bench").is_file():
        return NASBENCH_GRAPH.name
    return (NASBENCH201 if _OF_201 in _members(path) else NASBENCH101).name


def is_own_table(path: Path) -> bool:
    """Whether a file is no benchmark's, but a table as `gnn_nas.benchmarks.own_table` reads."""
    if path.suffix != ".npz":
        return path.suffix == ".csv"
    members = _members(path)
    return bool(members) and not members & {_OF_101, _OF_201}


def _members(path: Path) -> set[str]:
    """Names of the arrays of an ``.npz`` file; none of what is no such file."""
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as file:
            return set(file.namelist())
    except Exception:  # damaged bytes can raise anything in zipfile
        return set()


def benchmark_path(path: str | os.PathLike[str] | None = None) -> Path:
    """Where `find_any_benchmark` finds the data; `GRAPH` stands for those of its package,
    and ``nasbench201`` for those of that space that were imported.

    Raises:
        UserError: there is none.
    """
    if str(path) == GRAPH:
        return _package_folder()
    if str(path) == NASBENCH201.name:
        if not has_imported201():
            raise UserError(
                "no measurements of NAS-Bench-201 are here: run gnn-nas import with the folder"
                " NATS-tss-v1_0-3ffb9-simple or an .npz file, or give that by --benchmark PATH"
            )
        return default_path(NASBENCH201.name)
    if chosen := path or os.environ.get(VARIABLE):
        with reported(f"{chosen}: cannot read"):
            Path(chosen).stat()
        return Path(chosen)
    if not has_benchmark():
        raise UserError(
            f"no measurements of NAS-Bench-101 are here: download {_URL} (500 MB) and run"
            f" gnn-nas import nasbench_only108.tfrecord; where they are elsewhere, say so by"
            f" --benchmark PATH or {VARIABLE}"
        )
    return default_path()


def _package_folder() -> Path:
    # Found without being imported: only its data are of use.
    package = importlib.util.find_spec("nas_bench_graph")
    for folder in (package and package.submodule_search_locations) or ():
        return Path(folder) / "light"
    raise UserError(f"NAS-Bench-Graph's data are not here: {to_install('nas-bench-graph==1.4.0')}")


def has_benchmark() -> bool:
    """Whether measurements are named by the environment or imported; opening them may yet fail."""
    return bool(os.environ.get(VARIABLE)) or default_path().exists()


def has_imported201() -> bool:
    """Whether those of NAS-Bench-201 are imported; opening them may yet fail."""
    return default_path(NASBENCH201.name).exists()


def default_path(space: str = NASBENCH101.name) -> Path:
    """Where an import is written by default: in the user's data folder."""
    return data_folder() / (STORED_FILE_201 if space == NASBENCH201.name else STORED_FILE)
