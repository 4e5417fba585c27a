"""What a person does with the page, in a real browser, against what Python says."""

import math

import numpy as np
import pytest
import torch

from gnn_nas.analysis.cell_shapes import vertex_styles
from gnn_nas.analysis.layout import lay_out
from gnn_nas.cells.distance import edit_distance
from gnn_nas.cells.positives import PositiveSampler

WIDE, NARROW = (1280, 800), (390, 844)

# By the axes of the plot, not by the page's own arithmetic.
PLACES = """
const frame = document.querySelector("#map");
const { left, top } = frame.getBoundingClientRect();
const { xaxis, yaxis } = frame._fullLayout;
const { x, y } = window.cellMap.plot.view;
return Array.from(x, (_, i) => [left + xaxis.l2p(x[i]), top + yaxis.l2p(y[i])]);
"""

SMALLEST_LETTERS = """
let smallest = [Infinity, ""];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const parent = walker.currentNode.parentElement;
  const words = walker.currentNode.textContent.trim();
  const box = parent.getBoundingClientRect();
  if (!words || !box.width || !box.height || parent.closest("script, style, title")) continue;
  const drawing = parent.closest("svg.cell");
  const scale = drawing ? drawing.getScreenCTM().a : 1;
  const size = scale * parseFloat(getComputedStyle(parent).fontSize);
  if (size < smallest[0]) smallest = [size, words];
}
for (const field of document.querySelectorAll("input, select, button")) {
  smallest[0] = Math.min(smallest[0], parseFloat(getComputedStyle(field).fontSize));
}
return smallest;
"""


@pytest.fixture
def places(opened) -> np.ndarray:
    """Where the points are on the screen, ``[N, 2]``."""
    return np.array(opened.ask(PLACES))


def apart(places: np.ndarray, least: float = 14) -> list[int]:
    """Points that no other is near to on the screen, and that nothing covers."""
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distance, np.inf)
    (left, top), (right, bottom) = places.min(0), places.max(0)
    x, y = places.T
    inside = (x > left + 20) & (x < right - 80) & (y > top + 20) & (y < bottom - 20)
    return np.flatnonzero((distance.min(1) > least) & inside).tolist()


def shows(browser, table, cell_map, point: int) -> None:
    module_hash = table.hash_of(cell_map.rows[point].item())
    browser.wait_for(lambda: browser.text("#current .hash") == module_hash)


def expect_count(browser, mask: torch.Tensor | np.ndarray) -> None:
    wanted = int(mask.sum())
    text = f"{wanted} of {len(mask)} cells" if wanted < len(mask) else f"{wanted} cells"
    browser.wait_for(lambda: browser.text("#count") == text)
    script = "return document.querySelector('#map').data.map((trace) => trace.x.length)"
    browser.wait_for(lambda: browser.ask(script) == [len(mask) - wanted, wanted])


def test_pointing_at_a_point_shows_its_cell(opened, places, table, cell_map):
    points = apart(places)[::8]
    assert len(points) > 8
    for point in points:
        opened.move(*places[point])
        shows(opened, table, cell_map, point)
        cell = table.cells[cell_map.rows[point : point + 1]]
        words = opened.texts("#current .cell .vertex title")
        assert words == [style.name for style in vertex_styles(cell)]
        facts = opened.texts("#current .facts li")
        accuracy, rank = 100 * cell_map.accuracies[point], cell_map.ranks[point]
        if math.isnan(accuracy):
            assert facts[0] == "unknown test accuracy"
        else:
            assert facts[:2] == [f"{accuracy:.2f} % test accuracy", f"rank {rank:,} of 423,624"]
        assert f"class {point % 20 + 1}" in facts
        edges = cell.edge_bits().sum().item()
        assert f"{cell.vertices.item()} vertices, {edges} edges" in facts


def test_a_neighbour_is_shown_by_a_click(opened, places, table, cell_map):
    point = apart(places)[3]
    opened.move(*places[point])
    shows(opened, table, cell_map, point)
    embeddings = cell_map.views[0].embeddings
    similar = embeddings @ embeddings[point]
    nearest = similar.topk(7).indices[1:].tolist()
    hashes = [table.hash_of(cell_map.rows[other].item()) for other in nearest]
    assert opened.texts("#current .neighbours code") == [each[:6] for each in hashes]
    edits = edit_distance(
        table.cells[cell_map.rows[[point] * 6]], table.cells[cell_map.rows[nearest]]
    )
    said = opened.texts("#current .neighbours button span:last-child")
    assert [int(words.split()[0]) for words in said] == edits.tolist()
    opened.click("#current .neighbours li:nth-child(2) button")
    shows(opened, table, cell_map, nearest[1])


