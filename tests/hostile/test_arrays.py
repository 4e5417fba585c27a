"""Files of arrays that are damaged, lie about their size, or hold what no task can use."""

from __future__ import annotations

import io
import pickle
import random
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_arrays import read_arrays
from gnn_nas.tasks.images import MOST_BYTES

IMAGES = np.random.default_rng(6).integers(0, 256, (8, 5, 4, 3), np.uint8)
LABELS = np.arange(8) % 4
PIXELS = IMAGES.transpose(0, 3, 1, 2)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def with_header(header: str, content: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """An array's file with any header."""
    text = header.encode() + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text + content


def npz(method: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


VALID = npz(images=npy(IMAGES), labels=npy(LABELS))
COMPRESSED = npz(zipfile.ZIP_DEFLATED, images=npy(IMAGES), labels=npy(LABELS))


@pytest.fixture
def read(tmp_path) -> Callable:
    """Gives ``read(content)``: the images of such a file."""

    def read(content: bytes):
        (tmp_path / "a.npz").write_bytes(content)
        return read_arrays(tmp_path / "a.npz")

    return read


def refuses(message: str = ""):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


@pytest.mark.parametrize("content", [VALID, COMPRESSED], ids=["stored", "compressed"])
def test_whole_files_are_read(read, content):
    images = read(content)
    assert (images.pixels == PIXELS).all()
    assert (images.labels == LABELS).all()
    assert images.pixels.flags.c_contiguous
    assert images.pixels.flags.writeable


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", np.longdouble, "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_number_is_one_that_trains(read, dtype, order):
    import torch

    array = np.array(IMAGES, dtype, order=order)
    images = read(npz(images=npy(array), labels=npy(LABELS.astype(">i4"))))
    assert images.pixels.dtype.isnative
    pixels = torch.from_numpy(images.pixels).float()
    assert (pixels.numpy() == PIXELS).all()
    assert (torch.from_numpy(images.labels).numpy() == LABELS).all()


@pytest.mark.parametrize(
    "dtype", ["i1", "u2", "i4", "i8", "u8", "?", "c8", "c16", "S3", "U3", "V3", "M8[s]", "m8[s]"]
)
def test_other_kinds_are_refused(read, dtype):
    array = np.zeros(IMAGES.shape, dtype)
    with refuses("images must be uint8 or floating point"):
        read(npz(images=npy(array), labels=npy(LABELS)))


@pytest.mark.parametrize("dtype", ["f8", "?", "c8", "S3", "U3", "M8[s]", "V2"])
def test_labels_of_other_kinds_are_refused(read, dtype):
    with refuses("labels must be integers"):
        read(npz(images=npy(IMAGES), labels=npy(np.zeros(8, dtype))))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e13, -1e13, 3e38, 1e39, 1e300])
@pytest.mark.parametrize("dtype", ["f4", ">f8", np.longdouble])
def test_values_that_no_network_can_take_are_refused(read, value, dtype):
    with np.errstate(over="ignore"):
        array = IMAGES.astype(dtype)
        array[3, 2, 1, 0] = value
    with refuses("values"):
        read(npz(images=npy(array), labels=npy(LABELS)))


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros(8, int),
        np.ones(8, int),
        LABELS * 2,
        LABELS - 1,
        LABELS + 2**40,
        LABELS.astype("u8") + np.uint64(2**63),
        LABELS[:7],
        LABELS[:, None],
        np.int64(3),
        LABELS[:0],
    ],
    ids=str,
)
def test_labels_that_are_none_are_refused(read, labels):
    with refuses():
        read(npz(images=npy(IMAGES), labels=npy(np.asarray(labels))))


@pytest.mark.parametrize("shape", [(), (480,), (8, 60), (8, 5, 4, 3, 1), (0, 5, 4), (8, 0, 4, 3)])
def test_images_of_other_shapes_are_refused(read, shape):
    with refuses():
        read(npz(images=npy(np.zeros(shape, np.uint8)), labels=npy(LABELS)))


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("unpickled what a user has handed over",))


