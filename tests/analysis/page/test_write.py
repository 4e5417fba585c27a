import dataclasses
import time

import numpy as np
import pytest
import torch

from gnn_nas.analysis.page import CellMap, View, write_page


def test_the_page_is_one_file_that_says_what_it_is(page):
    assert [entry.name for entry in page.parent.iterdir()] == ["map.html"]
    text = page.read_text(encoding="utf-8")
    assert "<title>A &lt;map> &amp; more</title>" in text
    assert "{{" not in text.split("<script>")[0]
    assert "<link" not in text.replace('<link rel="icon" href="data:,">', "")
    assert "src=" not in text.split("<script>")[0]


def test_the_same_map_is_the_same_page(page, table, cell_map, tmp_path):
    again = tmp_path / "again.html"
    write_page(again, table, cell_map, "A <map> & more", "500 random cells")
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.parametrize(
    ("unknown", "known"),
    [("accuracies", "class, edges, vertices"), ("classes", "accuracy, edges, vertices")],
)
def test_it_cannot_be_coloured_by_what_is_not_known(table, cell_map, tmp_path, unknown, known):
    colour = {"accuracies": "accuracy", "classes": "class"}[unknown]
    less = dataclasses.replace(cell_map, **{unknown: None})
    with pytest.raises(ValueError, match=f"cannot colour by '{colour}': the map knows {known}"):
        write_page(tmp_path / "map.html", table, less, "map", colour=colour)
    assert list(tmp_path.iterdir()) == []


def test_twenty_thousand_cells_fit_into_ten_megabytes(table, tmp_path, browser):
    count = 20_000
    draw = np.random.default_rng(0)
    rows = torch.from_numpy(draw.permutation(len(table))[:count])
    embeddings = torch.from_numpy(draw.normal(size=(count, 4)))
    views = [View("one", draw.normal(size=(count, 2)), embeddings)]
    accuracies = 0.94 - 0.02 * draw.exponential(size=count)
    path = tmp_path / "map.html"
    cell_map = CellMap(rows, views, accuracies, np.arange(count) + 1)
    write_page(path, table, cell_map, "20,000 cells")
    assert path.stat().st_size < 10_000_000
    browser.open(path)
    assert browser.text("#count") == "20,000 cells"
    started = time.monotonic()
    browser.click("#filter-vertices button:last-child")
    expected = (table.cells.vertices[rows] == 7).sum().item()
    browser.wait_for(lambda: browser.text("#count") == f"{expected:,} of 20,000 cells")
    assert time.monotonic() - started < 10
