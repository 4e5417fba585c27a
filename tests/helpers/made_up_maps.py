"""Maps without a controller."""

import numpy as np
import torch

from gnn_nas.plots.maps.cells import MapCells
from gnn_nas.plots.maps.embedding_map import EmbeddingMap

SPREAD = {"mean": 0.3, "std": 0.02}


def classes(anchors: int = 16, positives: int = 7, name: str = "gin_multisim") -> EmbeddingMap:
    labels = torch.arange(anchors).repeat_interleave(1 + positives)
    rows = 1000 + 7 * torch.arange(len(labels))
    random = np.random.default_rng(0)
    angles = 2 * np.pi * labels.numpy() / anchors
    centres = 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    coordinates = (centres + random.normal(0, 0.8, centres.shape)).astype(np.float32)
    figures = {"trustworthiness": 0.98, "silhouette": 0.3, "precision_at_1": 1.0, "map_at_r": 0.8}
    spreads = dict.fromkeys(("silhouette", "precision_at_1", "map_at_r"), SPREAD)
    embeddings = torch.from_numpy(coordinates)
    return EmbeddingMap(
        name,
        "MultiSimilarityLoss",
        MapCells(rows, labels),
        embeddings,
        coordinates,
        figures,
        spreads,
    )


def random_cells(count: int = 300, name: str = "gin_multisim") -> EmbeddingMap:
    coordinates = np.random.default_rng(1).normal(0, 1, (count, 2)).astype(np.float32)
    figures = {"trustworthiness": 0.95, "neighbour_agreement": 0.8}
    cells, embeddings = MapCells(torch.arange(count)), torch.from_numpy(coordinates)
    return EmbeddingMap(name, "no metric loss", cells, embeddings, coordinates, figures)
