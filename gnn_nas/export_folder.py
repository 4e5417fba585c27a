"""Folders of files to take away: all are there or none, and none is ever replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnn_nas.errors import UserError, reported
from gnn_nas.files import is_leftover, require_writable, temporary_name
from gnn_nas.locking import is_lock, writing


@contextmanager
def filled_at_once(folder: Path) -> Iterator[Path]:
    """Give a folder whose files are moved to ``folder``, which is made, at the end of the block.

    Whoever is killed while files are made leaves none that would refuse the same call.

    Raises:
        UserError: ``folder`` cannot be written, or see `refuse_filled`.
    """
    with reported(f"cannot write the folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        refuse_filled(folder)
        with writing(folder):
            refuse_filled(folder)  # another may have written it meanwhile
            for name in filter(is_leftover, os.listdir(folder)):
                shutil.rmtree(folder / name)
            beside = temporary_name(folder / "export")
            try:
                beside.mkdir()
                yield beside
                for file in sorted(beside.iterdir()):
                    file.rename(folder / file.name)
            finally:
                shutil.rmtree(beside, ignore_errors=True)


def refuse_filled(folder: Path) -> None:
    """Refuse a folder with files, which may have been changed by hand. Raises UserError."""
    with reported(f"cannot write the folder {folder}"):
        require_writable(folder)
    names = sorted(os.listdir(folder)) if folder.exists() else []
    if names := [name for name in names if not (is_lock(name) or is_leftover(name))]:
        raise UserError(f"{folder} holds files ({names[0]}): give another --out, or delete it")
