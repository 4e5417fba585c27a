"""Folders of images that are damaged, huge, of other kinds, or no images."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_folder import read_folder
from gnn_nas.tasks.images import Images

SIZE = 12
DRAW = np.random.default_rng(5)
GREY = DRAW.integers(0, 256, (SIZE, SIZE), np.uint8)
COLOUR = DRAW.integers(0, 256, (SIZE, SIZE, 3), np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(width: int, height: int, depth: int = 8, colour: int = 0, pixels: bytes = b"") -> bytes:
    """A PNG file of any header, whatever its pixels are."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture
def data(tmp_path) -> Path:
    """A folder of two classes with an image each, and a third to be filled."""
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.fromarray(GREY).save(tmp_path / "data" / name / "0.png")
    (tmp_path / "data" / "c").mkdir()
    return tmp_path / "data"


@pytest.fixture
def read(data) -> Callable[..., np.ndarray]:
    """Gives ``read(content, name)``: the pixels ``[C, H, W]`` of that image in the third class."""

    def read(content: bytes, name: str = "x.png", channels: int = 1) -> np.ndarray:
        (data / "c" / name).write_bytes(content)
        images = read_folder(data, SIZE, channels)
        assert images.labels.tolist() == [0, 1, 2]
        return images.pixels[2]

    return read


def refuses(message: str = "", **names: str):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


def refused_or(call: Callable[[], object]) -> object | None:
    """What a call gives, None where it was refused in one line."""
    refusal = None
    try:
        return call()
    except UserError as error:
        refusal = str(error)
    assert "\n" not in refusal
    return None


SIXTEEN = (GREY.astype(np.uint16) * 257 + DRAW.integers(-128, 128, GREY.shape)).clip(0, 65535)
SIXTEEN = SIXTEEN.astype(np.uint16)


@pytest.mark.parametrize(
    ("kind", "name"), [("PNG", "x.png"), ("TIFF", "x.tiff"), ("TIFF", "x.TIF")]
)
def test_16_bits_are_scaled(read, kind, name):
    assert (read(encoded(Image.fromarray(SIXTEEN), kind), name) == GREY).all()


def test_16_bits_of_the_other_order(read):
    header = b"MM\x00*" + struct.pack(">I", 8 + SIXTEEN.nbytes)
    entries = {256: SIZE, 257: SIZE, 258: 16, 259: 1, 262: 1, 277: 1, 278: SIZE}
    fields = [struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in entries.items()]
    fields += [struct.pack(">HHII", 273, 4, 1, 8), struct.pack(">HHII", 279, 4, 1, SIXTEEN.nbytes)]
    directory = struct.pack(">H", len(fields)) + b"".join(sorted(fields)) + bytes(4)
    content = header + SIXTEEN.astype(">u2").tobytes() + directory
    assert (read(content, "x.tif") == GREY).all()


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.uint32, np.int16, np.float64])
def test_samples_without_a_range_are_refused(read, dtype):
    content = io.BytesIO()
    array = GREY.astype(dtype) * 4
    mode = "F" if array.dtype.kind == "f" else "I"
    Image.fromarray(array.astype(np.float32 if mode == "F" else np.int32)).save(content, "TIFF")
    with refuses("x.tif: cannot read the image: its samples are"):
        read(content.getvalue(), "x.tif")


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
def test_16_bits_of_which_fewer_are_used_are_refused(read, bits):
    content = bytearray(encoded(Image.fromarray(SIXTEEN), "TIFF"))
    place = content.index(struct.pack("<HHI", 258, 3, 1))
    content[place + 8] = bits
    with refuses("x.tif: cannot read the image"):
        read(bytes(content), "x.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_a_viewer_turns_them(read, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    shown = read(encoded(Image.fromarray(GREY), "PNG", exif=exif))[0]
    turned = {
        1: GREY,
        2: GREY[:, ::-1],
        3: GREY[::-1, ::-1],
        4: GREY[::-1],
        5: GREY.T,
        6: GREY.T[:, ::-1],
        7: GREY[::-1, ::-1].T,
        8: GREY.T[::-1],
    }
    assert (shown == turned[orientation]).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_what_is_transparent_lies_on_white(read, mode):
    alpha = np.where(GREY < 128, 0, 255).astype(np.uint8)
    if mode == "P":
        image = Image.fromarray(GREY).convert("P")
        content = encoded(image, "PNG", transparency=bytes([0] * 128 + [255] * 128))
    else:
        layers = [GREY, alpha] if mode == "LA" else [GREY, GREY, GREY, alpha]
        image = Image.fromarray(np.stack(layers, 2), "LA" if mode == "LA" else "RGBA")
        content = encoded(image, "PNG")
    assert (read(content)[0] == np.where(GREY < 128, 255, GREY)).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "RGBA", "HSV"])
def test_every_mode_of_8_bits_is_read_as_ever(read, mode):
    image = Image.fromarray(COLOUR).convert("RGB" if mode in ("LAB", "HSV") else mode)
    content = encoded(image, "TIFF" if mode in ("CMYK", "YCbCr") else "PNG")
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    found = read(content, channels=3)
    assert (found.transpose(1, 2, 0) == expected).all()


