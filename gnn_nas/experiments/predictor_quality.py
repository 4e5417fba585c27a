"""How well the performance predictor orders cells that it has not seen, from few that it has."""

from __future__ import annotations

import csv
import io
import os
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from gnn_nas.config import RunConfig
from gnn_nas.errors import UserError, reported
from gnn_nas.experiments.searches.figures import over_seeds
from gnn_nas.files import to_csv, write_text

# torch and scipy take seconds to import, so they are imported where something is measured.
if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.experiments.ensemble import PredictorEnsemble

KINDS = ("pretrained", "scratch")
SIZES = {"nasbench101": (100, 172, 424, 4236), "nasbench201": (78, 156, 469, 1563)}
"""Numbers of training cells for which the literature gives figures, by space."""

PUBLISHED: dict[str, dict[str, dict[int, float]]] = {
    "nasbench101": {
        "NN-Former": {100: 0.709, 172: 0.765, 424: 0.809, 4236: 0.877},
        "PINAT, supplement (BCE loss)": {100: 0.717, 172: 0.764, 424: 0.812, 4236: 0.854},
        "PINAT, main table": {100: 0.679, 172: 0.715, 424: 0.772, 4236: 0.846},
        "GMAE-NAS": {100: 0.666, 172: 0.697, 424: 0.732, 4236: 0.775},
        "arch2vec": {100: 0.435, 172: 0.511, 424: 0.547, 4236: 0.596},
    },
    "nasbench201": {
        "NN-Former": {156: 0.804, 1563: 0.890},
        "PINAT": {78: 0.549, 156: 0.631, 469: 0.706, 781: 0.761, 1563: 0.784},
        "arch2vec": {78: 0.542, 156: 0.573, 469: 0.601, 781: 0.606, 1563: 0.605},
    },
}
"""Kendall's tau of others, by space and number of training cells; of CIFAR-10."""


ENSEMBLE = 2
"""Version of the ensemble: another where its figures are others, so that no file has both."""


class QualityConfig(RunConfig):
    """Everything that decides a measurement, but for its kind, size and seed."""

    label: str = Field(description="what the predictor learns from")
    members: int = Field(ge=1, description="networks of a kind in the ensemble")
    checkpoint: str | None = Field(description="a run folder, none, or null for the default")
    weights: str | None = Field(description="SHA-256 of its weights file; null without one")
    benchmark: str = Field(description="which measurements labels come from")
    dataset: str | None = Field(default=None, description="of NAS-Bench-201; null elsewhere")
    ensemble: int = Field(default=1, description="version of the ensemble, by its figures")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the file.

    Args:
        kind: one of `KINDS`; size: number of training cells; seed: of their choice and of training.
        kendall: tau-b; spearman: rho; over all cells that were not trained on.
        seconds: that training and scoring all cells took.
    """

    kind: str
    size: int
    seed: int
    kendall: float
    spearman: float
    seconds: float

    @property
    def key(self) -> tuple[str, int, int]:
        """What there is one measurement of."""
        return self.kind, self.size, self.seed


_HEADER = tuple(field.name for field in fields(Measurement))


class QualityFile:
    """Measurements in a CSV file that is whole at any time.

    Args:
        path: the file; written by the first `add` where it does not exist.

    Raises:
        UserError: the file cannot be read or holds something else.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.measurements = {each.key: each for each in self._read()}

    def add(self, measurement: Measurement) -> None:
        """Write one more; it is on the disk when this returns. Raises UserError."""
        self.measurements[measurement.key] = measurement
        lines = map(astuple, self.measurements.values())
        with reported(f"cannot write {self.path}"):
            write_text(self.path, to_csv([_HEADER, *lines]))

    def _read(self) -> list[Measurement]:
        try:
            header, *lines = list(csv.reader(io.StringIO(self.path.read_text("utf-8"))))
            if tuple(header) != _HEADER:
                raise ValueError
            return [
                Measurement(kind, int(size), int(seed), *map(float, figures))
                for kind, size, seed, *figures in lines
            ]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"{self.path}: cannot read: {error.strerror}") from None
        except (ValueError, TypeError, csv.Error):
            raise UserError(
                f"{self.path} holds no measurements of predictors: delete it or give another --out"
            ) from None


def measure(
    ensemble: PredictorEnsemble, labels: Tensor, truth: Tensor, size: int, seed: int
) -> tuple[float, float]:
    """Kendall's tau and Spearman's rho on all cells but the ``size`` random ones trained on.

    Shapes:
        - labels, truth: ``[cells]``, what is learnt from, and what the scores are compared with
    """
    import torch
    from scipy.stats import kendalltau, spearmanr

    generator = torch.Generator().manual_seed(seed)
    known, others = torch.randperm(len(labels), generator=generator).tensor_split([size])
    ensemble.fit(known, labels[known], generator)
    scores = ensemble.predict_all()[others].numpy()
    right = truth[others].numpy()
    return (
        float(kendalltau(scores, right).statistic),
        float(spearmanr(scores, right).statistic),
    )


def summarised(measurements: Iterable[Measurement]) -> dict[str, dict[str, Any]]:
    """Figures over the seeds, by kind and size (as text, for JSON)."""
    groups: dict[str, dict[str, list[Measurement]]] = {}
    for each in measurements:
        groups.setdefault(each.kind, {}).setdefault(str(each.size), []).append(each)
    return {
        kind: {size: _figures(group) for size, group in sizes.items()}
        for kind, sizes in groups.items()
    }


def markdown(
    results: dict[str, dict[str, Any]],
    sizes: Iterable[int],
    published: Mapping[str, Mapping[int, float]],
) -> str:
    """A table of `summarised` figures beside those of others, a column for every size."""
    sizes = list(sizes)
    heads = ["", *(f"{size:,} cells" for size in sizes)]
    lines = [heads, ["---", *("---:" for _ in sizes)]]
    for figure, name in (("kendall", "Kendall τ"), ("spearman", "Spearman ρ")):
        for kind, by_size in results.items():
            spreads = [by_size[str(size)][figure] for size in sizes]
            lines.append([f"{name}, {kind}", *map(_shown, spreads)])
    for name, known in published.items():
        shown = [f"{known[size]:.3f}" if size in known else "–" for size in sizes]
        lines.append([f"Kendall τ, {name}", *shown])
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "".join(f"| {_row(line, widths)} |\n" for line in lines)


def _figures(group: list[Measurement]) -> dict[str, Any]:
    return {
        "seeds": len(group),
        "kendall": over_seeds([each.kendall for each in group], min),
        "spearman": over_seeds([each.spearman for each in group], min),
        "seconds": statistics.fmean(each.seconds for each in group),
    }


def _shown(spread: dict[str, float | None]) -> str:
    deviation = "" if spread["std"] is None else f" ± {spread['std']:.3f}"
    return f"{spread['mean']:.3f}{deviation}"


def _row(cells: list[str], widths: list[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return " | ".join([cells[0].ljust(widths[0]), *padded[1:]])
