import pickle

import numpy as np
import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.tasks.config import SplitConfig
from gnn_nas.tasks.images import Images, divide, part_indices, read_digits


def test_digits():
    images = read_digits()
    assert images.pixels.shape == (1797, 1, 8, 8)
    assert images.pixels.max() == 16
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


SPLIT = SplitConfig(validation=0.3, test=0.2, seed=0)


def test_parts_share_no_image_and_have_every_class():
    labels = read_digits().labels
    parts = part_indices(labels, SPLIT)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(1797))
    assert [len(part) for part in parts] == [899, 539, 359]
    for part in parts:
        counts = np.bincount(labels[part], minlength=10)
        assert counts.max() - counts.min() <= 6


def test_the_seed_decides_the_draw():
    labels = read_digits().labels
    first, again = part_indices(labels, SPLIT), part_indices(labels, SPLIT)
    assert all(map(np.array_equal, first, again))
    other = part_indices(labels, SPLIT.model_copy(update={"seed": 1}))
    assert not np.array_equal(first[2], other[2])


def test_a_class_needs_an_image_in_every_part():
    part_indices(np.array([0, 0, 0, 1, 1, 1]), SPLIT)
    with pytest.raises(UserError, match="class 1 has 2 images: too few"):
        part_indices(np.array([0, 0, 0, 1, 1]), SPLIT)


def test_images_are_normalised_by_those_trained_on():
    images = read_digits()
    parts = divide(images, SPLIT)
    assert parts.training.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert parts.training.images.std().item() == pytest.approx(1, abs=1e-5)
    index = part_indices(images.labels, SPLIT)[2]
    ratio = torch.from_numpy(images.pixels[index]).float() - parts.test.images * 6.0
    assert ratio.std() < 0.2  # the same shift for all
    assert parts.test.labels.tolist() == images.labels[index].tolist()


@pytest.mark.parametrize("channels", [1, 2])
def test_strides_are_those_of_the_shape_however_the_images_lie_in_memory(channels):
    """Torch would choose another convolution by them."""
    labels = np.arange(12) % 2
    images = np.random.default_rng(0).random((12, channels, 4, 3)).astype(np.float32)
    last = images.transpose(0, 2, 3, 1).copy(order="C").transpose(0, 3, 1, 2)
    pickled = pickle.loads(pickle.dumps(last))
    fortran = np.asfortranarray(images)
    parts = [divide(Images(form, labels), SPLIT) for form in (images, last, pickled, fortran)]
    assert len({images.strides, last.strides, fortran.strides}) == 3
    for part in (part for each in parts for part in each):
        assert part.images.stride() == torch.empty(part.images.shape).stride()
        batch = part.images[torch.tensor([0])]
        assert batch.stride() == torch.empty(batch.shape).stride()
    assert len({each.training.images.numpy().tobytes() for each in parts}) == 1
