"""Pinned cells, their distances and drawings, against what Python says."""

import numpy as np
import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.index import open_index
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.space import CellSpace

pytestmark = pytest.mark.slow

NARROW = (390, 844)


def test_clicks_pin_two_cells_with_their_edit_distance(opened, places, table, cell_map):
    first, second, third = opened.apart(places)[5:30:10]
    hashes = [table.hash_of(cell_map.rows[point].item()) for point in (first, second, third)]
    cells = table.cells[cell_map.rows]

    def is_pinned(*expected: str) -> None:
        opened.wait_for(lambda: opened.texts(".pinned .hash") == list(expected))

    opened.press(*places[first])
    is_pinned(hashes[0])
    assert opened.ask("return document.querySelector('#edits')") is None
    opened.press(*places[second])
    is_pinned(hashes[0], hashes[1])
    edits = edit_distance(cells[[first, second]], cells[[second, third]]).tolist()
    assert opened.text("#edits") == str(edits[0])
    left, right = opened.ask(
        "return [...document.querySelectorAll('.pinned')].map((e) => {"
        "const { left, right, top } = e.getBoundingClientRect(); return [left, right, top] })"
    )
    assert left[1] < right[0]
    assert left[2] == right[2]
    opened.press(*places[third])  # takes the place of the one pinned longer
    is_pinned(hashes[1], hashes[2])
    assert opened.text("#edits") == str(edits[1])
    opened.press(*places[third])
    is_pinned(hashes[1])
    opened.click(".pinned .remove")
    is_pinned()


def test_the_keyboard_pins_and_unpins(opened):
    def offers(words: str) -> None:
        opened.wait_for(lambda: opened.text(".pin-button") == words)
        assert opened.driver.switch_to.active_element.text == words

    opened.ask("document.querySelector('.pin-button').focus()")
    for words in ("Unpin", "Pin to compare", "Unpin"):
        opened.driver.switch_to.active_element.send_keys("\n")
        offers(words)
    opened.driver.find_element("css selector", ".pinned .remove").send_keys("\n")
    offers("Pin to compare")


def test_a_finger_pins_too(browser, page, table, cell_map, shows):
    browser.open(page, NARROW)
    places = browser.places()
    point = browser.apart(places)[0]
    browser.tap(*places[point])
    module_hash = table.hash_of(cell_map.rows[point].item())
    browser.wait_for(lambda: browser.texts(".pinned .hash") == [module_hash])
    shows(point)


DISTANCES = """
const { Cell, Graph, editDistance } = window.cellMap;
const [first, second] = arguments;
const read = ([edges, ops]) => new Cell(new Graph(edges), ops);
return first.map((cell, i) => editDistance(read(cell), read(second[i]), arguments[2]));
"""


def written(cells: PackedCells) -> list:
    slots = cells.space.slots
    return [
        [[slots[slot] for slot in bits.nonzero().flatten().tolist()], ops]
        for bits, ops in zip(cells.edge_bits(), cells.ops.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    "space",
    [CellSpace("large", tuple("abcde"), (1.0,) * 5, 9, 12), NASBENCH_GRAPH],
    ids=lambda space: space.name,
)
def test_edit_distances_of_other_spaces_are_exact(opened, space):
    index, generator = open_index(space), torch.Generator().manual_seed(0)
    first, second = (index.draw(60, generator) for _ in range(2))
    near = PositiveSampler(index).sample(first, 1, generator).rows
    pairs = index.cells[torch.cat([first, first])], index.cells[torch.cat([second, near])]
    found = opened.ask(DISTANCES, *map(written, pairs), space.in_edges is not None)
    assert found == edit_distance(*pairs).tolist()


def test_edit_distances_are_exact(opened, table):
    """Of random pairs, and of near ones: all of them written in the page's own form."""
    generator = torch.Generator().manual_seed(3)
    anchors = torch.randint(len(table), (1500,), generator=generator)
    anchors = anchors[table.cells.vertices[anchors] > 2]
    near = PositiveSampler(table).sample(anchors, 1, generator).rows
    small = (table.cells.vertices <= 4).nonzero().flatten()
    first = torch.cat([anchors, anchors, small])
    second = torch.cat([near, near.roll(1), small.flip(0)])
    pairs = [table.cells[rows] for rows in (first, second)]
    found = opened.ask(DISTANCES, *map(written, pairs))
    expected = edit_distance(*pairs)
    assert found == expected.tolist()
    assert {1, 2, 3, 8} <= set(found)


def test_drawings_are_laid_out_as_other_pictures(opened, table, cell_map, shows):
    cells = table.cells[cell_map.rows]
    for point in range(0, len(cells), 25):
        opened.write("#hash", table.hash_of(cell_map.rows[point].item()))
        shows(point)
        boxes = opened.ask(
            "const scale = document.querySelector('#current .cell').getScreenCTM().a;"
            "return [...document.querySelectorAll('#current .vertex path')].map((path) => {"
            "const { left, right, top, bottom } = path.getBoundingClientRect();"
            "return [(left + right) / 2 / scale, (top + bottom) / 2 / scale] })"
        )
        places = np.array(boxes) - boxes[0]
        layout = lay_out(cells[point : point + 1])
        height = layout.vertices[0][1]
        expected = [[52 * (h - height), 48 * layer] for layer, h in layout.vertices]
        np.testing.assert_allclose(places, expected, atol=0.5)
        edges = opened.ask("return document.querySelectorAll('#current .cell .edge').length")
        assert edges == len(layout.edges)
