"""The official files of NAS-Bench-101 and of NAS-Bench-201 become one compact file."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.benchmarks.official201 import META, read_folder, read_pth
from gnn_nas.errors import UserError, reported
from gnn_nas.files import atomic_path, read_regular, remove_leftovers, write_bytes
from gnn_nas.locking import writing
from gnn_nas.spaces.nasbench201 import NASBENCH201

# torch takes a second to import, and what keeps an import from being made is to be said before.
if TYPE_CHECKING:
    from gnn_nas.benchmarks.figures import Collector, Figures
    from gnn_nas.spaces.table import CellTable

_SHOWN_EVERY = 4096
# Bytes of an .npz file of NAS-Bench-201.
_LARGEST_NPZ = 20_000_000


def prepare(source: Path, target: Path) -> None:
    """Find out now, not after a minute, what would keep the import from being written.

    Raises:
        UserError: there is no source, or the target cannot be written.
    """
    with reported(f"{source}: cannot read"):
        if not source.exists():
            raise UserError(f"{source}: no such file")
        if source.is_dir() and not (source / META).exists():
            what = f"{os.strerror(errno.EISDIR)}, and has no {META} as NATS-Bench's"
            raise IsADirectoryError(errno.EISDIR, what)
        if source.suffix in (".pbz2", ".tar"):
            raise UserError(f"{source}: give the folder NATS-tss-v1_0-3ffb9-simple, unpacked")
    with reported(f"cannot write {target}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise UserError(f"{target} is a folder: give the name of a file")
        if target.exists() and not target.is_file():
            raise UserError(f"{target} is no file but a device: give another --out")
        if target.exists() and target.samefile(source):
            raise UserError(f"{target} is the file to be imported: give another --out")
        with tempfile.TemporaryFile(dir=target.parent):
            pass


@contextmanager
def _replacing(target: Path) -> Iterator[None]:
    """Hold a target's lock, without what an import that was killed has left beside it."""
    with writing(target):
        with reported(f"cannot write {target}"):
            remove_leftovers(target.parent, target.name)
        yield


def is_of_nasbench201(source: Path) -> bool:
    """Whether this is for `import_nasbench201`: a folder, or what is named as its files are."""
    return source.is_dir() or source.suffix in (".pth", ".npz")


def import_nasbench201(source: Path, target: Path) -> None:
    """Read the folder of NATS-Bench, the ``.pth`` of NAS-Bench-201 or an ``.npz``; write that.

    ``target`` is replaced at the very end, as a whole.

    Raises:
        UserError: the source is damaged, incomplete or something else, or the target cannot be
            written.
    """
    prepare(source, target)

    import numpy as np

    from gnn_nas.benchmarks import DATASETS
    from gnn_nas.benchmarks.nasbench201 import NASBench201

    with _replacing(target):
        if source.suffix == ".npz":
            for dataset in DATASETS["nasbench201"]:
                NASBench201.open(source, dataset=dataset)
            with reported(f"{source}: cannot read"):
                content = read_regular(source, _LARGEST_NPZ)
            with reported(f"cannot write {target}"):
                write_bytes(target, content)
            return
        arrays = _read201(source)
        with (
            reported(f"cannot write {target}"),
            atomic_path(target) as temporary,
            temporary.open("wb") as stream,
        ):
            np.savez_compressed(stream, **arrays)


def _read201(source: Path) -> dict[str, Any]:
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from gnn_nas.progress import Progress

    with Progress(
        TextColumn("{task.completed:,} cells"), BarColumn(), TimeRemainingColumn()
    ) as progress:
        cells = len(NASBENCH201.ops) ** NASBENCH201.max_interior
        task = progress.add_task("", total=cells)
        read = read_folder if source.is_dir() else read_pth
        return read(source, shown=lambda done: progress.update(task, completed=done))


def import_tfrecord(source: Path, target: Path, table: CellTable) -> int:
    """Read ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord`` and write ``target``.

    The memory needed is that of the result, not of the source. ``target`` is replaced at the very
    end, as a whole.

    Returns:
        how many rows the source has

    Raises:
        UserError: the source is damaged, incomplete or something else, or the target cannot be
            written.
    """
    prepare(source, target)

    from gnn_nas.benchmarks.figures import Collector
    from gnn_nas.benchmarks.stored import save_figures

    with _replacing(target):
        collector = Collector(table)
        save_figures(target, _collect(source, collector), table)
    return collector.found


def _collect(source: Path, collector: Collector) -> Figures:
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

    from gnn_nas.benchmarks.records import parse_record, read_records
    from gnn_nas.progress import Progress

    # A pipe has no size, so its bar shows no end.
    size = os.path.getsize(source) or None
    with Progress(
        TextColumn("{task.fields[rows]:,} rows"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    ) as progress:
        task = progress.add_task("", total=size, rows=0)
        for number, (offset, payload) in enumerate(read_records(source)):
            try:
                collector.add(*parse_record(payload))
            except ValueError as error:
                raise UserError(
                    f"{source}: the record at byte {offset} is wrong: {error}"
                ) from error
            if number % _SHOWN_EVERY == 0:
                progress.update(task, completed=offset, rows=number)
        progress.update(task, completed=size, rows=collector.found)
        return collector.finish(source)
