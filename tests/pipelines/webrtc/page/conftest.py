"""One server with the real network and one browser for all tests of the page; both end with the folder's last test.

The browser's event loop must not outlive this folder: asyncio.run refuses to work beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from pipelines.engine import open_relighter
from pipelines.webrtc.serve_settings import ServeSettings
from tests.pipelines.webrtc.page.browser import arguments, camera_clip, chromium, serving_here
from tests.pipelines.webrtc.page.visitor import Visitor


@pytest.fixture(scope="package")
def page_url() -> Iterator[str]:
    """The URL of a running server."""
    with serving_here(partial(open_relighter, ServeSettings()), sessions=4) as url:
        yield url


@pytest.fixture(scope="package")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo clip as a camera, 480 x 270, 10 pictures a second."""
    return camera_clip(tmp_path_factory.mktemp("camera") / "clip.y4m", 480, 270, 10, 2)


@pytest.fixture(scope="package")
def browser(clip: Any) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here; apt-get install chromium, or set CHROMIUM to its path")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=arguments(clip), timeout=300_000)
        yield running
        running.close()


@pytest.fixture
def visitor(browser: Any, page_url: str) -> Iterator[Visitor]:
    """Somebody who has just opened the page; at the end they must have met no fault."""
    one = Visitor(browser, page_url)
    yield one
    one.leave()
    assert one.faults == []


@pytest.fixture(scope="module")
def live(browser: Any, page_url: str) -> Iterator[Visitor]:
    """Somebody whose relit picture runs, shared by a file's tests; at the end they must have met no fault."""
    one = Visitor(browser, page_url)
    one.start()
    yield one
    one.leave()
    assert one.faults == []
