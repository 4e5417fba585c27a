"""Honest figures of a controller on the cells that it was not trained on."""

from __future__ import annotations

import math
import statistics

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from gnn_nas.benchmarks.labels import LEAST, Labels
from gnn_nas.evaluation.decoding import prior, reconstruction
from gnn_nas.evaluation.embeddings import (
    distinct_embeddings,
    linear_r2,
    locality,
    r2,
    retrieval,
)
from gnn_nas.evaluation.labels import label_taus
from gnn_nas.function.told import ToldFunction
from gnn_nas.models.controller import Controller
from gnn_nas.spaces.descriptors import Describer, num_descriptors
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.positives import PositiveSampler

_RETRIEVAL_ANCHORS = 1000
_POSITIVES = 7
_PRIOR_SAMPLE = 20_000
# Cells whose rewards are looked at, how many of these are learnt from, and the seeds of the splits:
# figures to be reported are of others.
_LABELLED, _LEARNT, _SPLITS = 10_000, LEAST // 2, range(5)


class Validation:
    """Measures a controller on held-out cells, the same ones and the same draws every time.

    Args:
        table: the cells.
        held_out: bool ``[N]``, which of its first cells were not trained on.
        seed: of the validation's own draws.
        describe: gives the descriptors of cells, and their function; None where the predictor is
            not pretrained.
        function: what is told of their untrained networks, None for nothing.
        labels: rewards of cells, to see what embeddings tell of them; None for nothing.
    """

    def __init__(
        self,
        table: CellIndex,
        held_out: Tensor,
        seed: int,
        describe: Describer | None = None,
        function: ToldFunction | None = None,
        labels: Labels | None = None,
    ) -> None:
        self.table = table
        self.rows = held_out.nonzero().flatten()
        self.seed = seed
        self.describe = describe
        self.function = function
        self.labels = _some(labels, held_out.device) if labels else None
        generator = self._generator()
        # Held-out cells that can be anchors, and training cells, in a random but fixed order.
        self.anchors = self._shuffled(
            held_out & (table.cells.vertices[: len(held_out)] > 2), generator
        )
        self.training_rows = self._shuffled(~held_out, generator)

    def measure(self, controller: Controller) -> dict[str, float]:
        """Figures that are cheap enough for every validation."""
        controller.eval()
        generator = self._generator()
        training = controller.encode_rows(self.table, self.training_rows[:_PRIOR_SAMPLE])
        return {
            **reconstruction(controller, self.table, self.rows),
            **self._retrieval(controller, generator),
            **prior(controller, self.table, training, generator),
            **self._description(controller, training),
            **self._function(controller),
            **self._labels(controller),
        }

    def measure_all(self, controller: Controller) -> dict[str, float]:
        """Those of `measure` and the costly ones, for the end of a run."""
        return {
            **self.measure(controller),
            "distinct_embeddings": distinct_embeddings(controller, self.table),
            **locality(controller, self.table, self.anchors[:2000], self._generator()),
        }

    @torch.no_grad()
    def _retrieval(self, controller: Controller, generator: torch.Generator) -> dict[str, float]:
        anchors = self.anchors[:_RETRIEVAL_ANCHORS]
        positives = PositiveSampler(self.table).sample(anchors, _POSITIVES, generator)
        labels = torch.arange(len(anchors), device=anchors.device)
        return retrieval(
            controller.encode_rows(self.table, torch.cat([anchors, positives.rows])),
            torch.cat([labels, labels.repeat_interleave(_POSITIVES)]),
        )

    @torch.no_grad()
    def _description(self, controller: Controller, training: Tensor) -> dict[str, float]:
        """How well descriptors are told, in standard deviations, and what embeddings themselves are
        worth: mean R² of ridge regression of descriptors and of function."""
        if self.describe is None:
            return {}
        embeddings = controller.encode_rows(self.table, self.rows)
        wanted = self.describe(self.table, self.rows).float()
        columns = sum(num_descriptors(self.table.space))
        told = controller.predictor.predict_descriptors(embeddings)[:, :columns]
        figures = {"structure_error": mse_loss(told, wanted[:, :columns]).item()}
        known = self.describe(self.table, self.training_rows[: len(training)])
        shares = linear_r2(training, known, embeddings, wanted)
        figures["structure_linear_r2"] = shares[:columns].nanmean().item()
        if self.function:
            figures["function_linear_r2"] = shares[columns:].nanmean().item()
        return figures

    @torch.no_grad()
    def _function(self, controller: Controller) -> dict[str, float]:
        """R² of the statistics told, of measured cells that nothing was learnt from; their mean."""
        if self.function is None:
            return {}
        cells = self.function.cells.to_batch().to(self.rows.device)
        told = controller.predictor.predict_descriptors(controller.encode(cells)).cpu()
        shares = r2(told[:, -len(self.function.statistics) :], self.function.values)
        names = (f"r2_{name}" for name in self.function.statistics)
        by_name = dict(zip(names, shares.tolist(), strict=True))
        # Of so few cells that one does not vary there is nothing to say.
        varied = {name: share for name, share in by_name.items() if not math.isnan(share)}
        return {"function_r2": shares.nanmean().item(), **varied} if varied else {}

    @torch.no_grad()
    def _labels(self, controller: Controller) -> dict[str, float]:
        """Kendall's tau of what embeddings alone tell of rewards, the mean of some splits."""
        if self.labels is None:
            return {}
        embeddings = controller.encode_cells(self.labels.cells).cpu()
        taus = label_taus(embeddings, self.labels.rewards, _LEARNT, _SPLITS)
        return {f"tau_{name}": statistics.fmean(values) for name, values in taus.items()}

    def _generator(self) -> torch.Generator:
        return torch.Generator(self.table.cells.edges.device).manual_seed(self.seed)

    @staticmethod
    def _shuffled(mask: Tensor, generator: torch.Generator) -> Tensor:
        rows = mask.nonzero().flatten()
        return rows[torch.randperm(len(rows), generator=generator, device=rows.device)]


def _some(labels: Labels, device: torch.device) -> Labels:
    """Labels of random cells, the same ones every time, or of all where there are few."""
    rows = torch.randperm(len(labels.rewards), generator=torch.Generator().manual_seed(0))
    rows = rows[:_LABELLED]
    return Labels(labels.cells.take(rows).to(device), labels.rewards[rows])
