"""Searches played over the map."""

import math

import numpy as np
import pytest

pytestmark = pytest.mark.slow

MARKED = """
const marks = document.querySelectorAll("#marks .queried");
return [...marks].map((mark) => mark.getAttribute("fill"));
"""


def test_queried_cells_have_the_colours_of_the_map(opened):
    by_accuracy = opened.ask(MARKED)
    opened.driver.find_element("xpath", "//select[@id='colour']/option[.='vertices']").click()
    marked = opened.ask(MARKED)
    assert marked != by_accuracy
    points = opened.ask("return window.cellMap.playback.path.points")
    colours = opened.ask("return document.querySelector('#map').data[1].marker.color")
    assert marked == [colours[point] for point in points]


def test_a_search_is_played_query_by_query(opened, cell_map, shows):
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
        shows(cell_map.points_of(path.rows[query - 1 : query]).item())
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
