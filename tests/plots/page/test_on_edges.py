"""The page of NAS-Bench-201, whose operations are on edges."""

import numpy as np
import pytest
import torch

from gnn_nas.plots.op_styles import op_styles
from gnn_nas.plots.page import CellMap, View, write_page
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.table import load_table

pytestmark = pytest.mark.slow

CELLS = 100


@pytest.fixture
def cells(browser, tmp_path):
    """The cells of an opened page, in the order of its points."""
    table, draw = load_table(NASBENCH201), np.random.default_rng(0)
    rows = table.draw(CELLS, torch.Generator().manual_seed(0))
    view = View("it", draw.normal(size=(CELLS, 2)), torch.randn(CELLS, 4))
    path = tmp_path / "page.html"
    write_page(path, table, CellMap(rows, [view]), "Cells")
    browser.open(path)
    return table.cells[rows]


def test_operations_are_drawn_on_lines_between_nodes(browser, cells):
    looks = op_styles(NASBENCH201)
    for point in (0, 7):
        browser.ask(
            "window.cellMap.plot.frame.emit('plotly_click',"
            " { points: [{ pointNumber: arguments[0] }] })",
            point,
        )
        ops = [looks[op] for op in cells.ops[point].tolist()]
        browser.wait_for(
            lambda ops=ops: browser.texts("#current .vertex title") == [look.name for look in ops]
        )
        assert browser.texts("#current .node title") == ["in", "1", "2", "out"]
        described = browser.ask("return document.querySelector('#current .cell').ariaLabel")
        assert described.startswith(f"{ops[0].name} 0→1, {ops[1].name} 0→2, {ops[2].name} 1→2")
        dashed = browser.ask(
            "return document.querySelectorAll('#current [stroke-dasharray]').length"
        )
        assert dashed == sum(look.is_absent for look in ops)


def test_filters_and_colours_are_those_of_the_space(browser, cells):
    assert browser.ask("return [...document.querySelectorAll('fieldset')].map((e) => e.id)") == [
        f"filter-op-{op}" for op in range(5)
    ]
    assert browser.ask("return [...document.querySelector('#colour')].map((e) => e.value)") == [
        "parameters"
    ]
    browser.driver.find_element("xpath", "//fieldset[@id='filter-op-3']/button[text()='2']").click()
    left = int(((cells.ops == 3).sum(1) == 2).sum())
    browser.wait_for(lambda: browser.text("#count") == f"{left} of {CELLS} cells")


def test_the_distance_is_the_number_of_operations_that_differ(browser, cells):
    found = browser.ask(
        "const { data, cells } = window.cellMap;"
        " return cells.map((each) => data.distance(cells[0], each))"
    )
    assert found == (cells.ops != cells.ops[:1]).sum(1).tolist()
