"""What is computed once for all runs: safetensors files in the user's cache folder."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from gnn_nas import tensor_file
from gnn_nas.errors import UserError
from gnn_nas.files import atomic_path, remove_leftovers
from gnn_nas.locking import writing
from gnn_nas.user_folders import compiled_code_kept

Tensors = dict[str, Tensor]


def open_cached(
    path: Path,
    is_right: Callable[[Tensors, str | None], bool],
    compute: Callable[[], Tensors],
) -> Tensors:
    """Open a file of the cache, computing its tensors first where it is missing or damaged.

    Of several processes that find it missing one computes, and the others wait. That a file was
    damaged is said on stderr.

    Args:
        is_right: of a file's tensors and the checksum that it notes.

    Raises:
        UserError: the cache folder cannot be written.
    """
    tensors = _read(path, is_right)
    if tensors is not None:
        return tensors
    with _writing_cache(path.parent), writing(path, waits=True):
        # Another process may have made it, or mended it, in the meantime.
        tensors = _read(path, is_right)
        if tensors is None:
            remove_leftovers(path.parent, path.name)
            if path.exists():
                print(f"{path} is damaged: it is made anew", file=sys.stderr)
            with compiled_code_kept(path.parent):
                tensors = compute()
            with atomic_path(path) as temporary:
                save_file(tensors, temporary, tensor_file.metadata(tensors))
    return tensors


def _read(path: Path, is_right: Callable[[Tensors, str | None], bool]) -> Tensors | None:
    try:
        tensors, noted = tensor_file.mapped(path)
    except (OSError, ValueError):
        return None
    return tensors if is_right(tensors, noted) else None


@contextmanager
def _writing_cache(folder: Path) -> Iterator[None]:
    """Make the cache folder; that it cannot be written becomes a ``UserError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Now, not after what is to be written has been computed.
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"cannot write the cache folder {folder} ({error}): set GNN_NAS_CACHE to another"
        ) from error
