import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from gnn_nas.plots.umap_layout import umap_layout

# Two clusters far apart: their neighbour graph is disconnected.
_SCRIPT = """
import torch
from gnn_nas.plots.umap_layout import umap_layout
points = torch.randn(120, 8, generator=torch.Generator().manual_seed(0))
points[60:] += 30
layout = umap_layout(points, 5)
print(torch.get_num_threads(), layout.tobytes().hex())
"""


def clusters(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    centres = torch.nn.functional.normalize(torch.randn(count, 8, generator=generator), dim=1)
    return centres.repeat_interleave(size, 0) + 0.05 * torch.randn(
        count * size, 8, generator=generator
    )


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    points = clusters(6, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        first, again, other = (umap_layout(points, seed) for seed in (1, 1, 2))
    assert first.shape == (60, 2)
    assert first.dtype == np.float32
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.slow
def test_disconnected_clusters_have_the_same_bits_in_every_process_and_on_any_threads():
    here: dict[str, Any] = {}
    exec(_SCRIPT, here)
    other = str(torch.get_num_threads() % 2 + 1)
    there = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env={**os.environ, "OMP_NUM_THREADS": other, "NUMBA_NUM_THREADS": other},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.split() == [other, here["layout"].tobytes().hex()]


@pytest.mark.slow
def test_clusters_stay_together():
    points = clusters(6, 12)
    layout = torch.from_numpy(umap_layout(points, 0))
    labels = torch.arange(6).repeat_interleave(12)
    nearest = (layout[:, None] - layout).norm(dim=2).fill_diagonal_(torch.inf).argmin(1)
    assert (labels[nearest] == labels).float().mean() > 0.95


def test_the_given_points_are_left_as_they_were():
    points = clusters(6, 10).requires_grad_()
    before = points.detach().clone()
    umap_layout(points, 0)
    assert torch.equal(points.detach(), before)


def test_too_few_points_and_broken_ones_are_refused():
    with pytest.raises(ValueError, match="needs more than 32 cells, not 32"):
        umap_layout(torch.randn(32, 4), 0)
    points = torch.randn(40, 4)
    points[3, 1] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        umap_layout(points, 0)
