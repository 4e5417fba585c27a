"""NAO as in the paper: the controller is trained on the known cells in every round."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from gnn_nas.models.controller import Controller
from gnn_nas.search.fresh import draw_fresh
from gnn_nas.search.joint_training import JointTraining
from gnn_nas.search.queries import Queries
from gnn_nas.search.settings import NaoPaper as Settings
from gnn_nas.spaces.table import CellTable


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