def test_after_moving_the_view_points_are_where_they_are_marked(opened, places, table, cell_map):
    x, y = np.median(places, axis=0)
    opened.wheel(x, y, -300)
    opened.wait_for(lambda: np.abs(np.array(opened.ask(PLACES)) - places).max() > 40)
    zoomed = opened.ask(PLACES)
    opened.drag(x, y, 70, -40)
    opened.wait_for(lambda: abs(opened.ask(PLACES)[0][0] - zoomed[0][0]) > 50)
    opened.click("#zoom-in")
    opened.wait_for(lambda: len(set(map(str, (opened.ask(PLACES) for _ in range(3))))) == 1)
    moved = np.array(opened.ask(PLACES))
    frame = opened.ask(
        "const { left, top, right, bottom } = document.querySelector('#map')"
        ".getBoundingClientRect(); return [left, top, right, bottom]"
    )
    inside = (moved > np.array(frame[:2]) + 30).all(1) & (moved < np.array(frame[2:]) - 60).all(1)
    far = np.linalg.norm(moved[:, None] - moved, axis=2) + 1000 * np.eye(len(moved))
    point = np.flatnonzero(inside & (far.min(1) > 14))[0].item()
    opened.move(*moved[point])
    shows(opened, table, cell_map, point)
    ring = opened.ask(
        "const r = document.querySelector('#marks .current').getBoundingClientRect();"
        "return [(r.left + r.right) / 2, (r.top + r.bottom) / 2]"
    )
    assert ring == pytest.approx(moved[point].tolist(), abs=0.6)
    opened.click("#zoom-all")
    opened.wait_for(lambda: np.abs(np.array(opened.ask(PLACES)) - places).max() < 0.5)


def test_another_map_has_the_cells_elsewhere(opened, places, table, cell_map):
    point = apart(places)[0]
    opened.press(*places[point])
    shows(opened, table, cell_map, point)
    opened.driver.find_element("xpath", "//select[@id='view']/option[.='second']").click()
    opened.wait_for(lambda: np.abs(np.array(opened.ask(PLACES)) - places).max() > 50)
    elsewhere = np.array(opened.ask(PLACES))
    other = apart(elsewhere)[5]
    opened.move(*elsewhere[other])
    shows(opened, table, cell_map, other)
    assert opened.texts(".pinned .hash") == [table.hash_of(cell_map.rows[point].item())]
    embeddings = cell_map.views[1].embeddings
    nearest = (embeddings @ embeddings[other]).topk(2).indices[1].item()
    first = opened.text("#current .neighbours code")
    assert first == table.hash_of(cell_map.rows[nearest].item())[:6]


def test_filters_filter(opened, table, cell_map):
    cells = table.cells[cell_map.rows]
    everything = torch.ones(len(cells), dtype=torch.bool)
    expect_count(opened, everything)
    sized = (cells.vertices == 4) | (cells.vertices == 7)
    for value in (4, 7):
        opened.driver.find_element(
            "xpath", f"//fieldset[@id='filter-vertices']/button[text()='{value}']"
        ).click()
    expect_count(opened, sized)
    opened.driver.find_element("xpath", "//fieldset[@id='filter-op-2']/button[text()='1']").click()
    pools = ((cells.ops == 2) & cells.has_interior()).sum(1)
    expect_count(opened, sized & (pools == 1))
    opened.driver.find_element("xpath", "//fieldset[@id='filter-edges']/button[text()='9']").click()
    expect_count(opened, sized & (pools == 1) & (cells.edge_bits().sum(1) == 9))
    opened.click("#clear")
    expect_count(opened, everything)
    assert opened.ask("return document.querySelectorAll('[aria-pressed=true]').length") == 0


def test_accuracies_are_filtered_by_number_and_by_share(opened, cell_map):
    known = 100 * cell_map.accuracies.astype(np.float32)
    opened.write("#filter-accuracy input[type=number]", "92.5")
    expect_count(opened, known >= 92.5)
    opened.write("#filter-accuracy .fields input:last-child", "93.5")
    expect_count(opened, (known >= 92.5) & (known <= 93.5))
    opened.click("#clear")
    expect_count(opened, np.ones(len(known), dtype=bool))
    opened.ask(
        "const slider = document.querySelector('.sliders input');"
        "slider.value = 500; slider.dispatchEvent(new Event('input'))"
    )
    # Half of the known ones: the field rounds its end down, so it keeps the one in the middle.
    median = np.sort(known[~np.isnan(known)])[round((~np.isnan(known)).sum() / 2 - 0.5)]
    expect_count(opened, known >= math.floor(100 * median) / 100)


def test_a_hash_is_found_by_how_it_begins(opened, table, cell_map):
    hashes = [table.hash_of(row) for row in cell_map.rows.tolist()]
    opened.write("#hash", hashes[77][:2])
    expect_count(opened, np.array([each.startswith(hashes[77][:2]) for each in hashes]))
    opened.write("#hash", hashes[77].upper())
    expect_count(opened, np.array([each == hashes[77] for each in hashes]))
    shows(opened, table, cell_map, 77)
    opened.write("#hash", "no hash")
    expect_count(opened, np.zeros(len(hashes), dtype=bool))


def test_clicks_pin_two_cells_with_their_edit_distance(opened, places, table, cell_map):
    first, second, third = apart(places)[5:30:10]
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


