"""Images and their labels as arrays, from wherever they are."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gnn_nas.errors import UserError

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


class Images(NamedTuple):
    """Labelled images.

    Shapes:
        - pixels: ``[N, C, H, W]``, uint8 or floating point
        - labels: int64 ``[N]``, from 0 without gaps
    """

    pixels: np.ndarray
    labels: np.ndarray


def read_digits() -> Images:
    """Scikit-learn's bundled digits: 1,797 grey images of 8 by 8, ten classes."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Images(digits.images[:, None].astype(np.uint8), digits.target.astype(np.int64))


def read_arrays(path: Path) -> Images:
    """Read the arrays ``images`` and ``labels`` of an ``.npz`` file; nothing is ever unpickled.

    Shapes:
        - images: ``[N, H, W]`` or ``[N, H, W, C]``; labels: integers ``[N]``

    Raises:
        UserError: the file is missing or damaged, or an array is not as it must be.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in ("images", "labels") if name not in file]
            if missing:
                raise UserError(
                    f"{path}: no array {missing[0]} (it has {', '.join(file.files) or 'none'})"
                )
            images, labels = file["images"], file["labels"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
        raise UserError(f"{path}: no .npz file of plain arrays ({error})") from None
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise UserError(f"{path}: images must be [N, H, W] or [N, H, W, C], not {_shape(images)}")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise UserError(f"{path}: images must be uint8 or floating point, not {images.dtype}")
    if not np.isfinite(images).all():
        raise UserError(f"{path}: images have values that are not finite")
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
    pixels = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return Images(np.ascontiguousarray(pixels), labels.astype(np.int64))


def read_folder(path: Path, size: int, channels: int) -> Images:
    """Read a folder that has a folder of images for every class, in the order of their names.

    Args:
        size: height and width to which the images are resized; channels: 1 grey, 3 colour.

    Raises:
        UserError: there is no such folder, or it has no classes, an empty class or an image that
            cannot be read.
    """
    from PIL import Image

    if not path.is_dir():
        raise UserError(f"{path}: no such folder of images")
    classes = sorted(entry for entry in path.iterdir() if entry.is_dir())
    if not classes:
        raise UserError(f"{path} has no classes: it needs a folder of images for each")
    pixels, labels = [], []
    for label, folder in enumerate(classes):
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise UserError(f"{folder} has no images ({', '.join(_SUFFIXES)})")
        for file in files:
            try:
                with Image.open(file) as image:
                    resized = image.convert("L" if channels == 1 else "RGB").resize((size, size))
            # Damaged files raise anything, a decompression bomb an exception of its own.
            except Exception as error:
                raise UserError(f"{file}: cannot read the image: {error}") from None
            pixels.append(np.asarray(resized).reshape(size, size, channels))
            labels.append(label)
    return Images(
        np.ascontiguousarray(np.stack(pixels).transpose(0, 3, 1, 2)), np.array(labels, np.int64)
    )


def _shape(array: np.ndarray) -> str:
    return f"[{', '.join(map(str, array.shape))}]"
