import base64
import dataclasses
import json

import numpy as np
import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.plots.cell_shapes import OP_STYLES
from gnn_nas.plots.page import View
from gnn_nas.plots.page.packing import NEIGHBOURS, packed_map


@pytest.fixture(scope="module")
def packed(table, cell_map) -> dict:
    return json.loads(json.dumps(packed_map(table, cell_map)))


def array(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_cells_are_read_back(packed, table, cell_map):
    cells = table.cells[cell_map.rows]
    numbers = torch.from_numpy(array(packed["cells"], "<u4").astype(np.int64))
    assert torch.equal(numbers & (1 << 21) - 1, cells.edges)
    digits = (numbers >> 21)[:, None] // 3 ** torch.arange(5) % 3
    assert torch.equal(digits, cells.ops)
    hashes = array(packed["hashes"], "u1").reshape(-1, 16)
    assert bytes(hashes[3]).hex() == table.hash_of(cell_map.rows[3].item())


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
    masks = array(packed["layouts"]["masks"], "<u4").tolist()
    cells = table.cells[cell_map.rows]
    assert masks == cells.edges.unique().tolist()
    first = (cells.edges == masks[0]).nonzero()[0]
    heights = array(packed["layouts"]["heights"], "i1") / 2
    vertices = [height for _, height in lay_out(cells[first]).vertices]
    assert heights[: len(vertices)].tolist() == vertices


def test_paths_are_positions_on_the_map(packed, cell_map):
    points = array(packed["paths"][0]["points"], "<u4")
    assert cell_map.rows[points.astype(int)].tolist() == cell_map.paths[0].rows.tolist()
    rewards = array(packed["paths"][0]["rewards"], "<f4")
    np.testing.assert_allclose(rewards, 100 * cell_map.paths[0].rewards, rtol=1e-6)


def test_operations_look_as_in_other_pictures(packed):
    assert [look["fill"] for look in packed["styles"]["ops"]] == [each.fill for each in OP_STYLES]


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
        ),
    )
    assert packed["accuracies"] is packed["ranks"] is packed["classes"] is None
    assert packed["views"][0]["neighbourCount"] == few - 1
