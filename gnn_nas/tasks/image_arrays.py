"""Images out of an ``.npz`` file."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from gnn_nas.errors import UserError
from gnn_nas.files import open_regular
from gnn_nas.tasks.images import MOST_BYTES, Images, refuse_one_class

# What is normalised in float32 is squared and summed up on the way.
_LARGEST = 1e12
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(path: Path) -> Images:
    """Read the arrays ``images`` and ``labels`` of an ``.npz`` file; nothing is ever unpickled.

    Shapes:
        - images: ``[N, H, W]`` or ``[N, H, W, C]``; labels: integers ``[N]``

    Raises:
        UserError: the file is missing or damaged, or an array is not as it must be.
    """
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as archive:
            images, labels = (_read(path, archive, name) for name in ("images", "labels"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror or error}") from None
    except Exception as error:  # damaged bytes raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: no .npz file of plain arrays ({reason})") from None
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise UserError(f"{path}: images must be [N, H, W] or [N, H, W, C], not {_shape(images)}")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise UserError(f"{path}: images must be uint8 or floating point, not {images.dtype}")
    _refuse_values(path, images)
    if labels.shape != images.shape[:1]:
        raise UserError(
            f"{path}: labels must be [{len(images)}], one for every image, not {_shape(labels)}"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{path}: labels must be integers, not {labels.dtype}")
    classes = np.unique(labels)
    if not np.array_equal(classes, np.arange(len(classes))):
        raise UserError(
            f"{path}: labels must be 0 to classes − 1 without gaps, not"
            f" {classes[0]} to {classes[-1]} with {len(classes)} different ones"
        )
    refuse_one_class(path, labels)
    pixels = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    # Torch knows neither the other order of bytes nor more than eight of them.
    kind = np.float64 if pixels.itemsize > 8 else pixels.dtype.newbyteorder("=")
    return Images(np.array(pixels, kind, order="C"), labels.astype(np.int64))


def _read(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read one array. Nothing of the size that its header claims is made before it is checked."""
    member = f"{name}.npy"
    there = archive.namelist().count(member)
    if not there:
        others = ", ".join(each.removesuffix(".npy") for each in archive.namelist()[:10])
        raise UserError(f"{path}: no array {name} (it has {others or 'none'})")
    info = archive.getinfo(member)
    if there > 1:
        raise ValueError(f"{member} is there {there} times")
    if info.flag_bits & 1:
        raise ValueError(f"{member} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member} is compressed by method {info.compress_type}")
    if info.file_size > MOST_BYTES:
        raise ValueError(f"{member} has {info.file_size:,} bytes, more than {MOST_BYTES:,}")
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"{member} has version {version} of the format")
        shape, in_fortran_order, kind = _HEADERS[version](stream)
        claimed, there = math.prod(shape) * kind.itemsize, info.file_size - stream.tell()
        if kind.hasobject or min(shape, default=0) < 0 or claimed != there:
            raise ValueError(f"{member} says {shape} of {kind}, and has {there:,} bytes")
        # To the end, where zipfile compares the checksum.
        content = stream.read()
    return np.frombuffer(content, kind).reshape(shape, order="F" if in_fortran_order else "C")


def _refuse_values(path: Path, images: np.ndarray) -> None:
    if images.dtype == np.uint8:
        return
    lowest, highest = float(images.min()), float(images.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise UserError(f"{path}: images have values that are not finite")
    if max(-lowest, highest) > _LARGEST:
        raise UserError(f"{path}: images have values beyond ±{_LARGEST:g}")


def _shape(array: np.ndarray) -> str:
    return f"[{', '.join(map(str, array.shape))}]"
