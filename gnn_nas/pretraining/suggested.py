"""What to pretrain with in a space of one's own where nothing is said: it follows from its size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.index import has_table
from gnn_nas.spaces.space import CellSpace
from gnn_nas.user_folders import compiled_code_kept

_PAIRS = 1000
# Share of random pairs that lie beyond what two positives of one anchor can be apart.
_MOST_BEYOND = 0.8
_MOST_EDITS = 3
# Forms up to which a space is as easy to learn as NAS-Bench-201.
_SMALL = 100_000
# Cells whose untrained networks are measured: one in a hundred forms, but at least and at most.
_FORMS_PER_MEASURED, _MEASURED, _MOST_MEASURED = 100, 600, 4000
# Of a batch: anchors where there are enough cells for as many, and each with its seven positives.
_ANCHORS, _FORMS_PER_ANCHOR, _GROUP = 64, 10, 8


@dataclass(frozen=True)
class SpaceMeasures:
    """How large a space is and how far its cells are apart.

    Attributes:
        space: the space, with the number of edits that follows where none was given.
        forms: its labelled forms, of which isomorphic ones are one cell.
        has_table: whether they are few enough to be enumerated.
        mean_distance: of random pairs, in unit edits.
        beyond: share of random pairs that are more than twice ``space.max_edits`` apart.
    """

    space: CellSpace
    forms: int
    has_table: bool
    mean_distance: float
    beyond: float

    def __str__(self) -> str:
        kind = "all in a table" if self.has_table else "too many for a table: drawn at random"
        edits = self.space.max_edits
        return (
            f"space {self.space.name}: {self.forms:,} labelled forms, {kind}\n"
            f"random pairs are {self.mean_distance:.1f} edits apart on average,"
            f" {self.beyond:.0%} of them more than {2 * edits}:"
            f" positives are up to {edits} edit{'s' if edits > 1 else ''} from their anchor"
        )


def measure_space(space: CellSpace, max_edits: int | None) -> SpaceMeasures:
    """Measure a space by 1,000 random pairs, the same ones every time.

    Args:
        max_edits: of a positive; None for the most, up to 3, that leave 80 % of random pairs beyond
            twice as many, but at least 1.
    """
    with compiled_code_kept():
        from gnn_nas.spaces.forms import count_forms, draw_forms

    generator = torch.Generator().manual_seed(0)
    first, second = (draw_forms(space, _PAIRS, generator) for _ in range(2))
    distances = edit_distance(first, second).float()

    def beyond(edits: int) -> float:
        return (distances > 2 * edits).float().mean().item()

    if max_edits is None:
        enough = [edits for edits in range(1, _MOST_EDITS + 1) if beyond(edits) >= _MOST_BEYOND]
        max_edits = max(enough, default=1)
    return SpaceMeasures(
        replace(space, max_edits=max_edits),
        count_forms(space),
        has_table(space),
        distances.mean().item(),
        beyond(max_edits),
    )


def suggested_settings(measures: SpaceMeasures) -> dict[str, Any]:
    """Sizes and steps for a space where ``gin_multisim``'s do not fit, by dotted keys of a config.

    What untrained networks do is told where the space says how they are built.
    """
    settings: dict[str, Any] = {} if measures.space.modules else {"function": None}
    share = max(measures.forms // _FORMS_PER_MEASURED, _MEASURED)
    if measures.space.modules and share < _MOST_MEASURED:
        settings["function.cells"] = share
    if measures.forms <= _SMALL:
        settings |= {
            "model.encoder.hidden": 64,
            "model.predictor_hidden": 128,
            "data.batch_size": _GROUP * min(_ANCHORS, 1 + measures.forms // _FORMS_PER_ANCHOR),
            "data.held_out": 0.1,
            "training.steps": 2000,
            "training.validate_every": 500,
        }
    elif not measures.has_table:
        settings |= {
            "model.embedding": 128,
            "model.decoder_hidden": 128,
            "training.steps": 13_000,
            "training.embedding_noise": 0.04,
        }
    return settings
