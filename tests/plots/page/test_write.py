import dataclasses
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.plots.page import CellMap, View, write_page


def test_the_page_is_one_file_that_says_what_it_is(page):
    assert [entry.name for entry in page.parent.iterdir()] == ["map.html"]
    text = page.read_text(encoding="utf-8")
    assert "<title>A &lt;map> &amp; more</title>" in text
    assert "{{" not in text.split("<script>")[0]
    assert "<link" not in text.replace('<link rel="icon" href="data:,">', "")
    assert "src=" not in text.split("<script>")[0]


def test_names_cannot_become_part_of_the_page(page, table, cell_map, tmp_path):
    name = '</script><script>alert(1)</script><!-- \u2028 & " {{STYLE}}'
    views = [dataclasses.replace(view, name=name) for view in cell_map.views]
    paths = [dataclasses.replace(path, name=name) for path in cell_map.paths]
    hostile = dataclasses.replace(cell_map, views=views, paths=paths, class_names=[name] * 20)
    path = tmp_path / "map.html"
    write_page(path, table, hostile, "A <map> & more", name)
    text, usual = (each.read_text(encoding="utf-8") for each in (path, page))
    for mark in ("<script", "</script", "<!--", "</style"):
        assert text.count(mark) == usual.count(mark)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])
    said = [data["subtitle"], *data["classNames"]]
    said += [each["name"] for each in (*data["views"], *data["paths"])]
    assert said == [name] * 25


def test_the_same_map_is_the_same_page(page, table, cell_map, tmp_path):
    again = tmp_path / "again.html"
    write_page(again, table, cell_map, "A <map> & more", "500 random cells")
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.parametrize(
    ("unknown", "known"),
    [
        ("accuracies", "class, edges, vertices, synflow"),
        ("classes", "accuracy, edges, vertices, synflow"),
    ],
)
def test_it_cannot_be_coloured_by_what_is_not_known(table, cell_map, tmp_path, unknown, known):
    colour = {"accuracies": "accuracy", "classes": "class"}[unknown]
    less = dataclasses.replace(cell_map, **{unknown: None})
    with pytest.raises(ValueError, match=f"cannot colour by '{colour}': the map knows {known}"):
        write_page(tmp_path / "map.html", table, less, "map", colour=colour)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def large_map(table) -> CellMap:
    """20,000 random cells."""
    draw = np.random.default_rng(0)
    rows = torch.from_numpy(draw.permutation(len(table))[:20_000])
    embeddings = torch.from_numpy(draw.normal(size=(len(rows), 4)))
    views = [View("one", draw.normal(size=(len(rows), 2)), embeddings)]
    accuracies = 0.94 - 0.02 * draw.exponential(size=len(rows))
    return CellMap(rows, views, accuracies, np.arange(len(rows)) + 1)


@pytest.fixture(scope="module")
def large_page(table, large_map, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("large") / "map.html"
    write_page(path, table, large_map, "20,000 cells")
    return path


@pytest.mark.slow
def test_twenty_thousand_cells_fit_into_ten_megabytes(large_page):
    assert large_page.stat().st_size < 10_000_000


@pytest.mark.slow
def test_a_told_statistic_of_twenty_thousand_cells_takes_27_kilobytes(
    large_page, large_map, table, tmp_path
):
    told = {"snip": torch.randn(20_000), "readout": torch.randn(20_000)}
    path = tmp_path / "told.html"
    write_page(path, table, dataclasses.replace(large_map, told=told), "20,000 cells")
    growth = path.stat().st_size - large_page.stat().st_size
    assert 2 * 26_000 < growth < 2 * 28_000


@pytest.mark.slow
def test_twenty_thousand_cells_are_filtered_at_once(large_page, large_map, table, browser):
    browser.open(large_page)
    assert browser.text("#count") == "20,000 cells"
    started = time.monotonic()
    browser.click("#filter-vertices button:last-child")
    expected = (table.cells.vertices[large_map.rows] == 7).sum().item()
    browser.wait_for(lambda: browser.text("#count") == f"{expected:,} of 20,000 cells")
    assert time.monotonic() - started < 10  # software draws the points here
