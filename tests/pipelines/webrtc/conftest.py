"""One server for all tests of the page, and a browser for each file: its event loop must not outlive that file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipelines.webrtc.browser import arguments, camera_clip, chromium, serving
from tests.pipelines.webrtc.visitor import Visitor

SESSIONS = 2


@pytest.fixture(scope="session")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running ``livelight serve`` that takes SESSIONS visitors."""
    if chromium() is None:
        pytest.skip("no Chromium here; apt-get install chromium, or set CHROMIUM to its path")
    with serving("--sessions", str(SESSIONS), config=tmp_path_factory.mktemp("serve")) as url:
        yield url


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo clip as a camera, 480 x 270, 10 pictures a second."""
    return camera_clip(tmp_path_factory.mktemp("camera") / "clip.y4m", 480, 270, 10, 2)


@pytest.fixture(scope="module")
def browser(clip: Any) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here; apt-get install chromium, or set CHROMIUM to its path")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=arguments(clip))
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
