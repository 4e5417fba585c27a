"""A page in headless Chromium, pointed at and clicked as a person would."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WIDE = (1280, 800)

# By the axes of the plot, not by the page's own arithmetic.
_PLACES = """
const frame = document.querySelector("#map");
const { left, top } = frame.getBoundingClientRect();
const { xaxis, yaxis } = frame._fullLayout;
const { x, y } = window.cellMap.plot.view;
return Array.from(x, (_, i) => [left + xaxis.l2p(x[i]), top + yaxis.l2p(y[i])]);
"""


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

    def places(self) -> np.ndarray:
        """Where the points of the map are on the screen, ``[N, 2]``."""
        return np.array(self.ask(_PLACES))

    @staticmethod
    def apart(places: np.ndarray, least: float = 14) -> list[int]:
        """Points that no other is near to on the screen, and that nothing covers."""
        distance = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(distance, np.inf)
        (left, top), (right, bottom) = places.min(0), places.max(0)
        x, y = places.T
        inside = (x > left + 20) & (x < right - 80) & (y > top + 20) & (y < bottom - 20)
        return np.flatnonzero((distance.min(1) > least) & inside).tolist()

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
