import shutil

import numpy as np
import pytest
from PIL import Image

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_folder import read_folder

IMAGES = np.arange(6 * 4 * 5 * 3, dtype=np.uint8).reshape(6, 4, 5, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def refuses(message: str):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


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


def test_images_are_brought_to_eight_bits_upright_on_white(folder):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    exif = Image.Exif()
    exif[274] = 3  # upside down
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "blue" / "0.png")
    Image.fromarray(grey).save(folder / "blue" / "1.png", exif=exif)
    Image.fromarray(grey).convert("LA").point([0] * 512).save(folder / "blue" / "2.png")
    pixels = read_folder(folder, 8, 1).pixels[:3, 0]
    assert (pixels[0] == grey).all()
    assert (pixels[1] == grey[::-1, ::-1]).all()
    assert (pixels[2] == 255).all()


def test_one_class_and_undefined_ranges_are_refused(folder):
    Image.fromarray(np.ones((8, 8), np.float32)).save(folder / "blue" / "0.tif")
    with refuses("0.tif: cannot read the image: its samples are floating point"):
        read_folder(folder, 8, 1)
    shutil.rmtree(folder / "blue")
    with refuses("one class only"):
        read_folder(folder, 8, 1)
