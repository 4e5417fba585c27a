"""One command at a time writes a folder, or a file."""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnn_nas.errors import UserError, reported

_NAME = ".gnn_nas.lock"
# What file systems say that have no locks.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def writing(target: str | os.PathLike[str], waits: bool = False) -> Iterator[None]:
    """Keep other commands from writing ``target``, a folder or a file in one, during the block.

    A process that ends, however it ends, holds nothing any more; what it has started inherits
    nothing. Where the file system has no locks, that is said on stderr and the block runs without.

    Args:
        waits: for who is writing there, which is said on stderr, instead of refusing.

    Raises:
        UserError: another process is writing there; or nothing can be written there.
    """
    target = Path(target)
    path = target / _NAME if target.is_dir() else target.with_name(f".{target.name}{_NAME}")
    with reported(f"cannot write {path}"):
        descriptor = _take(path, target, waits)
    try:
        yield
    finally:
        # Still held: whoever has opened it meanwhile sees in `_take` that it is gone.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def is_lock(name: str) -> bool:
    """Say whether a file's name is that of a lock; one that nobody holds means nothing."""
    return name.endswith(_NAME)


def _take(path: Path, target: Path, waits: bool) -> int:
    while True:
        # No link: what it leads to would be overwritten.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o666)
        try:
            _lock(descriptor, target, waits)
            if _is_at(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _own_name().encode(), 0)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, target: Path, waits: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace")
        if not (holder and holder.isprintable()):
            holder = "another process"
        if not waits:
            raise UserError(
                f"{target} is being written by {holder}: wait for it, or give another --out"
            ) from None
        print(f"waiting for {holder}, which is writing {target}", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        print(
            f"warning: the file system of {target} has no locks ({error.strerror}): take care"
            " that no other command writes there",
            file=sys.stderr,
        )


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether a file that was opened is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _own_name() -> str:
    command = [Path(sys.argv[0]).name, *sys.argv[1:2]]
    if command[0] in ("__main__.py", "main.py"):
        command[0] = "gnn-nas"
    return f"process {os.getpid()} on {os.uname().nodename} ({' '.join(command)})"
