"""Pages of small maps, and a real browser in which they are pointed at and clicked."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gnn_nas.analysis.page import CellMap, SearchPath, View, write_page

WIDE = (1280, 800)
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


class Browser:
    """Headless Chromium through its driver; both are Debian packages."""

    def __init__(self) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        for argument in (
            "--headless=new",
            "--no-sandbox",  # which does not work for root in a container
            "--disable-dev-shm-usage",
            "--enable-unsafe-swiftshader",  # WebGL without a graphics card
            f"--user-data-dir={self._profile.name}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            options, webdriver.ChromeService(shutil.which("chromedriver"))
        )

    def quit(self) -> None:
        """End the browser."""
        self.driver.quit()
        self._profile.cleanup()

    def open(self, path: Path, size: tuple[int, int] = WIDE) -> None:
        """Open a page from the disk and wait until it is ready."""
        width, height = size
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(path.as_uri())
        self.wait_for(lambda: self.ask("return 'ready' in document.body.dataset"))

    def ask(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page and give what it returns."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """What an element says."""
        return self.ask("return document.querySelector(arguments[0]).textContent", selector)

    def texts(self, selector: str) -> list[str]:
        """What every such element says."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.ask(script, selector)

    def click(self, selector: str) -> None:
        """Click on an element that can be seen."""
        self.driver.find_element("css selector", selector).click()

    def write(self, selector: str, text: str) -> None:
        """Write into a field in place of what it holds."""
        field = self.driver.find_element("css selector", selector)
        field.clear()
        field.send_keys(text)

    def move(self, x: float, y: float) -> None:
        """Move the pointer, as a mouse does: it comes from somewhere near."""
        for step in (6, 2, 0):
            self._mouse("mouseMoved", x + step, y + step)

    def press(self, x: float, y: float) -> None:
        """Click with the mouse, no faster than a person: the plot looks 20 times a second."""
        self.move(x, y)
        time.sleep(0.15)
        self._mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self._mouse("mouseReleased", x, y, button="left", buttons=0, clickCount=1)

    def tap(self, x: float, y: float) -> None:
        """Touch with a finger."""
        touch = {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", touch)
        self.driver.execute_cdp_cmd(
            "Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []}
        )

    def drag(self, x: float, y: float, right: float, down: float) -> None:
        """Press, move, release."""
        self.move(x, y)
        self._mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        for share in (0.25, 0.5, 0.75, 1):
            place = (x + share * right, y + share * down)
            self._mouse("mouseMoved", *place, button="left", buttons=1)
        self._mouse("mouseReleased", *place, button="left", buttons=0, clickCount=1)

    def wheel(self, x: float, y: float, down: float) -> None:
        """Turn the mouse's wheel."""
        self._mouse("mouseWheel", x, y, deltaX=0, deltaY=down)

    def wait_for(self, condition: Callable[[], Any], seconds: float = 30) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the page did not come to it"
            time.sleep(0.03)

    def errors(self) -> list[str]:
        """What the page has complained of since it was opened."""
        log = self.driver.get_log("browser")
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the page was opened, itself included."""

        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        event = {"type": kind, "x": x, "y": y, **more}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)
