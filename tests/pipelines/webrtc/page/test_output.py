"""The pane for video calls: the server's camera goes into a virtual camera, here one that keeps what it is given."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest

from livelight.errors import DeviceError
from livelight.frame import Frame
from livelight.sinks.choice import NOTHING
from pipelines.webrtc import camera_api, camera_feed
from pipelines.webrtc.camera_feed import Device
from tests.pipelines.webrtc.page.browser import serving_here
from tests.pipelines.webrtc.page.visitor import Visitor

VIRTUAL = Device("virtual-9", "Test camera", NOTHING)


class KeptCamera:
    """A virtual camera (Sink) that counts."""

    def __init__(self) -> None:
        self.frames = 0
        self.size = (0, 0)
        self.closed = False

    def write(self, frame: Frame) -> None:
        self.frames, self.size = self.frames + 1, (frame.width, frame.height)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.close()


def test_the_virtual_camera_is_started_watched_changed_and_stopped(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual = KeptCamera()
    monkeypatch.setattr(camera_feed, "SIZE", (320, 180))
    for module in (camera_api, camera_feed):
        monkeypatch.setattr(module, "sinks", lambda: [VIRTUAL])
    monkeypatch.setattr(camera_feed, "open_sink", lambda *_: virtual)
    with serving_here() as url:
        one = Visitor(browser, url)
        page = one.page
        page.click("#tab-output")
        page.select_option("#output-camera", "pattern")
        assert page.inner_text("#output-sink option") == "Test camera"
        page.click("#output button:has-text('Start the virtual camera')")
        page.wait_for_selector("#output :text('choose Test camera as the camera')")
        one.until(lambda: virtual.frames > 5)
        assert virtual.size == (320, 180)
        page.wait_for_selector('#state[data-state="live"]')  # what goes out is on the stage by itself
        one.until(lambda: page.evaluate("[after.videoWidth, after.videoHeight]") == [320, 180])
        assert page.is_disabled("#wipe-toggle")
        page.click("#tab-light")
        page.click('.card:has(input[value="neon"])')
        state = urljoin(url, "/api/camera")
        one.until(lambda: one.context.request.get(state).json()["settings"]["env"] == "neon")
        page.click("#tab-output")
        page.click("#output button:has-text('Stop the virtual camera')")
        page.wait_for_selector("#output :text('Not running.')")
        assert virtual.closed
        page.wait_for_selector('#state[data-state="idle"]')
        ended = "/whep/camera/"  # the page ends its session too, and Chromium says that it was gone
        assert [fault for fault in one.faults if ended not in fault] == []
        one.leave()


def test_a_virtual_camera_that_cannot_be_opened_is_explained(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise DeviceError("Another program writes to this virtual camera; close it.")

    for module in (camera_api, camera_feed):
        monkeypatch.setattr(module, "sinks", lambda: [VIRTUAL])
    monkeypatch.setattr(camera_feed, "open_sink", refused)
    with serving_here() as url:
        one = Visitor(browser, url)
        one.page.click("#tab-output")
        one.page.select_option("#output-camera", "pattern")
        one.page.click("#output button:has-text('Start the virtual camera')")
        one.page.wait_for_selector("#output .error:has-text('Another program writes')")
        assert one.page.is_enabled("#output button:has-text('Start the virtual camera')")
        one.faults.clear()  # Chromium's word on the refusal
        one.leave()
