"""Every metric loss with its miner, ours against pytorch-metric-learning's in the same run."""

from functools import partial

import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor

from bench.apart import CONFIGS, apart
from bench.measuring import Figure, Target, at_least, at_most, say, time_of
from gnn_nas.config import load_config
from gnn_nas.pretraining.metric.metric_loss import make_metric_loss
from gnn_nas.pretraining.metric.miners import AngularMiner

THREADS = 2
ANGLE = 20
# Dimensions of the embedding that the miners are compared at: that of the configs and a larger one.
WIDTHS = (32, 64)
# Larger than any number of a sample.
_BASE = 512
_TARGETS = {"AngularLoss": at_most(150), "LiftedStructureLoss": at_most(150)}


def measure() -> list[Figure]:
    """Measure every configured loss with its miner, forward and backward, and the miner alone."""
    figures = []
    for path in sorted(CONFIGS.glob("gin_*.yaml")):
        if load_config(path).metric:
            say(f"the loss of {path.stem}")
            figures += apart(_loss, path, threads=THREADS)
    for width in WIDTHS:
        say(f"AngularMiner, {width} wide")
        figures += apart(_angular_miner, width, threads=THREADS)
    return figures


def _loss(path: str) -> list[Figure]:
    config = load_config(path)
    metric = config.metric
    ours = make_metric_loss(metric)
    library_loss = getattr(losses, metric.loss)(**metric.loss_args)
    library_miner = getattr(miners, metric.miner)(**metric.miner_args)
    embeddings, labels = _batch(config.data.batch_size, config.model.embedding)
    embeddings.requires_grad_()

    def library() -> Tensor:
        return library_loss(embeddings, labels, library_miner(embeddings, labels))

    error = (ours(embeddings, labels) / library() - 1).abs().item()
    condition = f"batch {config.data.batch_size}, {config.model.embedding} wide, {metric.miner}"
    return [
        time_of(lambda: ours(embeddings, labels).backward()).spent(
            f"{metric.loss}, ours",
            condition=f"{condition}; losses differ by {error:.0e} of them",
            target=_TARGETS.get(metric.loss),
        ),
        time_of(lambda: library().backward(), repeats=3, warmups=0).spent(
            f"{metric.loss}, library", condition=condition
        ),
    ]


def _angular_miner(width: int) -> list[Figure]:
    embeddings, labels = _batch(512, width)
    ours = AngularMiner(ANGLE)
    library = miners.AngularMiner(ANGLE)
    chosen = _numbers(ours(embeddings, labels).indices())
    expected = _numbers(library(embeddings, labels))
    numbers, times_met = torch.cat([chosen, expected]).unique(return_counts=True)
    differing = numbers[times_met == 1]
    # With its triplets written out as a mask, which not all losses ask for.
    fast = time_of(lambda: ours(embeddings, labels).chosen, repeats=50)
    slow = time_of(partial(library, embeddings, labels), repeats=3, warmups=0)
    name, condition = f"AngularMiner, {width} wide", "64 anchors x 8"
    return [
        fast.spent(f"{name}, ours", condition=condition),
        slow.spent(f"{name}, library", condition=condition),
        _plain(f"{name}, gain", slow.median / fast.median, "x", condition, at_least(50)),
        _plain(
            f"{name}, triplets not in both",
            len(differing),
            "",
            f"of {len(expected):,} that the library mines{_excuse(embeddings, differing)}",
        ),
    ]


def _plain(
    name: str, value: float, unit: str, condition: str, target: Target | None = None
) -> Figure:
    return Figure(name, value, unit, condition, torch.get_num_threads(), target=target)


def _excuse(embeddings: Tensor, differing: Tensor) -> str:
    """How near the miner's angle those triplets are that are not in both."""
    if not len(differing):
        return ": equal"
    # The library adds 1e-6 to every difference of coordinates, which moves angles a little.
    points = embeddings.double()
    anchor, positive = points[differing // _BASE**2], points[differing // _BASE % _BASE]
    centre, negative = (anchor + positive) / 2, points[differing % _BASE]
    tangents = (anchor - positive).norm(dim=1) / (2 * (negative - centre).norm(dim=1))
    off = (tangents.atan().rad2deg() - ANGLE).abs().max()
    return f": equal but for those within {off:.0e}° of the angle"


def _numbers(triplets: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Every triplet as one number."""
    anchor, positive, negative = triplets
    return (anchor * _BASE + positive) * _BASE + negative


def _batch(size: int, width: int) -> tuple[Tensor, Tensor]:
    """Groups of eight, as far spread as leaves about half of all triplets to an angle of 20°."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(size // 8, width, generator=generator).repeat_interleave(8, 0)
    embeddings = centres + torch.randn(size, width, generator=generator)
    labels = torch.arange(size // 8).repeat_interleave(8)
    return torch.nn.functional.normalize(embeddings), labels
