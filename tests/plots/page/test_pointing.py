"""What pointing at the map shows."""

import math

import numpy as np
import pytest

from gnn_nas.plots.cell_shapes import vertex_styles
from gnn_nas.spaces.distance import edit_distance


@pytest.mark.slow
def test_pointing_at_a_point_shows_its_cell(opened, places, table, cell_map, shows):
    points = opened.apart(places)[::8]
    assert len(points) > 8
    for point in points:
        opened.move(*places[point])
        shows(point)
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


@pytest.mark.slow
def test_a_neighbour_is_shown_by_a_click(opened, places, table, cell_map, shows):
    point = opened.apart(places)[3]
    opened.move(*places[point])
    shows(point)
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
    shows(nearest[1])


@pytest.mark.slow
def test_the_keyboard_goes_from_cell_to_cell(opened, cell_map, shows):
    embeddings = cell_map.views[0].embeddings
    start = cell_map.points_of(cell_map.paths[0].rows[-1:]).item()
    shows(start)
    opened.driver.find_element("css selector", "#current .neighbours button").send_keys("\n")
    after = (embeddings @ embeddings[start]).topk(2).indices[1].item()
    shows(after)
    opened.driver.switch_to.active_element.send_keys("\n")
    shows((embeddings @ embeddings[after]).topk(2).indices[1].item())


@pytest.mark.slow
def test_after_moving_the_view_points_are_where_they_are_marked(opened, places, shows):
    x, y = np.median(places, axis=0)
    opened.wheel(x, y, -300)
    opened.wait_for(lambda: np.abs(opened.places() - places).max() > 40)
    zoomed = opened.places()
    opened.drag(x, y, 70, -40)
    opened.wait_for(lambda: abs(opened.places()[0][0] - zoomed[0][0]) > 50)
    opened.click("#zoom-in")
    opened.wait_for(lambda: len(set(map(str, (opened.places() for _ in range(3))))) == 1)
    moved = opened.places()
    frame = opened.ask(
        "const { left, top, right, bottom } = document.querySelector('#map')"
        ".getBoundingClientRect(); return [left, top, right, bottom]"
    )
    inside = (moved > np.array(frame[:2]) + 30).all(1) & (moved < np.array(frame[2:]) - 60).all(1)
    far = np.linalg.norm(moved[:, None] - moved, axis=2) + 1000 * np.eye(len(moved))
    point = np.flatnonzero(inside & (far.min(1) > 14))[0].item()
    opened.move(*moved[point])
    shows(point)
    ring = opened.ask(
        "const r = document.querySelector('#marks .current').getBoundingClientRect();"
        "return [(r.left + r.right) / 2, (r.top + r.bottom) / 2]"
    )
    assert ring == pytest.approx(moved[point].tolist(), abs=0.6)
    opened.click("#zoom-all")
    opened.wait_for(lambda: np.abs(opened.places() - places).max() < 0.5)


@pytest.mark.slow
def test_another_map_has_the_cells_elsewhere(opened, places, table, cell_map, shows):
    point = opened.apart(places)[0]
    opened.press(*places[point])
    shows(point)
    opened.driver.find_element("xpath", "//select[@id='view']/option[.='second']").click()
    opened.wait_for(lambda: np.abs(opened.places() - places).max() > 50)
    elsewhere = opened.places()
    other = opened.apart(elsewhere)[5]
    opened.move(*elsewhere[other])
    shows(other)
    assert opened.texts(".pinned .hash") == [table.hash_of(cell_map.rows[point].item())]
    embeddings = cell_map.views[1].embeddings
    nearest = (embeddings @ embeddings[other]).topk(2).indices[1].item()
    first = opened.text("#current .neighbours code")
    assert first == table.hash_of(cell_map.rows[nearest].item())[:6]


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["accuracy", "class", "edges", "vertices", "synflow"])
def test_colours_are_chosen(opened, colour):
    opened.driver.find_element("xpath", f"//select[@id='colour']/option[.='{colour}']").click()
    colours = opened.ask("return document.querySelector('#map').data[1].marker.color")
    assert len(colours) == 500
    assert len(set(colours)) > 3
    assert opened.text("#legend")


@pytest.mark.slow
def test_the_legend_says_where_the_scale_ends(opened, cell_map):
    low, high = (cell_map.told["synflow"].quantile(share).item() for share in (0.01, 0.99))
    told = f"≤ {low:.1f}≥ {high:.1f} s.d.".replace("-", "−")
    for colour, shown in (("edges", "19"), ("synflow", told)):
        opened.driver.find_element("xpath", f"//select[@id='colour']/option[.='{colour}']").click()
        assert opened.text("#legend") == shown
    assert "SynFlow" in opened.ask("return document.querySelector('#legend').title")
    colours = opened.ask("return document.querySelector('#map').data[1].marker.color")
    ordered = cell_map.told["synflow"].argsort().tolist()
    assert {colours[point] for point in ordered[:5]} == {"rgb(253,231,37)"}
    assert {colours[point] for point in ordered[-5:]} == {"rgb(68,1,84)"}
