"""The official files of NAS-Bench-201: what each training came to, without running what is in them.

A folder of NATS-Bench (Dong et al. 2021) has ``meta.pickle.pbz2`` with the texts of all cells,
and a pickle for each, compressed with bzip2; the ``.pth`` of NAS-Bench-201 (Dong & Yang 2020) has
all in one. Of a cell there are the results of 12 and of 200 epochs, each by data set and seed.
"""

from __future__ import annotations

import bz2
import io
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gnn_nas import plain_pickle
from gnn_nas.errors import UserError
from gnn_nas.files import open_regular
from gnn_nas.spaces.nasbench201 import NASBENCH201, ops_of
from gnn_nas.spaces.space import CellSpace

META = "meta.pickle.pbz2"
"""What a folder of NATS-Bench has besides its cells."""

# Where the accuracies of our data sets are: what was trained on, and what set was asked then.
_VALIDATION = {"cifar10": ("cifar10-valid", "x-valid"), "cifar100": ("cifar100", "x-valid")}
_TEST = {"cifar10": ("cifar10", "ori-test"), "cifar100": ("cifar100", "x-test")}
# A cell of all epochs has half a megabyte, the texts of all cells two.
_LARGEST = 100_000_000
# Three seeds were trained at most; no figure of a cell comes near the other.
_MOST_SEEDS, _MOST = 100, 1e9
# What a file in torch's format begins with that is older than its zip files.
_MAGIC = 0x1950A86A20F9469CFC6C

Shown = Callable[[int], object]


def read_folder(
    folder: Path, space: CellSpace = NASBENCH201, shown: Shown = lambda _: None
) -> dict[str, np.ndarray]:
    """Read a folder as ``NATS-tss-v1_0-3ffb9-simple``, one cell after the other.

    Args:
        space: whose cells these are, with its ops on edges; shown: called with the number of cells
            that have been read.

    Returns:
        The arrays of an ``.npz`` file as `NASBench201` opens it, in the order of the folder.

    Raises:
        UserError: cells are missing, or a file is damaged or has more than plain values.
    """
    texts, ops = _texts(folder / META, lambda: _unpacked(folder / META)["meta_archs"], space)
    files = [_file_of(folder, index) for index in range(len(texts))]
    _refuse_missing(folder, [path.name for path in files if not path.is_file()], len(texts))

    def figures() -> Iterator[dict[str, float]]:
        for index, path in enumerate(files):
            try:
                results = _unpacked(path)
                yield _figures(results["12"], results["200"], texts[index])
            except Exception as error:  # damaged bytes can raise anything in pickle
                raise _unusable(path, error) from error
            shown(index + 1)

    return {"ops": ops, **_columns(figures())}


def read_pth(
    path: Path, space: CellSpace = NASBENCH201, shown: Shown = lambda _: None
) -> dict[str, np.ndarray]:
    """Read a file as ``NAS-Bench-201-v1_1-096897.pth``, as a whole; see `read_folder`."""
    try:
        content = _torch_pickle(path)
        infos = content["arch2infos"]
        given = set(infos)
    except Exception as error:  # damaged bytes can raise anything in pickle
        raise _unusable(path, error) from error
    texts, ops = _texts(path, lambda: content["meta_archs"], space)
    missing = [f"cell {index}" for index in range(len(texts)) if index not in given]
    _refuse_missing(path, missing, len(texts))

    def figures() -> Iterator[dict[str, float]]:
        for index, text in enumerate(texts):
            try:
                results = infos.pop(index)
                yield _figures(results["less"], results["full"], text)
            except Exception as error:
                raise _unusable(path, error, f"cell {index}: ") from error
            shown(index + 1)

    return {"ops": ops, **_columns(figures())}


def _unpacked(path: Path) -> Any:
    with open_regular(path) as stream, bz2.BZ2File(stream) as unpacked:
        content = unpacked.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"unpacked it has more than {_LARGEST:,} bytes")
    return plain_pickle.load(io.BytesIO(content))


def _torch_pickle(path: Path) -> Any:
    """What a file in torch's format has, of which tensors are refused.

    ``torch.load(weights_only=True)`` admits them too, and takes fifty times as long.
    """
    with open_regular(path) as stream:
        if zipfile.is_zipfile(stream):
            with zipfile.ZipFile(stream) as archive:
                (name,) = (each for each in archive.namelist() if each.endswith("/data.pkl"))
                return plain_pickle.load(io.BytesIO(archive.read(name)))
        stream.seek(0)
        # A number that says what this is, the format's version and what system wrote it.
        magic, *_ = (plain_pickle.load(stream) for _ in range(3))
        if magic != _MAGIC:
            raise ValueError("it is not in torch's format")
        return plain_pickle.load(stream)


