"""Pages of small maps, and a real browser in which they are pointed at and clicked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.plots.page import CellMap, SearchPath, View, write_page
from tests.helpers.browser import Browser

CELLS, QUERIES = 500, 120


@pytest.fixture(scope="session")
def cell_map(table) -> CellMap:
    """Random cells at random places; every 50th has no accuracy, every 10th query has failed."""
    generator = torch.Generator().manual_seed(0)
    draw = np.random.default_rng(0)
    # The first ones are the small cells, which are rare.
    small = (table.cells.vertices < 5).nonzero().flatten()[:40]
    rows = torch.cat([small, torch.randperm(len(table), generator=generator)])
    rows = torch.tensor(list(dict.fromkeys(rows[: 2 * CELLS].tolist()))[:CELLS])
    embeddings = torch.nn.functional.normalize(torch.randn(2, CELLS, 8, generator=generator), dim=2)
    accuracies = 0.94 - 0.02 * draw.exponential(size=CELLS)
    accuracies[::50] = np.nan
    ranks = np.where(np.isnan(accuracies), 0, draw.permutation(len(table))[:CELLS] + 1)
    queried = torch.from_numpy(draw.permutation(CELLS)[:QUERIES])
    reports = accuracies[queried.numpy()]
    rewards = reports + draw.normal(0, 0.002, QUERIES)
    rewards[::10] = np.nan
    path = SearchPath("seed 0", rows[queried], rewards, reports)
    other = SearchPath("seed 1", rows[queried[:50].flip(0)], rewards[:50], reports[:50])
    return CellMap(
        rows,
        [
            View(name, draw.uniform((-3, 2), (11, 9), (CELLS, 2)).astype(np.float32), each)
            for name, each in zip(("first", "second"), embeddings, strict=True)
        ],
        accuracies,
        ranks,
        np.arange(CELLS) % 20,
        [str(number + 1) for number in range(20)],
        [path, other],
        {"synflow": torch.randn(CELLS, generator=generator)},
    )


@pytest.fixture(scope="session")
def page(table, cell_map, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "map.html"
    write_page(path, table, cell_map, "A <map> & more", "500 random cells")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {missing[0]} here: apt install chromium chromium-driver")
    browser = Browser()
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium) -> Iterator[Browser]:
    """The browser; what the page complains of or loads fails the test."""
    yield chromium
    assert chromium.errors() == []
    assert {address.split(":")[0] for address in chromium.requests()} <= {"file", "data", "blob"}


@pytest.fixture
def opened(browser, page) -> Browser:
    browser.open(page)
    return browser


@pytest.fixture
def places(opened) -> np.ndarray:
    """Where the points of the map are on the screen, ``[N, 2]``."""
    return opened.places()


@pytest.fixture
def shows(chromium, table, cell_map) -> Callable[[int], None]:
    """Waits until the cell of a point is shown."""

    def wait(point: int) -> None:
        module_hash = table.hash_of(cell_map.rows[point].item())
        chromium.wait_for(lambda: chromium.text("#current .hash") == module_hash)

    return wait
