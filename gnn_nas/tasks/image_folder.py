"""Images out of a folder that has a folder for every class."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gnn_nas.errors import UserError, reported
from gnn_nas.files import read_regular
from gnn_nas.tasks.images import MOST_BYTES, Images, refuse_one_class

# Pillow is imported where images are read: most tasks have none.
if TYPE_CHECKING:
    from PIL import Image

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# By content, whatever the suffix: Pillow would have others drawn by programs of the system.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
_MOST_FILE_BYTES = 2**28
_BITS_PER_SAMPLE = 258  # TIFF's tag


def read_folder(path: Path, size: int, channels: int) -> Images:
    """Read a folder that has a folder of images for every class, in the order of their names.

    Images are turned as their EXIF data says and lie on white where they are transparent; 16 bits
    are scaled to 8.

    Args:
        size: height and width to which the images are resized; channels: 1 grey, 3 colour.

    Raises:
        UserError: there is no such folder, or it has less than two classes, an empty class or an
            image that cannot be read or has no defined range.
    """
    from PIL import Image

    with reported(f"{path}: cannot read the folder"):
        files = list(_labelled_files(path))
    needed = len(files) * size * size * channels
    if needed > MOST_BYTES:
        raise UserError(
            f"{path}: {len(files):,} images of {size} by {size} are {needed:,} bytes, more than"
            f" {MOST_BYTES:,}: lower data.size"
        )
    labels = np.array([label for label, _ in files], np.int64)
    refuse_one_class(path, labels)
    pixels = np.empty((len(files), size, size, channels), np.uint8)
    for number, (_, file) in enumerate(files):
        try:
            with warnings.catch_warnings():
                # Corrupt EXIF data is common and harmless; what is too large may be a trap.
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                pixels[number] = _read(file, size, channels)
        # Damaged files raise anything.
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise UserError(
                f"{file}: cannot read the image: {' '.join(str(reason).split())}"
            ) from None
    return Images(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), labels)


def _labelled_files(path: Path) -> Iterator[tuple[int, Path]]:
    """Every image's class and file. Raises UserError or ``OSError``."""
    if not path.is_dir():
        raise UserError(f"{path}: no such folder of images")
    entries = sorted(path.iterdir())
    for entry in entries:
        # What leads nowhere may have been a class.
        if entry.is_symlink():
            entry.stat()
    classes = [entry for entry in entries if entry.is_dir()]
    if not classes:
        raise UserError(f"{path} has no classes: it needs a folder of images for each")
    for label, folder in enumerate(classes):
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise UserError(f"{folder} has no images ({', '.join(_SUFFIXES)})")
        yield from ((label, file) for file in files)


def _read(file: Path, size: int, channels: int) -> np.ndarray:
    """Read an image, uint8 ``[size, size, channels]``. Raises anything."""
    from PIL import Image, ImageOps

    content = read_regular(file, _MOST_FILE_BYTES)
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        # Compares the checksums of formats that have some, which decoding does not.
        opened.verify()
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        # A camera's JPEG may have a small copy of itself as its second frame.
        if getattr(opened, "is_animated", False) and opened.format != "MPO":
            raise ValueError("it has several frames: keep one")
        _refuse_undefined_range(opened)
        image = _in_8_bits(ImageOps.exif_transpose(opened))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("L" if channels == 1 else "RGB").resize((size, size))
        return np.asarray(image).reshape(size, size, channels)


def _refuse_undefined_range(image: Image.Image) -> None:
    """Raise ValueError for samples of which nobody knows what is black and what is white."""
    if image.mode == "F":
        raise ValueError("its samples are floating point: save it with 8 or 16 bits a sample")
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    bits = tags.get(_BITS_PER_SAMPLE)
    if image.mode == "I" or (image.mode.startswith("I;") and bits not in (None, (16,))):
        raise ValueError("its samples are integers without a range: save it with 8 or 16 bits")


def _in_8_bits(image: Image.Image) -> Image.Image:
    """The image with samples from 0 to 255; Pillow's own conversion clips those of 16 bits."""
    from PIL import Image

    if not image.mode.startswith("I;"):
        return image
    samples = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((samples + 128) // 257).astype(np.uint8))
