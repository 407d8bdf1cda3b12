"""Somebody who uses the page: clicks, looks at the picture, asks the server what is true."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
from numpy.typing import NDArray

WAIT_S = 300.0
LOOK = """([id, width, height]) => {
  const canvas = new OffscreenCanvas(width, height);
  const brush = canvas.getContext("2d");
  brush.drawImage(document.getElementById(id), 0, 0, width, height);
  return [...brush.getImageData(0, 0, width, height).data];
}"""
FACE = (slice(40, 62), slice(66, 95))
"""Rows and columns of the face in a 160 x 90 picture of the demo clip."""


class Visitor:
    """A page in a fresh browser profile. faults: errors on the console, exceptions, requests to anybody else."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self.url = url
        self.faults: list[str] = []
        self.session = ""
        self.context = browser.new_context(**({"viewport": {"width": 1100, "height": 700}} | context))
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_S * 1000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)
        self.page.goto(url)

    def start(self) -> None:
        """Start the camera and wait for the relit picture."""
        self.page.click("#start")
        self.page.wait_for_selector('#state[data-state="live"]')

    def leave(self) -> None:
        self.context.close()

    def choose(self, env: str) -> None:
        """Click on an environment."""
        self.page.click("#tab-light")
        self.page.click(f'.card:has(input[value="{env}"])')
        self.until(lambda: self.settings()["env"] == env)

    def change(self, **settings: object) -> None:
        """Set settings past the page, as another program would."""
        answer = self.context.request.patch(urljoin(self.url, self.session + "/settings"), data=settings)
        assert answer.ok, answer.text()

    def settings(self) -> dict[str, Any]:
        """What the server says."""
        answer = self.context.request.get(urljoin(self.url, self.session + "/settings"))
        assert answer.ok, answer.text()
        return answer.json()

    def look(self, element: str = "after") -> NDArray[np.float64]:
        """The picture that an element shows now: float64 (90, 160, 3), sRGB, [0, 1]."""
        pixels = np.array(self.page.evaluate(LOOK, [element, 160, 90]), np.float64)
        return pixels.reshape(90, 160, 4)[:, :, :3] / 255

    def balance(self) -> float:
        """How much brighter the left half of the face is than the right one, part of their sum."""
        face = self.look()[FACE]
        half = face.shape[1] // 2
        left, right = face[:, :half].mean(), face[:, -half:].mean()
        return float((left - right) / (left + right))

    def magenta(self, element: str = "after") -> float:
        """How magenta (neon's lamp at the left) the left half of the face is."""
        red, green, blue = self.look(element)[FACE][:, : FACE[1].stop // 2 - FACE[1].start // 2].mean((0, 1))
        return float((red + blue) / 2 - green)

    def until(self, true: Callable[[], object], wait_s: float = WAIT_S) -> None:
        """Wait until something holds; fails loudly when it never does."""
        end_s = time.monotonic() + wait_s
        while not true():
            assert time.monotonic() < end_s, f"it did not come true within {wait_s} s; {self.faults}"
            self.page.wait_for_timeout(100)

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.text} {message.location['url']}")

    def _asked(self, request: Any) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.faults.append(f"asked {request.url}")

    def _answered(self, response: Any) -> None:
        if response.request.method == "POST" and response.url.endswith("/api/sessions") and response.status == 201:
            self.session = response.headers["location"]
