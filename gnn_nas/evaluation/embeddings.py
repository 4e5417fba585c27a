"""What embeddings are worth: whether they keep cells apart, and like cells together."""

import copy

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from scipy.stats import spearmanr
from torch import Tensor

from gnn_nas.function.teaching import ridge
from gnn_nas.models.controller import Controller
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.positives import PositiveSampler

_TOLERANCE = 1e-6
# Of what is in standard deviations: less is rounding.
_LEAST_VARIANCE = 1e-9
# Cells of a space without a table whose embeddings are compared.
_MANY = 100_000
# Pairs of points compared at a time.
_CHUNK = 1 << 15


def retrieval(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Precision@1 and MAP@R of groups of anchors and positives (Musgrave et al. 2020).

    Shapes:
        - embeddings: ``[N, embedding]``; labels: ``[N]``, equal within a group

    Returns:
        ``precision_at_1`` and ``map_at_r``, every embedding being a query against all others
    """
    # Without faiss: exact neighbours by the library's own Euclidean distances.
    calculator = AccuracyCalculator(
        include=("precision_at_1", "mean_average_precision_at_r"),
        k="max_bin_count",
        knn_func=CustomKNN(LpDistance(), batch_size=1000),
        device=embeddings.device,
    )
    scores = calculator.get_accuracy(embeddings, labels)
    return {
        "precision_at_1": scores["precision_at_1"],
        "map_at_r": scores["mean_average_precision_at_r"],
    }


def linear_r2(known: Tensor, values: Tensor, others: Tensor, wanted: Tensor) -> Tensor:
    """R² of what ridge regression tells from embeddings, by column, see `r2`.

    Shapes:
        - known: ``[N, embedding]``; values: ``[N, columns]``, of the cells that it learns from
        - others: ``[M, embedding]``; wanted: ``[M, columns]``, of those that it tells
        - returns: float64 ``[columns]``
    """
    weights, intercept = ridge(known, values)
    return r2(others.double() @ weights + intercept, wanted)


def r2(told: Tensor, wanted: Tensor) -> Tensor:
    """Share of the variance that is told, by column; NaN of a column that does not vary.

    Shapes:
        - told, wanted: ``[N, columns]``; returns: float64 ``[columns]``
    """
    told, wanted = told.double(), wanted.double()
    variance = wanted.var(0, correction=0)
    shares = 1 - (told - wanted).square().mean(0) / variance
    return torch.where(variance > _LEAST_VARIANCE, shares, torch.nan)


def locality(
    controller: Controller, table: CellIndex, rows: Tensor, generator: torch.Generator
) -> dict[str, float]:
    """Spearman correlation of edit distance and cosine distance.

    Every cell is paired with a positive (distance 1 to 3), with a positive of that (up to 6) and
    with another of the given cells (mostly more), so that all distances are there.

    Shapes:
        - rows: ``[N]``, distinct rows of the cell table, each with a positive
    """
    sampler = PositiveSampler(table)
    near = sampler.sample(rows, 1, generator).rows
    # A positive of a three-vertex cell can be the one cell that has no positive itself.
    onward = torch.where(table.cells.vertices[near] > 2, near, rows)
    others = [near, sampler.sample(onward, 1, generator).rows, rows.roll(1)]
    first, second = rows.repeat(len(others)), torch.cat(others)
    edits = edit_distance(table.cells[first], table.cells[second])
    cosine = (controller.encode_rows(table, first) * controller.encode_rows(table, second)).sum(1)
    return {"edit_distance_spearman": spearmanr(edits.cpu(), 1 - cosine.cpu()).statistic.item()}


def distinct_embeddings(controller: Controller, table: CellIndex) -> int:
    """Count the cells whose float64 embeddings are distinct, see `count_distinct`.

    They are those of the whole table, where there is one; as many as it has means that all are told
    apart: 423,624 in NAS-Bench-101. Else they are 100,000 random cells.
    """
    rows = None
    if not table.is_complete:
        rows = table.draw(_MANY, torch.Generator().manual_seed(0))
    embeddings = copy.deepcopy(controller).double().encode_rows(table, rows)
    return count_distinct(embeddings, _TOLERANCE)


def count_distinct(points: Tensor, tolerance: float) -> int:
    """Count the points that have no earlier one within a Euclidean distance of ``tolerance``.

    Earlier is meant along a random line. Points are no farther apart there than in space, so only
    neighbours on the line have to be compared, and few of them even where many points coincide.

    Shapes:
        - points: float64 ``[N, D]``
    """
    generator = torch.Generator(points.device).manual_seed(0)
    line = torch.randn(
        points.shape[1], generator=generator, device=points.device, dtype=points.dtype
    )
    places, order = (points @ (line / line.norm())).sort()
    within = tolerance + 1e-12  # rounding of the places
    remaining, left = torch.arange(len(points), device=points.device), len(points)
    back = 0
    while True:
        back += 1
        remaining = remaining[remaining >= back]
        remaining = remaining[places[remaining] - places[remaining - back] <= within]
        if not len(remaining):
            return left
        pairs = zip(
            order[remaining].split(_CHUNK), order[remaining - back].split(_CHUNK), strict=True
        )
        distances = [(points[one] - points[other]).norm(dim=1) for one, other in pairs]
        apart = torch.cat(distances) > tolerance
        left -= len(remaining) - int(apart.sum())
        remaining = remaining[apart]
