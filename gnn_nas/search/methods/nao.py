"""NAO: ascend the predicted reward in embedding space, decode, and query what looks best."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize

from gnn_nas.cells.structure import NUM_PATTERNS, NUM_SHAPE
from gnn_nas.cells.table import CellTable
from gnn_nas.config import Section
from gnn_nas.models.controller import Controller
from gnn_nas.search.queries import Queries
from gnn_nas.search.rewards import spread
from gnn_nas.search.surrogate import Surrogate


class Settings(Section):
    """Settings of the search; the defaults are the best found on NAS-Bench-101."""

    initial: int = Field(default=16, ge=2, description="random cells to begin with")
    candidates: int = Field(default=8, ge=1, description="cells queried in a round")
    seeds: int = Field(default=48, ge=1, description="best cells so far that the ascent starts at")
    restarts: int = Field(default=80, ge=0, description="random cells that it starts at as well")
    steps: int = Field(default=12, ge=1, description="steps of the ascent, each of them decoded")
    step_size: float = Field(default=0.1, gt=0, description="length of a step on the unit sphere")
    optimism: float = Field(
        default=1.0, ge=0, description="weight of the surrogate's uncertainty beside its mean"
    )


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Search with the controller as it was pretrained (paper, section 3; Luo et al. 2018).

    The encoder and the predictor's pretrained half are kept, so what is fitted in a round is a
    Gaussian process on the structure they tell of a cell. The ascent climbs its upper confidence
    bound through them, from the best cells and from random ones, which keeps exploration alive.
    """
    controller.requires_grad_(False)
    surrogate = Surrogate((NUM_SHAPE, NUM_PATTERNS))
    queries.ask(_random_rows(queries, settings.initial, generator))
    told = controller.predictor.read_structure(controller.encode_rows(table, queries.rows))
    while queries.remaining:
        surrogate.fit(told, spread(queries.rewards))

        def acquisition(embeddings: Tensor) -> Tensor:
            mean, deviation = surrogate.predict(controller.predictor.read_structure(embeddings))
            return mean + settings.optimism * deviation

        best = queries.rows[queries.rewards.topk(min(settings.seeds, len(told))).indices]
        starts = torch.cat([best, _random_rows(queries, settings.restarts, generator)])
        found = _ascend(controller, table, starts, acquisition, settings)
        rows = torch.cat([found, starts]).unique()
        rows = rows[~queries.asked[rows]]
        scores = acquisition(controller.encode_rows(table, rows))
        known = len(queries.rows)
        queries.ask(rows[scores.topk(min(settings.candidates, len(rows))).indices])
        embeddings = controller.encode_rows(table, queries.rows[known:])
        told = torch.cat([told, controller.predictor.read_structure(embeddings)])


def _ascend(controller, table, starts, acquisition, settings) -> Tensor:
    """Rows of all valid cells met on the way up from the starting cells."""
    position = controller.encode_rows(table, starts)
    met = []
    for _ in range(settings.steps):
        position.requires_grad_(True)
        (slope,) = torch.autograd.grad(acquisition(position).sum(), position)
        with torch.no_grad():
            tangent = slope - (slope * position).sum(1, keepdim=True) * position
            position = normalize(position + settings.step_size * normalize(tangent, dim=1), dim=1)
        cells, valid = controller.decode(position)
        met.append(table.rows_of(cells[valid]))
    return torch.cat(met)


def _random_rows(queries: Queries, count: int, generator: torch.Generator) -> Tensor:
    fresh = (~queries.asked).nonzero().flatten()
    return fresh[torch.randperm(len(fresh), generator=generator)[:count]]
