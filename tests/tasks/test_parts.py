import numpy as np
import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.tasks.config import SplitConfig
from gnn_nas.tasks.images import read_digits
from gnn_nas.tasks.parts import divide, part_indices

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
