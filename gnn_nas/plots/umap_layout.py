"""Embeddings laid out in the plane, as in the paper's Fig. 2."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from gnn_nas.evaluation.nearest import nearest_neighbours
from gnn_nas.user_folders import compiled_code_kept

NEIGHBOURS = 32
"""Points that UMAP's neighbour graph joins to every point, itself included."""
MIN_DISTANCE = 0.5
"""How close points may lie in the plane."""


def umap_layout(embeddings: Tensor, seed: int) -> np.ndarray:
    """Lay embeddings out by UMAP of Euclidean distances (McInnes et al. 2018).

    The same embeddings and seed give the same coordinates bit for bit. Neighbours are exact, and
    the layout starts from the first two principal components: UMAP's usual spectral start depends
    on more than the seed where the neighbour graph is disconnected, as classes of cells make it.

    Shapes:
        - embeddings: ``[N, embedding]``; returns: float32 ``[N, 2]``

    Raises:
        ValueError: there are not more embeddings than neighbours, or some are not finite.
    """
    if len(embeddings) <= NEIGHBOURS:
        raise ValueError(
            f"a map of {NEIGHBOURS} neighbours needs more than {NEIGHBOURS} cells, not"
            f" {len(embeddings)}"
        )
    if not bool(embeddings.isfinite().all()):
        raise ValueError("some embeddings are not finite")
    points = embeddings.detach().cpu().float()
    indices, distances = nearest_neighbours(points, NEIGHBOURS - 1)
    # UMAP counts every point as the first of its own neighbours.
    own = torch.arange(len(points))[:, None]
    indices = torch.cat([own, indices], dim=1)
    distances = torch.cat([distances.new_zeros(len(points), 1), distances], dim=1)

    with compiled_code_kept(), warnings.catch_warnings():
        from umap import UMAP  # imports and compiles for seconds

        # That further points cannot be added to the map, which nobody asks for.
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]", category=UserWarning)
        return UMAP(
            n_neighbors=NEIGHBOURS,
            min_dist=MIN_DISTANCE,
            metric="euclidean",
            init="pca",
            random_state=seed,
            n_jobs=1,  # more would not be reproducible
            precomputed_knn=(indices.int().numpy(), distances.numpy()),
        ).fit_transform(points.numpy())
