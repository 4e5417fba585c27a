"""Files that are either whole or absent: write beside the target, sync, rename."""

import csv
import errno
import io
import json
import math
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_PREFIX = ".tmp-"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name in the target's folder; what is written there ends up at ``path``.

    The temporary name ends like the target's, so savers that look at the suffix are content. If the
    block raises, the temporary file is removed and the target stays as it was. Raises ``OSError``
    where the folder cannot be written.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def temporary_name(path: Path) -> Path:
    """Give a name beside a path for what is still being written; see :func:`is_leftover`."""
    return path.with_name(f"{_PREFIX}{secrets.token_hex(8)}-{path.name}")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Replace a file's content atomically. Raises ``OSError``."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Replace a file's content atomically, as UTF-8. Raises ``OSError``.

    Bytes of a file's name that are no UTF-8 are written as escapes, which JSON reads back.
    """
    write_bytes(path, content.encode(errors="backslashreplace"))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Replace a file's content atomically by indented JSON; see :func:`to_json`."""
    write_text(path, to_json(value, indent=2) + "\n")


def to_json(value: Any, indent: int | None = None) -> str:
    """Give strict JSON: numbers that JSON lacks (NaN, infinities) become null.

    Scalars of numpy and torch are unwrapped. Raises ``TypeError`` for what JSON cannot hold.
    """
    return json.dumps(_plain(value), indent=indent, allow_nan=False, ensure_ascii=False)


def parse_json(text: bytes) -> dict[str, Any] | None:
    """Give a mapping that was written as strict JSON, or nothing where it is something else."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Give rows as the lines of a CSV file."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def read_regular(path: str | os.PathLike[str], most: int | None = None) -> bytes:
    """Read a file, of at most ``most`` bytes; a device or a pipe, which may never end, is none.

    Raises ``OSError``.
    """
    with open_regular(path) as stream:
        content = stream.read(-1 if most is None else most + 1)
    if most is not None and len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
    return content


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading. Raises ``OSError``, also for what is no name of a file."""
    try:
        # Without waiting for whoever is to write to a pipe.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:
        raise OSError(errno.EINVAL, f"no name of a file ({error})") from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "no regular file")


def require_writable(folder: str | os.PathLike[str]) -> None:
    """Raise ``OSError`` unless a folder is there to be written, or can be made; write nothing."""
    folder = Path(folder).absolute()
    there = next(filter(_is_there, (folder, *folder.parents)))
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def remove(path: str | os.PathLike[str]) -> None:
    """Delete a file, if it is there, before anything that is written later. Raises ``OSError``."""
    path = Path(path)
    if os.path.lexists(path):
        path.unlink()
        _sync(path.parent)


def remove_leftovers(folder: str | os.PathLike[str], of: str = "") -> None:
    """Delete temporary files that killed writers left in a folder, which no one else is writing.

    Args:
        of: the name of the file that was being written, by default any.
    """
    for entry in Path(folder).iterdir():
        if is_leftover(entry.name) and entry.name.endswith(f"-{of}" if of else ""):
            entry.unlink(missing_ok=True)


def is_leftover(name: str) -> bool:
    """Say whether a file's name is one that :func:`temporary_name` gives."""
    return re.match(rf"{re.escape(_PREFIX)}[0-9a-f]{{16}}-", name) is not None


def _is_there(path: Path) -> bool:
    """Say whether anything has this name, if only a link to nothing. Raises ``OSError``."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _sync(path: Path) -> None:
    # Works for folders too: after a power cut the new name must be there, not only the content.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
