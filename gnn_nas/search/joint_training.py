"""Training of encoder, decoder and predictor together on the cells whose reward is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable
from gnn_nas.spaces.tokens import to_tokens


@dataclass(frozen=True)
class JointTraining:
    """How the controller is trained in a round of a search (the paper's Table 2).

    Args:
        epochs: passes over the known cells; batch_size: cells a step.
        lr: learning rate of plain SGD; clip: largest gradient norm.
        prediction: weight of the prediction loss; the reconstruction loss has the rest of 1.
    """

    epochs: int
    batch_size: int
    lr: float
    clip: float
    prediction: float

    def __call__(
        self,
        controller: Controller,
        table: CellTable,
        rows: Tensor,
        targets: Tensor,
        generator: torch.Generator,
    ) -> None:
        """Train in place: ``lambda L_p + (1 - lambda) L_r`` (Luo et al. 2018, equation 1).

        Shapes:
            - rows: ``[N]``, rows of the cell table; targets: ``[N]``, what to predict for them
        """
        cells, tokens = table.cells[rows], to_tokens(table.cells[rows])
        targets = targets.float()
        optimizer = torch.optim.SGD(controller.parameters(), lr=self.lr)
        for _ in range(self.epochs):
            for batch in torch.randperm(len(rows), generator=generator).split(self.batch_size):
                embeddings = controller.encode(cells[batch].to_batch())
                logits = controller.decoder(embeddings, tokens[batch])
                reconstruction = cross_entropy(logits, tokens[batch].T)
                prediction = mse_loss(controller.predict(embeddings), targets[batch])
                loss = self.prediction * prediction + (1 - self.prediction) * reconstruction
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(controller.parameters(), self.clip)
                optimizer.step()
