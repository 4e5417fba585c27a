import pickle

import numpy as np
import pytest
from PIL import Image

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_arrays import read_arrays
from gnn_nas.tasks.image_folder import read_folder
from gnn_nas.tasks.images import read_digits

IMAGES = np.arange(6 * 4 * 5 * 3, dtype=np.uint8).reshape(6, 4, 5, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def refuses(message: str):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


def test_digits():
    images = read_digits()
    assert images.pixels.shape == (1797, 1, 8, 8)
    assert images.pixels.max() == 16
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_arrays_with_and_without_colours(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=LABELS.astype(np.uint8))
    images = read_arrays(tmp_path / "a.npz")
    assert images.pixels.shape == (6, 3, 4, 5)
    assert (images.pixels[2, 1] == IMAGES[2, :, :, 1]).all()
    assert images.labels.tolist() == LABELS.tolist()
    np.savez(tmp_path / "b.npz", images=IMAGES[..., 0] / 255, labels=LABELS)
    assert read_arrays(tmp_path / "b.npz").pixels.shape == (6, 1, 4, 5)


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("unpickled what a user has handed over",))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES}, r"no array labels \(it has images\)"),
        ({"images": IMAGES[0, 0], "labels": LABELS}, r"images must be .* not \[5, 3\]"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"not \[0, 4, 5, 3\]"),
        ({"images": IMAGES, "labels": LABELS[:5]}, r"labels must be \[6\], .* not \[5\]"),
        ({"images": IMAGES, "labels": LABELS / 2}, "labels must be integers, not float64"),
        ({"images": IMAGES, "labels": LABELS * 2}, "not 0 to 4 with 3 different ones"),
        ({"images": IMAGES, "labels": LABELS + 1}, "without gaps, not 1 to 3"),
        ({"images": IMAGES.astype(int), "labels": LABELS}, "uint8 or floating point, not int64"),
        ({"images": np.full(IMAGES.shape, np.nan), "labels": LABELS}, "not finite"),
        ({"images": np.array([Trap()] * 6), "labels": LABELS}, "no .npz file of plain arrays"),
    ],
)
def test_wrong_arrays_are_one_clear_line(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with refuses(f"a.npz: .*{message}"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4" + b"x" * 99, pickle.dumps(LABELS)])
def test_files_that_are_no_arrays(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with refuses(r"a.npz: no .npz file of plain arrays"):
        read_arrays(tmp_path / "a.npz")
    with refuses("b.npz: no such file"):
        read_arrays(tmp_path / "b.npz")


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(3):
            image = Image.new("RGB", (10 + number, 7), colour)
            image.save(tmp_path / "data" / name / f"{number}.png")
    (tmp_path / "data" / "red" / "notes.txt").write_text("no image")
    return tmp_path / "data"


def test_a_folder_of_folders(folder):
    images = read_folder(folder, 8, 3)
    assert images.pixels.shape == (6, 3, 8, 8)
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]  # blue comes before red
    assert images.pixels[0, :, 4, 4].tolist() == [0, 0, 255]
    assert images.pixels[5, :, 4, 4].tolist() == [255, 0, 0]
    assert read_folder(folder, 8, 1).pixels.shape == (6, 1, 8, 8)


def test_folders_that_will_not_do(folder, tmp_path):
    with refuses("absent: no such folder of images"):
        read_folder(tmp_path / "absent", 8, 3)
    with refuses("red has no classes"):
        read_folder(folder / "red", 8, 3)
    (folder / "red" / "9.jpg").write_bytes(b"no image")
    with refuses("9.jpg: cannot read the image"):
        read_folder(folder, 8, 3)
    (folder / "green").mkdir()
    with refuses("green has no images"):
        read_folder(folder, 8, 3)
