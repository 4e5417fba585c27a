import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.plots.maps.cells import MapConfig, draw_cells, draw_classes, draw_for
from gnn_nas.spaces.distance import edit_distance


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def config(**changes) -> MapConfig:
    settings = {
        "seed": 0,
        "anchors": 4,
        "positives": 8,
        "cells": None,
        "color": "class",
        "checkpoints": [None],
        "weights": [None],
        "benchmark": None,
    }
    return MapConfig(**{**settings, **changes})


@pytest.mark.parametrize(("anchors", "positives"), [(16, 7), (2, 100), (99, 1)])
def test_classes_are_an_anchor_and_cells_one_to_three_edits_away(table, anchors, positives):
    cells = draw_classes(table, anchors, positives, generator())
    assert len(cells) == anchors * (1 + positives)
    assert cells.classes.bincount().tolist() == [1 + positives] * anchors
    first = cells.rows.view(anchors, -1)[:, :1]
    assert torch.equal(cells.rows[cells.is_anchor], first[:, 0])
    others = cells.rows[~cells.is_anchor]
    origins = first.expand(-1, positives).flatten()
    edits = edit_distance(table.cells[origins], table.cells[others])
    assert edits.min() == 1
    assert edits.max() <= 3


def test_no_cell_is_there_twice_in_a_hundred_draws(table):
    source = generator()
    for _ in range(100):
        rows = draw_classes(table, 16, 7, source).rows
        assert len(rows.unique()) == 128
    assert len(draw_cells(table, 5000, source).rows.unique()) == 5000


def test_the_seed_decides(table):
    rows = [draw_classes(table, 16, 7, generator(seed)).rows for seed in (0, 0, 1)]
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])


def test_more_positives_than_cells_have_are_refused(table):
    with pytest.raises(UserError, match="too few cells have 5000 different positives"):
        draw_classes(table, 2, 5000, generator())


def test_settings_say_what_is_drawn(table):
    first, others = draw_for(config(), table, 3)
    assert len(first) == 36
    assert len(others) == 3
    assert len({tuple(each.rows.tolist()) for each in (first, *others)}) == 4
    # The picture is the same however many draws are measured beside it.
    assert torch.equal(draw_for(config(), table, 0)[0].rows, first.rows)
    random, none = draw_for(config(anchors=None, positives=None, cells=50), table, 3)
    assert len(random) == 50
    assert random.classes is None
    assert not random.is_anchor.any()
    assert none == []
