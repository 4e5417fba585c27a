import torch

from gnn_nas.tasks.config import AugmentationConfig
from gnn_nas.tasks.training import augment

IMAGES = torch.arange(1, 2 * 3 * 4 * 5 + 1).float().reshape(2, 3, 4, 5).repeat(50, 1, 1, 1)


def run(flip: bool, shift: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return augment(IMAGES, AugmentationConfig(flip=flip, shift=shift), generator)


def test_without_any_variation_images_are_as_they_were():
    assert run(False, 0) is IMAGES


def test_about_half_of_the_images_are_mirrored():
    mirrored = (run(True, 0) == IMAGES.flip(3)).flatten(1).all(1)
    same = (run(True, 0) == IMAGES).flatten(1).all(1)
    assert (mirrored ^ same).all()
    assert 30 < mirrored.sum() < 70


def test_images_are_moved_by_whole_pixels_in_all_channels_alike():
    padded = torch.nn.functional.pad(IMAGES, (2, 2, 2, 2))
    seen = set()
    for image, wide in zip(run(False, 2), padded, strict=True):
        offsets = {
            (y, x) for y in range(5) for x in range(5) if wide[:, y : y + 4, x : x + 5].equal(image)
        }
        assert offsets
        seen |= offsets
    assert len(seen) > 20
    assert run(False, 2).equal(run(False, 2))
    assert not run(False, 2).equal(run(False, 2, seed=1))
