import base64
import dataclasses
import json

import numpy as np
import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.plots.op_styles import op_styles
from gnn_nas.plots.page import SearchPath, View
from gnn_nas.plots.page.cell_map import NEIGHBOURS, CellMap, packed_map
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace


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


@pytest.fixture(scope="module")
def packed(table, cell_map) -> dict:
    return json.loads(json.dumps(packed_map(table, cell_map)))


def array(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def masks(packed: dict) -> np.ndarray:
    low, high = (array(packed["graphs"][half], "<u4").astype(np.int64) for half in ("low", "high"))
    return high << 32 | low


def test_cells_are_read_back(packed, table, cell_map):
    cells = table.cells[cell_map.rows]
    assert masks(packed)[array(packed["graph"], "<u4")].tolist() == cells.edges.tolist()
    assert array(packed["ops"], "u1").reshape(-1, 5).tolist() == cells.ops.tolist()
    assert packed["hashes"] == [table.hash_of(row) for row in cell_map.rows.tolist()]
    vertices = packed["figures"]["vertices"]
    assert (vertices["low"], vertices["high"], vertices["isTold"]) == (2, 7, False)
    values = 2 + array(vertices["steps"], "u1") / vertices["stepCount"] * 5
    assert values.tolist() == cells.vertices.tolist()


def test_what_is_told_takes_a_byte_a_cell(packed, cell_map):
    figure, told = packed["figures"]["synflow"], cell_map.told["synflow"].numpy()
    low, high = figure["low"], figure["high"]
    assert (told < low).sum() == (told > high).sum() == 5  # of 500
    steps = array(figure["steps"], "u1")
    assert len(steps) == len(cell_map)
    values = low + steps / figure["stepCount"] * (high - low)
    np.testing.assert_allclose(values, told.clip(low, high), atol=(high - low) / 500)
    assert figure["isTold"]
    assert "SynFlow" in figure["about"]


def test_what_is_told_of_all_cells_alike_has_one_colour(table, cell_map):
    alike = dataclasses.replace(cell_map, told={"snip": torch.full((len(cell_map),), 0.5)})
    figure = packed_map(table, alike)["figures"]["snip"]
    assert (figure["low"], figure["high"]) == (0.5, 0.5)
    assert set(array(figure["steps"], "u1").tolist()) == {0}


def test_what_is_told_is_told_of_every_cell(cell_map):
    with pytest.raises(ValueError, match="snip has 3 entries for 500 cells"):
        dataclasses.replace(cell_map, told={"snip": torch.zeros(3)})


def test_figures_are_read_back(packed, cell_map):
    assert (
        array(packed["views"][1]["x"], "<f4").tolist()
        == cell_map.views[1].coordinates[:, 0].tolist()
    )
    assert (
        array(packed["views"][1]["y"], "<f4").tolist()
        == cell_map.views[1].coordinates[:, 1].tolist()
    )
    np.testing.assert_allclose(
        array(packed["accuracies"], "<f4"), 100 * cell_map.accuracies, rtol=1e-6
    )
    assert array(packed["ranks"], "<u4").tolist() == cell_map.ranks.tolist()
    assert array(packed["classes"], "<u4").tolist() == cell_map.classes.tolist()


def test_neighbours_are_the_nearest_others(packed, cell_map):
    view, embeddings = packed["views"][1], cell_map.views[1].embeddings
    distances = torch.cdist(embeddings, embeddings)
    distances.fill_diagonal_(torch.inf)
    expected = distances.topk(NEIGHBOURS, largest=False)
    assert array(view["neighbours"], "<u4").tolist() == expected.indices.flatten().tolist()
    np.testing.assert_allclose(
        array(view["neighbourDistances"], "<f4"), expected.values.flatten(), rtol=1e-4
    )


def test_there_is_one_layout_for_each_graph(packed, table, cell_map):
    graphs = masks(packed).tolist()
    cells = table.cells[cell_map.rows]
    assert graphs == cells.edges.unique().tolist()
    first = (cells.edges == graphs[0]).nonzero()[0]
    heights = array(packed["graphs"]["heights"], "i1") / 2
    vertices = [height for _, height in lay_out(cells[first]).vertices]
    assert heights[: len(vertices)].tolist() == vertices


def test_paths_are_positions_on_the_map(packed, cell_map):
    points = array(packed["paths"][0]["points"], "<u4")
    assert cell_map.rows[points.astype(int)].tolist() == cell_map.paths[0].rows.tolist()
    rewards = array(packed["paths"][0]["rewards"], "<f4")
    np.testing.assert_allclose(rewards, 100 * cell_map.paths[0].rewards, rtol=1e-6)


def test_operations_look_as_in_other_pictures(packed):
    assert [look["fill"] for look in packed["styles"]["ops"]] == [
        each.fill for each in op_styles(NASBENCH101)
    ]


def test_what_is_not_known_is_not_there(table, cell_map):
    few = 4
    packed = packed_map(
        table,
        dataclasses.replace(
            cell_map,
            rows=cell_map.rows[:few],
            views=[View("only", np.zeros((few, 2)), torch.eye(few))],
            accuracies=None,
            ranks=None,
            classes=None,
            paths=[],
            told={},
        ),
    )
    assert packed["accuracies"] is packed["ranks"] is packed["classes"] is None
    assert packed["views"][0]["neighbourCount"] == few - 1


def test_edges_of_eleven_vertices_are_in_two_words():
    space = CellSpace("large", ("a", "b", "c"), (1.0, 2.0, 3.0), 11, 14)
    registry = CellRegistry(space)
    rows = registry.draw(40, torch.Generator().manual_seed(0))
    view = View("only", np.zeros((40, 2)), torch.randn(40, 3))
    packed = packed_map(registry, CellMap(rows, [view]))
    cells = registry.cells[rows]
    assert cells.edges.max() > 1 << 32
    assert masks(packed)[array(packed["graph"], "<u4")].tolist() == cells.edges.tolist()
    assert packed["hashes"] == [registry.hash_of(row) for row in rows.tolist()]