@pytest.mark.parametrize(
    "member",
    [
        with_header("{'descr': '|O', 'fortran_order': False, 'shape': (8,)}", pickle.dumps(Trap())),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000,)}"),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (10000, 10000, 10000)}"),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (8, 5, 4)}", bytes(159)),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (8, 5, 4)}", bytes(161)),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-8, -5, 4)}", bytes(160)),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (8.0, 5, 4)}", bytes(160)),
        with_header("{'descr': '|u1', 'fortran_order': 3, 'shape': (8, 5, 4)}", bytes(160)),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': 8}", bytes(8)),
        with_header("{'descr': '|u1', 'fortran_order': False}", bytes(8)),
        with_header("{'descr': 'huge', 'fortran_order': False, 'shape': (8,)}", bytes(8)),
        with_header("{'descr': '<U0', 'fortran_order': False, 'shape': (8, 5, 4)}"),
        with_header(
            "{'descr': ('|u1', (4,)), 'fortran_order': False, 'shape': (8, 5)}", bytes(160)
        ),
        with_header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}", bytes(8)),
        with_header("__import__('os').abort()"),
        with_header("(" * 5000),
        with_header("[" * 100 + "]" * 100),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (" + "1," * 9000 + ")}"),
        with_header("\x00" * 40),
        with_header("{}"),
        with_header("3"),
        with_header("", version=(2, 0)),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (8,)}", bytes(8), (3, 0)),
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (8,)}", bytes(8), (9, 9)),
        b"\x93NUMPY\x01\x00\xff\xff",
        b"\x93NUMPY",
        b"\x80\x04K\x03.",
        b"",
        b"x" * 1000,
    ],
)
@pytest.mark.parametrize("name", ["images", "labels"])
def test_members_that_are_no_plain_arrays(read, name, member):
    members = {"images": npy(IMAGES), "labels": npy(LABELS)} | {name: member}
    with refuses("a.npz: "):
        read(npz(**members))


@pytest.mark.parametrize("method", [1, 6, 8, 9, 12, 14, 93, 95, 97, 98, 99])
def test_other_compressions_are_refused(read, method):
    content = bytearray(VALID)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.index(signature)
        content[place + offset : place + offset + 2] = struct.pack("<H", method)
    with refuses("no .npz file of plain arrays"):
        read(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_numpy_never_writes_are_refused(read, method):
    with refuses("is compressed by method"):
        read(npz(method, images=npy(IMAGES), labels=npy(LABELS)))


def test_encryption_is_refused(read):
    content = bytearray(VALID)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with refuses("is encrypted"):
        read(bytes(content))


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 2**33, 10**13, 2**62])
def test_a_size_beyond_all_bounds_is_refused_before_it_is_read(read, size):
    content = bytearray(VALID)
    place = content.index(b"PK\x01\x02")
    name = content[place + 46 : place + 56]
    assert name == b"images.npy"
    # The size as a field of its own, for it is beyond 32 bits.
    extra = struct.pack("<HHQ", 1, 8, size)
    content[place + 24 : place + 28] = b"\xff" * 4
    content[place + 30 : place + 32] = struct.pack("<H", len(extra))
    content[place + 56 : place + 56] = extra
    end = content.index(b"PK\x05\x06")
    (directory,) = struct.unpack_from("<I", content, end + 12)
    struct.pack_into("<I", content, end + 12, directory + len(extra))
    with refuses("bytes, more than"):
        read(bytes(content))


def test_a_name_given_twice_is_refused(read):
    stream = io.BytesIO(VALID)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("labels.npy", npy(LABELS[::-1].copy()))
    with refuses("is there 2 times"):
        read(stream.getvalue())


def test_zeros_that_expand_without_end_stop_at_what_is_said(read):
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (8, 5, 4)}"
    bomb = with_header(header, bytes(50_000_000))
    with refuses("has 50,000,000 bytes"):
        read(npz(zipfile.ZIP_DEFLATED, images=bomb, labels=npy(LABELS)))


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder", "loop", "nowhere"])
def test_what_is_no_file(tmp_path, put_instead, kind):
    path = tmp_path / "a.npz"
    put_instead(path, kind)
    with refuses():
        read_arrays(path)


@pytest.mark.parametrize("name", ["a" * 300 + ".npz", "a\x00.npz"])
def test_what_is_no_name_of_a_file(tmp_path, name):
    with refuses():
        read_arrays(tmp_path / name)


@pytest.mark.parametrize("seed", range(120))
@pytest.mark.parametrize("content", [VALID, COMPRESSED], ids=["stored", "compressed"])
def test_changed_bytes_are_refused_or_change_nothing(read, content, seed):
    draw = random.Random(seed)
    changed = bytearray(content)
    match seed % 4:
        case 0:
            del changed[draw.randrange(len(changed)) :]
        case 1:
            start = draw.randrange(len(changed))
            changed[start : start + 8] = draw.randbytes(8)
        case _:
            for _ in range(draw.randint(1, 3)):
                changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    refusal = None
    try:
        images = read(bytes(changed))
    except UserError as error:
        refusal = str(error)
    if refusal is None:
        assert (images.pixels == PIXELS).all()
        assert (images.labels == LABELS).all()
    else:
        assert "\n" not in refusal
