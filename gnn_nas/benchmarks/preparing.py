"""What is to be found out before an import, and before torch has loaded."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from gnn_nas.errors import UserError, reported


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