def _texts(path: Path, read: Callable[[], Any], space: CellSpace) -> tuple[list[str], np.ndarray]:
    """Texts of all cells, and the numbers of their ops; each cell of the space must be there."""
    try:
        texts = list(read())
        ops = np.array([ops_of(text, space) for text in texts], np.uint8)
        cells = len(space.ops) ** space.max_interior
        if len(texts) != cells or len(set(texts)) != cells:
            raise ValueError(f"it has {len(set(texts)):,} cells in {len(texts):,}, not {cells:,}")
    except Exception as error:
        raise _unusable(path, error) from error
    return texts, ops


def _file_of(folder: Path, index: int) -> Path:
    short = folder / f"{index}.pickle.pbz2"
    return short if short.exists() else folder / f"{index:06d}.pickle.pbz2"


def _figures(short: Any, full: Any, text: str) -> dict[str, float]:
    """What is kept of a cell, of its results of 12 and 200 epochs."""
    for results in (short, full):
        if results["arch_str"] != text:
            raise ValueError(f"it is about {results['arch_str']!r:.100}, not about {text}")
    found: dict[str, float] = {"seeds": len(_trainings(full, "cifar10"))}
    for name, where in (("val", _VALIDATION), ("test", _TEST)):
        for dataset, (trained, asked) in where.items():
            accuracies = _accuracies(full, trained, asked, 200)
            found[f"{dataset}_{name}200"] = sum(accuracies) / len(accuracies)
            found[f"{dataset}_{name}12"] = _accuracies(short, trained, asked, 12)[0]
    found["cifar10_val200_first"] = _accuracies(full, *_VALIDATION["cifar10"], 200)[0]
    for dataset in _TEST:
        # A search that trains cells trains them as for the validation accuracy.
        seconds = [_seconds(each) for each in _trainings(full, _VALIDATION[dataset][0]).values()]
        found[f"{dataset}_seconds200"] = sum(seconds) / len(seconds)
        found[f"{dataset}_params_mb"] = _parameters(_trainings(full, _TEST[dataset][0]))
    for name, value in found.items():
        if not (math.isnan(value) or 0 <= value < _MOST):
            raise ValueError(f"its {name} is {value!r:.20}")
    return found


def _trainings(results: Any, trained: str) -> dict[int, Any]:
    """Trainings on a data set by their seeds, the first seed first."""
    seeds = sorted(results["dataset_seed"][trained])
    if not 0 < len(seeds) <= _MOST_SEEDS:
        raise ValueError(f"it has {len(seeds)} trainings on {trained}")
    return {seed: results["all_results"][trained, seed] for seed in seeds}


def _accuracies(results: Any, trained: str, asked: str, epochs: int) -> list[float]:
    """Percentages after the last epoch, one for each seed."""
    found = []
    for training in _trainings(results, trained).values():
        if training["epochs"] != epochs:
            raise ValueError(f"a training on {trained} has {training['epochs']!r:.20} epochs")
        accuracy = training["eval_acc1es"][f"{asked}@{epochs - 1}"]
        if not 0 <= accuracy <= 100:
            raise ValueError(f"an accuracy in {asked} of {trained} is {accuracy!r:.20}")
        found.append(accuracy)
    return found


def _seconds(training: Any) -> float:
    """How long a training took, NaN where that is not told."""
    times = training["train_times"]
    return math.nan if times is None else sum(times.values())


def _parameters(trainings: dict[int, Any]) -> float:
    """Millions of parameters. As in the official API, seed 888 is right where seeds differ."""
    found = {seed: training["params"] for seed, training in trainings.items()}
    first = next(iter(found.values()))
    if any(f"{each:.5f}" != f"{first:.5f}" for each in found.values()):
        return found[888]
    return first


def _columns(cells: Iterable[dict[str, float]]) -> dict[str, np.ndarray]:
    found = list(cells)
    return {
        name: np.array([each[name] for each in found], np.uint8 if name == "seeds" else np.float32)
        for name in found[0]
    }


def _refuse_missing(path: Path, missing: list[str], cells: int) -> None:
    if missing:
        raise UserError(
            f"{path} is not complete: {len(missing):,} of {cells:,} cells are missing, the first is"
            f" {missing[0]}: get it anew"
        )


def _unusable(path: Path, error: Exception, where: str = "") -> UserError:
    return UserError(
        f"{path} is damaged or no NAS-Bench-201 data ({where}{type(error).__name__}: {error}): get"
        " it anew"
    )