def test_a_finger_pins_too(browser, page, table, cell_map):
    browser.open(page, NARROW)
    places = np.array(browser.ask(PLACES))
    point = apart(places)[0]
    browser.tap(*places[point])
    module_hash = table.hash_of(cell_map.rows[point].item())
    browser.wait_for(lambda: browser.texts(".pinned .hash") == [module_hash])
    shows(browser, table, cell_map, point)


def test_edit_distances_are_exact(opened, table, cell_map):
    """Of random pairs, and of near ones: all of them written in the page's own form."""
    generator = torch.Generator().manual_seed(3)
    anchors = torch.randint(len(table), (1500,), generator=generator)
    anchors = anchors[table.cells.vertices[anchors] > 2]
    near = PositiveSampler(table).sample(anchors, 1, generator).rows
    small = (table.cells.vertices <= 4).nonzero().flatten()
    first = torch.cat([anchors, anchors, small])
    second = torch.cat([near, near.roll(1), small.flip(0)])
    pairs = [table.cells[rows] for rows in (first, second)]
    codes = [
        (cells.edges | (cells.ops * 3 ** torch.arange(5)).sum(1) << 21).tolist() for cells in pairs
    ]
    found = opened.ask(
        "const { Cell, editDistance } = window.cellMap;"
        "return arguments[0].map((code, i) =>"
        " editDistance(new Cell(code), new Cell(arguments[1][i])))",
        *codes,
    )
    expected = edit_distance(*pairs)
    assert found == expected.tolist()
    assert {1, 2, 3, 8} <= set(found)


def test_drawings_are_laid_out_as_other_pictures(opened, table, cell_map):
    cells = table.cells[cell_map.rows]
    for point in range(0, len(cells), 25):
        opened.write("#hash", table.hash_of(cell_map.rows[point].item()))
        shows(opened, table, cell_map, point)
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


def test_a_search_is_played_query_by_query(opened, table, cell_map):
    path = cell_map.paths[0]
    length = len(path.rows)

    def goes_to(query: int) -> None:
        opened.ask(
            "const slider = document.querySelector('#query');"
            "slider.value = arguments[0]; slider.dispatchEvent(new Event('input'))",
            query,
        )

    assert opened.texts("#best span")[0] == f"Query {length} of {length}"
    for query in (1, 2, 33, length):
        goes_to(query)
        shown = opened.texts("#best span")
        assert shown[0] == f"Query {query} of {length}"
        rewards = path.rewards[:query]
        if np.isnan(rewards).all():
            assert shown[1] == "Best so far none yet"
        else:
            best = int(np.nanargmax(rewards))
            report = path.reports[best]
            figure = 100 * (path.rewards[best] if math.isnan(report) else report)
            assert shown[1] == f"Best so far {figure:.2f} %, query {best + 1}"
        shows(opened, table, cell_map, cell_map.points_of(path.rows[query - 1 : query]).item())
        marks = opened.ask("return document.querySelectorAll('#marks .queried').length")
        assert marks == query

    goes_to(3)
    opened.click("#play")
    opened.wait_for(lambda: opened.ask("return window.cellMap.playback.query") > 8)
    opened.click("#play")
    stopped = opened.ask("return window.cellMap.playback.query")
    assert opened.text("#play") == "▶ Play"
    goes_to(length - 2)
    assert stopped < length
    opened.click("#play")
    opened.wait_for(lambda: opened.text("#play") == "▶ Play")
    assert opened.texts("#best span")[0] == f"Query {length} of {length}"
    opened.ask(
        "const select = document.querySelector('#path');"
        "select.value = 1; select.dispatchEvent(new Event('change'))"
    )
    assert opened.texts("#best span")[0] == "Query 50 of 50"


@pytest.mark.parametrize("colour", ["accuracy", "class", "edges", "vertices"])
def test_colours_are_chosen(opened, colour):
    opened.driver.find_element("xpath", f"//select[@id='colour']/option[.='{colour}']").click()
    colours = opened.ask("return document.querySelector('#map').data[1].marker.color")
    assert len(colours) == 500
    assert len(set(colours)) > 3
    assert opened.text("#legend")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_it_is_readable_on_large_and_small_screens(browser, page, size):
    browser.open(page, size)
    browser.click(".pin-button")
    browser.click("#current .neighbours button")
    browser.click(".pin-button")
    browser.wait_for(lambda: len(browser.texts(".pinned .cell")) == 2)
    if size == NARROW:
        browser.click("#filter-toggle")
    width = size[0]
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    beyond = browser.ask(
        "return [...document.querySelectorAll('body *')].filter((e) => {"
        "const { right, width } = e.getBoundingClientRect();"
        "return width && right > arguments[0] + 0.5 && !e.closest('#map, #marks')"
        "}).map((e) => e.outerHTML.slice(0, 80))",
        width,
    )
    assert beyond == []
    letters, words = browser.ask(SMALLEST_LETTERS)
    assert letters >= 12, words
    map_top, cards_top = browser.ask(
        "return ['#frame', 'aside'].map((s) =>"
        " document.querySelector(s).getBoundingClientRect().top)"
    )
    assert (cards_top > map_top + 300) == (size == NARROW)
