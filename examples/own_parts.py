"""Parts of your own: a metric loss, an encoder and a search method that stand in a file of yours.

A config names them as ``module:object``; the module is looked for in the current folder and among
what is installed. The commands know them as they know our own:

    cd examples
    gnn-nas pretrain --config gin_multisim --out runs/own --max-steps 300 \\
        --set metric.loss=own_parts:InfoNCE --set "metric.loss_args={temperature: 0.1}" \\
        --set metric.miner=null --set "metric.miner_args={}" \\
        --set "model.encoder={name: 'own_parts:MeanEncoder', width: 64, layers: 4}"
    gnn-nas search --checkpoint runs/own --method own_parts:NearestToBest

Or from Python, as below:

    python examples/own_parts.py --steps 300 --out runs/own
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from torch_geometric.nn import MessagePassing, global_mean_pool

import gnn_nas
from gnn_nas.pretraining.report import ProgressBar

OVERRIDES = [
    "metric.loss=own_parts:InfoNCE",
    "metric.loss_args={temperature: 0.1}",
    "metric.miner=null",
    "metric.miner_args={}",
    "model.encoder={name: 'own_parts:MeanEncoder', width: 64, layers: 4}",
]


class InfoNCE(nn.Module):
    """Cross-entropy of a sample's positives among all other samples (van den Oord et al. 2018).

    The temperature is learnt: parameters of a loss are trained and kept in checkpoints like the
    controller's. With a miner it would take the mined indices as a third argument.

    Args:
        temperature: what similarities are divided by at the beginning.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.log_temperature = nn.Parameter(torch.tensor(temperature).log())

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        similarity = embeddings @ embeddings.T / self.log_temperature.exp()
        similarity = similarity.fill_diagonal_(torch.finfo(similarity.dtype).min)
        positive = (labels[:, None] == labels).fill_diagonal_(False).to(similarity.dtype)
        return cross_entropy(similarity, positive / positive.sum(1, keepdim=True))


class MeanConv(MessagePassing):
    """``h'_v = relu(W [h_v, mean over u -> v of h_u, mean over v -> u of h_u])``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(aggr="mean")
        self.linear = nn.Linear(3 * in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        incoming = self.propagate(edge_index, x=x)
        outgoing = self.propagate(edge_index.flip(0), x=x)
        return self.linear(torch.cat([x, incoming, outgoing], dim=1)).relu()


class MeanEncoder(nn.Module):
    """An encoder as `gnn_nas.models.encoder.Encoder` says.

    Args:
        embedding_size: ``model.embedding`` of the config; the others are keys of ``model.encoder``.
    """

    def __init__(self, embedding_size: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.first = nn.Linear(5, width)
        self.convs = nn.ModuleList(MeanConv(width, width) for _ in range(layers))
        self.last = nn.Linear(width, embedding_size)

    def encode(self, cells) -> Tensor:
        x = self.first(cells.x)
        for conv in self.convs:
            x = x + conv(x, cells.edge_index)
        # Not in the lower precision of autocast: cells are to stay apart.
        return normalize(self.last(global_mean_pool(x, cells.batch)).to(cells.x.dtype), dim=1)


class NearestToBest(gnn_nas.Method):
    """A search method as `gnn_nas.Method` says: what is embedded nearest to the best cell."""

    needs_controller = True

    class Settings(gnn_nas.Method.Settings):
        initial: int = Field(default=16, ge=1, description="random cells to begin with")
        looked_at: int = Field(default=5000, ge=1, description="random cells of which it chooses")

    def propose(self, seen: gnn_nas.Observations, count: int | None = None) -> Tensor:
        if len(seen) < self.settings.initial or not len(seen.rows):
            return seen.draw_fresh(count or self.settings.initial, self.generator)
        rows = seen.draw_fresh(self.settings.looked_at, self.generator)
        best = seen.rows[seen.rewards.argmax()]
        embeddings = self.controller.encode_rows(self.table, torch.cat([best[None], rows]))
        return rows[(embeddings[1:] @ embeddings[0]).argsort(descending=True)[: count or 8]]


def reward(cell: gnn_nas.Cell) -> float:
    """What stands here for the accuracy of a network that is trained."""
    return cell.ops.count("conv3x3-bn-relu") - 0.1 * cell.matrix.sum()


def main(argv: Sequence[str] | None = None) -> None:
    """Pretrain with the parts above, search with what was pretrained, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--config", default="gin_multisim", help="what else decides the run")
    add("--steps", type=int, default=300, help="of the run (default: 300)")
    add("--out", help="the run's folder; without it nothing is written")
    add("--set", action="append", default=[], help="change a further value of the config")
    arguments = parser.parse_args(argv)

    overrides = [*OVERRIDES, f"training.steps={arguments.steps}", *arguments.set]
    config = gnn_nas.load_config(arguments.config, overrides)
    with ProgressBar() as progress:
        run = gnn_nas.pretrain(config, arguments.out, callbacks=[progress])
    for name, value in run.summary.items():
        print(f"{name:24} {value}")
    searcher = gnn_nas.Searcher(controller=run.controller, method=NearestToBest, budget=48)
    while cells := searcher.ask(8):
        searcher.tell(cells, [reward(cell) for cell in cells])
    cell, best = searcher.best
    print(f"{'best of 48 cells':24} {best:.1f}, {cell.ops}")


if __name__ == "__main__":
    try:
        main()
    except gnn_nas.UserError as error:
        sys.exit(f"error: {error}")