@pytest.mark.parametrize(
    ("kind", "name"), [("GIF", "x.gif"), ("PNG", "x.png"), ("WEBP", "x.webp"), ("TIFF", "x.tif")]
)
def test_several_frames_are_refused(read, kind, name):
    frames = [Image.fromarray(255 - GREY), Image.fromarray(GREY.T.copy())]
    content = encoded(Image.fromarray(GREY), kind, save_all=True, append_images=frames)
    with refuses("several frames"):
        read(content, name)


@pytest.mark.parametrize(
    ("width", "height"),
    [(13_000, 13_000), (2**31 - 1, 2**31 - 1), (100_000_000, 1), (1, 100_000_000), (9_500, 9_500)],
)
@pytest.mark.parametrize(("depth", "colour"), [(8, 0), (8, 2), (16, 6), (1, 0)])
def test_what_is_huge_is_not_decoded(read, width, height, depth, colour):
    with refuses("x.png: cannot read the image"):
        read(png(width, height, depth, colour, bytes(1000)))


@pytest.mark.parametrize(
    "header", [(0, 5), (5, 0), (5, 5, 3), (5, 5, 8, 9), (5, 5, 16, 3), (5, 5, 0)]
)
def test_headers_that_say_nonsense(read, header):
    with refuses("x.png: cannot read the image"):
        read(png(*header))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"no image",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) run\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"P5 4 4 255 " + bytes(16),
        b"8BPS\x00\x01" + bytes(40),
        b"BM" + bytes(60),
        b"GIF89a" + bytes(60),
        b"II*\x00\x08\x00\x00\x00" + b"\xff" * 60,
        b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00",
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(60),
        b"\xff\xd8\xff\xe0" + bytes(60),
        b"\xff\xd8\xff\xd9",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("name", ["x.png", "x.JPG", "x.tiff", "x.webp"])
def test_files_that_are_no_images(read, content, name):
    with refuses(f"{name}: cannot read the image"):
        read(content, name)


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder", "loop", "nowhere"])
@pytest.mark.parametrize("name", ["x.png", "y.PnG"])
def test_what_is_no_file(data, put_instead, kind, name):
    put_instead(data / "c" / name, kind)
    with refuses(f"{name}: cannot read the image"):
        read_folder(data, SIZE, 1)


@pytest.mark.parametrize("kind", ["loop", "nowhere", "up", "empty", "hidden"])
def test_classes_that_are_none(data, kind):
    Image.fromarray(GREY).save(data / "c" / "0.png")
    path = data / ("." * (kind == "hidden") + "d")
    match kind:
        case "loop":
            path.symlink_to("d")
        case "nowhere":
            path.symlink_to("absent")
        case "up":
            path.symlink_to("..")
        case _:
            path.mkdir()
    with refuses():
        read_folder(data, SIZE, 1)


def test_one_class_is_refused(tmp_path):
    (tmp_path / "data" / "a").mkdir(parents=True)
    Image.fromarray(GREY).save(tmp_path / "data" / "a" / "0.png")
    with refuses("one class only"):
        read_folder(tmp_path / "data", SIZE, 1)


def test_more_than_fits_is_refused_before_an_image_is_read(data):
    for number in range(100):
        (data / "c" / f"{number}.png").write_bytes(b"no image")
    with refuses("bytes, more than .*: lower data.size"):
        read_folder(data, 4096, 3)


@pytest.mark.parametrize(
    "name", ["a" * 300, "a\x00b", "a/" * 3000, "/proc/1/mem", "/dev/null", "\udcff"]
)
def test_names_that_cannot_be(tmp_path, name):
    with refuses():
        read_folder(tmp_path / name, SIZE, 1)


FILES = {
    "x.png": encoded(Image.fromarray(GREY), "PNG"),
    "y.png": encoded(Image.fromarray(SIXTEEN), "PNG"),
    "x.jpg": encoded(Image.fromarray(COLOUR), "JPEG"),
    "x.gif": encoded(Image.fromarray(GREY), "GIF"),
    "x.bmp": encoded(Image.fromarray(COLOUR), "BMP"),
    "x.webp": encoded(Image.fromarray(COLOUR), "WEBP", lossless=True),
    "x.tif": encoded(Image.fromarray(COLOUR), "TIFF"),
}


@pytest.mark.parametrize("seed", range(84))
def test_changed_bytes_are_refused_or_still_an_image(read, seed):
    """Of the formats only PNG has checksums: there nothing that differs may pass."""
    draw = random.Random(seed)
    name = list(FILES)[seed % len(FILES)]
    content = bytearray(FILES[name])
    if seed % 3 == 0:
        del content[draw.randrange(len(content)) :]
    for _ in range(draw.randint(1, 4)):
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    pixels = refused_or(lambda: read(bytes(content), name))
    if pixels is None:
        return
    assert pixels.shape == (1, SIZE, SIZE)
    if name.endswith(".png"):
        assert (pixels == GREY).all()


def test_what_is_read_is_an_array_of_bytes(data):
    Image.fromarray(GREY).save(data / "c" / "0.png")
    images = read_folder(data, SIZE, 3)
    assert isinstance(images, Images)
    assert images.pixels.dtype == np.uint8
    assert images.pixels.flags.c_contiguous
    assert images.pixels.flags.writeable
