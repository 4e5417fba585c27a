import dataclasses

import numpy as np
import pytest
import torch

from gnn_nas.plots.page import SearchPath


@pytest.mark.parametrize("name", ["accuracies", "ranks", "classes"])
def test_what_is_known_must_be_known_of_every_cell(cell_map, name):
    with pytest.raises(ValueError, match=f"{name} has 499 entries for 500 cells"):
        dataclasses.replace(cell_map, **{name: getattr(cell_map, name)[1:]})


@pytest.mark.parametrize("name", ["coordinates", "embeddings"])
def test_a_view_is_of_every_cell(cell_map, name):
    view = cell_map.views[0]
    less = dataclasses.replace(view, **{name: getattr(view, name)[1:]})
    with pytest.raises(ValueError, match=f"{name} has 499 entries for 500 cells"):
        dataclasses.replace(cell_map, views=[less])


def test_a_map_has_a_view(cell_map):
    with pytest.raises(ValueError, match="a map needs a view"):
        dataclasses.replace(cell_map, views=[])


def test_every_query_has_its_reward():
    with pytest.raises(ValueError, match="rewards has 2 entries for 3 cells"):
        SearchPath("seed 0", torch.arange(3), np.zeros(2), np.zeros(3))


def test_a_path_stays_on_the_map(cell_map):
    outside = (set(range(2000)) - set(cell_map.rows.tolist())).pop()
    path = SearchPath("astray", torch.tensor([outside]), np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="the path 'astray' leaves the map"):
        dataclasses.replace(cell_map, paths=[path])


def test_points_of_rows(cell_map):
    points = torch.tensor([7, 499, 7, 0])
    assert torch.equal(cell_map.points_of(cell_map.rows[points]), points)
