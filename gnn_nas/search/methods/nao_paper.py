"""NAO as in the paper: the controller is trained on the known cells in every round."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize

from gnn_nas.cells.table import CellTable
from gnn_nas.config import Section
from gnn_nas.models.controller import Controller
from gnn_nas.search.fresh import draw_fresh
from gnn_nas.search.joint_training import JointTraining
from gnn_nas.search.queries import Queries


class Settings(Section):
    """The paper's settings (appendix, Table 2)."""

    initial: int = Field(default=128, ge=2, description="random cells to begin with")
    rounds: int = Field(default=50, ge=1, description="rounds at most (outer epochs)")
    candidates: int = Field(default=128, ge=1, description="cells queried in a round at most")
    seeds: int = Field(default=128, ge=1, description="best cells so far that the ascent starts at")
    steps: int = Field(default=100, ge=1, description="lengths tried along the gradient")
    step_size: float = Field(default=1.0, gt=0, description="the shortest, in gradients")
    epochs: int = Field(default=100, ge=1, description="inner epochs: passes over the known cells")
    batch_size: int = Field(default=64, ge=1, description="cells a training step")
    lr: float = Field(default=0.1, gt=0, description="learning rate of SGD")
    clip: float = Field(default=5.0, gt=0, description="largest gradient norm")
    prediction: float = Field(
        default=0.5, ge=0, le=1, description="lambda: weight of prediction beside reconstruction"
    )
    floor: float = Field(
        default=0.8, description="the predictor's target is max(reward - floor, 0) * scale"
    )
    scale: float = Field(default=5.0, gt=0, description="see floor")


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Train, climb from the best cells, decode, query; until the budget or the rounds are spent.

    It ends early where a round decodes to no new cell (Choi, Choe & Lee 2020, appendix).
    """
    train = JointTraining(
        settings.epochs, settings.batch_size, settings.lr, settings.clip, settings.prediction
    )
    queries.ask(draw_fresh(queries, settings.initial, generator))
    for _ in range(settings.rounds):
        if not queries.remaining or not len(queries.rows):
            return
        targets = (queries.rewards - settings.floor).clamp(min=0) * settings.scale
        train(controller, table, queries.rows, targets, generator)
        seeds = queries.rows[queries.rewards.topk(min(settings.seeds, len(targets))).indices]
        found = _climb(controller, table, seeds, queries.asked, settings)
        if not len(found):
            return
        queries.ask(found[: settings.candidates])


def _climb(
    controller: Controller, table: CellTable, seeds: Tensor, asked: Tensor, settings: Settings
) -> Tensor:
    """Go from every seed along its gradient until it decodes to a cell that is new."""
    start = controller.encode_rows(table, seeds).requires_grad_(True)
    (slope,) = torch.autograd.grad(controller.predict(start).sum(), start)
    start = start.detach()
    taken = asked.clone()
    found = []
    for step in range(1, settings.steps + 1):
        cells, valid = controller.decode(
            normalize(start + step * settings.step_size * slope, dim=1)
        )
        rows = torch.where(valid, table.rows_of(cells), -1)
        new = valid & ~taken[rows]
        found.append(rows[new].unique())
        taken[found[-1]] = True
        start, slope = start[~new], slope[~new]
        if not len(start):
            break
    return torch.cat(found)
