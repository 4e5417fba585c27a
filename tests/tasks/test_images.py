import numpy as np

from gnn_nas.tasks.images import read_digits


def test_digits():
    images = read_digits()
    assert images.pixels.shape == (1797, 1, 8, 8)
    assert images.pixels.max() == 16
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
