import pickle

import numpy as np
import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_arrays import read_arrays

IMAGES = np.arange(6 * 4 * 5 * 3, dtype=np.uint8).reshape(6, 4, 5, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def refuses(message: str):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


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
