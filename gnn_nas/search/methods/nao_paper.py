"""NAO as in the paper: the controller is trained on the known cells in every round."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, normalize

from gnn_nas.config import Section
from gnn_nas.models.controller import Controller
from gnn_nas.search.method import Method
from gnn_nas.search.observations import Observations
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.tokens import to_tokens


class NaoPaper(Method):
    """Trains, climbs from the best cells, decodes, queries; until the rounds are spent.

    It runs dry where a round decodes to no new cell (Choi, Choe & Lee 2020, appendix). Where a few
    cells are asked for at a time, a round hands out what it has found before the next one trains.
    """

    needs_controller = True

    class Settings(Section):
        # The paper's, appendix, Table 2.
        initial: int = Field(default=128, ge=2, description="random cells to begin with")
        rounds: int = Field(default=50, ge=1, description="rounds at most (outer epochs)")
        candidates: int = Field(default=128, ge=1, description="cells queried in a round at most")
        seeds: int = Field(
            default=128, ge=1, description="best cells so far that the ascent starts at"
        )
        steps: int = Field(default=100, ge=1, description="lengths tried along the gradient")
        step_size: float = Field(default=1.0, gt=0, description="the shortest, in gradients")
        epochs: int = Field(
            default=100, ge=1, description="inner epochs: passes over the known cells"
        )
        batch_size: int = Field(default=64, ge=1, description="cells a training step")
        lr: float = Field(default=0.1, gt=0, description="learning rate of SGD")
        clip: float = Field(default=5.0, gt=0, description="largest gradient norm")
        prediction: float = Field(
            default=0.5,
            ge=0,
            le=1,
            description="lambda: prediction beside reconstruction",
        )
        floor: float = Field(
            default=0.8, description="the predictor's target is max(reward - floor, 0) * scale"
        )
        scale: float = Field(default=5.0, gt=0, description="see floor")

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._rounds = 0
        self._found = torch.empty(0, dtype=torch.long)
        """Found by the last round, the best first; some may have been handed out."""

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        settings = self.settings
        missing = settings.initial - len(seen)
        if missing > 0:
            return seen.draw_fresh(min(count or missing, missing), self.generator)
        left = self._found[~seen.taken[self._found]]
        if not len(left) and self._rounds < settings.rounds and len(seen.rows):
            left = self._found = self._round(seen)
        return left[: count or settings.candidates]

    def _round(self, seen: Observations) -> Tensor:
        settings = self.settings
        self._rounds += 1
        targets = (seen.rewards - settings.floor).clamp(min=0) * settings.scale
        train_jointly(
            self.controller, self.table, seen.rows, targets.float(), settings, self.generator
        )
        seeds = seen.rows[seen.rewards.topk(min(settings.seeds, len(targets))).indices]
        return self._climb(seeds, seen)[: settings.candidates]

    def _climb(self, seeds: Tensor, seen: Observations) -> Tensor:
        """Go from every seed along its gradient until it decodes to a cell that is new."""
        controller = self.controller
        start = controller.encode_rows(self.table, seeds).requires_grad_(True)
        (slope,) = torch.autograd.grad(controller.predict(start).sum(), start)
        start = start.detach()
        found = seeds[:0]
        for step in range(1, self.settings.steps + 1):
            cells, valid = controller.decode(
                normalize(start + step * self.settings.step_size * slope, dim=1)
            )
            rows = torch.where(valid, self.table.rows_of(cells), -1)
            new = valid & ~seen.taken[rows] & ~torch.isin(rows, found)
            found = torch.cat([found, rows[new].unique()])
            start, slope = start[~new], slope[~new]
            if not len(start):
                break
        return found

    def state_dict(self) -> dict[str, Any]:
        return {
            "rounds": self._rounds,
            "found": self._found,
            "controller": self.controller.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._rounds, self._found = state["rounds"], state["found"]
        self.controller.load_state_dict(state["controller"])


def train_jointly(
    controller: Controller,
    table: CellIndex,
    rows: Tensor,
    targets: Tensor,
    settings: NaoPaper.Settings,
    generator: torch.Generator,
) -> None:
    """Train encoder, decoder and predictor in place on cells whose reward is known.

    ``lambda L_p + (1 - lambda) L_r`` (Luo et al. 2018, equation 1), by plain SGD.

    Shapes:
        - rows: ``[N]``, rows of the cell table; targets: float32 ``[N]``, what to predict of them
    """
    cells, tokens = table.cells[rows], to_tokens(table.cells[rows])
    weight = settings.prediction
    optimizer = torch.optim.SGD(controller.parameters(), lr=settings.lr)
    for _ in range(settings.epochs):
        for batch in torch.randperm(len(rows), generator=generator).split(settings.batch_size):
            embeddings = controller.encode(cells[batch].to_batch())
            logits = controller.decoder(embeddings, tokens[batch])
            reconstruction = cross_entropy(logits, tokens[batch].T)
            prediction = mse_loss(controller.predict(embeddings), targets[batch])
            loss = weight * prediction + (1 - weight) * reconstruction
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(controller.parameters(), settings.clip)
            optimizer.step()
