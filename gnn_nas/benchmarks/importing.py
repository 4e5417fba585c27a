"""The official files of NAS-Bench-101 become one compact file."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.errors import UserError, reported
from gnn_nas.files import remove_leftovers
from gnn_nas.locking import writing

# torch takes a second to import, and what keeps an import from being made is to be said before.
if TYPE_CHECKING:
    from gnn_nas.benchmarks.figures import Collector, Figures
    from gnn_nas.spaces.table import CellTable

_SHOWN_EVERY = 4096


def prepare(source: Path, target: Path) -> None:
    """Find out now, not after a minute, what would keep the import from being written.

    Raises:
        UserError: there is no source, or the target cannot be written.
    """
    with reported(f"{source}: cannot read"):
        if not source.exists():
            raise UserError(f"{source}: no such file")
        if source.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
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

    with writing(target):
        with reported(f"cannot write {target}"):
            remove_leftovers(target.parent, target.name)
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
