"""The official files of NAS-Bench-101 become one compact file."""

from __future__ import annotations

import os
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

from gnn_nas.benchmarks.figures import Collector, Figures
from gnn_nas.benchmarks.preparing import prepare
from gnn_nas.benchmarks.records import parse_record, read_records
from gnn_nas.benchmarks.stored import save_figures
from gnn_nas.errors import UserError, reported
from gnn_nas.files import remove_leftovers
from gnn_nas.locking import writing
from gnn_nas.progress import Progress
from gnn_nas.spaces.table import CellTable

_SHOWN_EVERY = 4096


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
    with writing(target):
        with reported(f"cannot write {target}"):
            remove_leftovers(target.parent, target.name)
        collector = Collector(table)
        save_figures(target, _collect(source, collector), table)
    return collector.found


def _collect(source: Path, collector: Collector) -> Figures:
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
