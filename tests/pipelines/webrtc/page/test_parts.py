"""The page's other parts: uploads, saved looks, and what happens when the server is full or goes away."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import cv2
import numpy as np
import pytest

from pipelines.webrtc import peer
from tests.pipelines.webrtc.offers import OFFER
from tests.pipelines.webrtc.page.browser import serving_here
from tests.pipelines.webrtc.page.visitor import WAIT_S, Visitor
from tests.pipelines.webrtc.served import SDP

UPLOAD = "#env-upload input"


def lit_from_the_right(folder: Path) -> Path:
    """A panorama with one lamp at the picture's right."""
    image = np.full((32, 64, 3), 0.05, np.float32)
    image[12:18, 48:54] = 60.0
    path = folder / "my lamp.hdr"
    cv2.imwrite(str(path), image)
    return path


def test_an_uploaded_panorama_lights_the_person_until_it_is_deleted(live: Visitor, tmp_path: Path) -> None:
    live.choose("split")
    live.until(lambda: live.balance() > 0.1)
    live.page.set_input_files(UPLOAD, lit_from_the_right(tmp_path))
    live.until(lambda: live.settings()["env"].startswith("upload"))
    live.until(lambda: live.balance() < 0)
    card = live.page.locator('.card:has-text("My lamp")')
    assert card.locator("input").is_checked()
    live.until(lambda: card.locator("img").last.evaluate("image => image.naturalWidth") == 256)
    live.page.click('[aria-label="Delete My lamp"]')
    live.until(lambda: live.settings()["env"] == "softbox-left")
    assert card.count() == 0
    assert all(env["kind"] == "preset" for env in live.context.request.get(urljoin(live.url, "/api/envs")).json())


def test_an_upload_that_cannot_be_used_is_refused_in_words(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "broken.hdr").write_bytes(b"#?RADIANCE\nno picture")
    (tmp_path / "notes.txt").write_text("nothing")
    error = visitor.page.locator("#env-upload .error")
    visitor.page.set_input_files(UPLOAD, tmp_path / "notes.txt")
    visitor.until(lambda: "expected one of .hdr" in error.inner_text())
    visitor.page.set_input_files(UPLOAD, [tmp_path / "broken.hdr", tmp_path / "notes.txt"])
    visitor.until(lambda: "notes.txt: expected" in error.inner_text())
    assert error.inner_text().startswith("broken.hdr: ")  # an error of the file before is still to be read
    assert len(error.inner_text()) > 80
    assert visitor.page.is_hidden("#env-upload progress")
    assert any("422" in fault or "400" in fault for fault in visitor.faults)  # Chromium's word on the refusal
    visitor.faults.clear()


def test_an_uploaded_picture_stands_behind_the_person(live: Visitor, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((90, 160, 3), (200, 60, 20), np.uint8))
    live.page.click("#tab-look")
    live.page.set_input_files("#background-upload input", tmp_path / "wall.png")
    live.until(lambda: live.settings()["background"].startswith("upload"))
    live.until(lambda: np.abs(live.look()[:20, :20].mean((0, 1)) - np.array([20, 60, 200]) / 255).max() < 0.1)
    assert live.page.is_visible("#field-tone")
    assert live.page.is_visible("#field-brighten")
    live.page.click('[aria-label="Delete Wall"]')
    live.until(lambda: live.settings()["background"] == "keep")
    assert live.page.is_hidden("#field-tone")
    assert live.page.is_visible("#field-brighten")


def test_a_look_is_saved_taken_up_again_and_removed(live: Visitor) -> None:
    live.choose("rembrandt")
    live.change(rotate="40", exposure=-0.5)
    live.page.click("#tab-look")
    live.page.focus("#field-intensity")
    live.page.keyboard.press("ArrowLeft")
    live.until(lambda: live.settings()["intensity"] == 0.99)
    live.until(lambda: live.page.input_value("#field-exposure") == "-0.5")
    live.page.click("#tab-saved")
    live.page.fill("#preset-name", "Monday meeting")
    live.page.keyboard.press("Enter")
    live.page.wait_for_selector('#presets button:has-text("Monday meeting")')
    live.choose("split")
    live.change(rotate="0", exposure=0, intensity=1)
    live.page.keyboard.press("1")
    live.until(lambda: live.settings()["env"] == "rembrandt")
    settings = live.settings()
    assert (settings["rotate"], settings["exposure"], settings["intensity"]) == ("40", -0.5, 0.99)
    live.page.click("#tab-saved")
    live.page.click('[aria-label="Delete Monday meeting"]')
    live.page.wait_for_selector("#presets >> text=None yet")


def test_a_look_with_uploaded_pictures_is_shown_in_the_gallery(live: Visitor, tmp_path: Path) -> None:
    """The server keeps copies for the look, under ids of their own."""
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((90, 160, 3), (200, 60, 20), np.uint8))
    live.page.set_input_files(UPLOAD, lit_from_the_right(tmp_path))
    live.until(lambda: live.settings()["env"].startswith("upload"))
    live.page.click("#tab-look")
    live.page.set_input_files("#background-upload input", tmp_path / "wall.png")
    live.until(lambda: live.settings()["background"].startswith("upload"))
    live.page.click("#tab-saved")
    live.page.fill("#preset-name", "Evening")
    live.page.keyboard.press("Enter")
    live.page.wait_for_selector('#presets button:has-text("Evening")')
    live.choose("split")
    live.change(background="keep")
    live.page.click("#tab-saved")
    live.page.click('#presets button:has-text("Evening")')
    live.until(lambda: live.settings()["env"] not in ("split", ""))
    taken = live.settings()
    live.page.wait_for_selector(f'#gallery input[value="{taken["env"]}"]:checked', state="attached")
    live.page.wait_for_selector(f'#background-pictures input[value="{taken["background"]}"]:checked', state="attached")
    assert live.page.locator("#background-words input:checked").count() == 0
    live.choose("split")
    live.until(lambda: live.settings()["env"] == "split")


def test_a_lost_session_comes_back_by_itself_with_its_light(live: Visitor) -> None:
    live.choose("split")
    lost = live.session
    assert live.context.request.delete(urljoin(live.url, lost)).ok
    live.page.wait_for_selector('#state[data-state="busy"]')
    live.until(lambda: live.session != lost)
    live.page.wait_for_selector('#state[data-state="live"]')
    live.until(lambda: live.settings()["env"] == "split")
    live.until(lambda: live.balance() > 0.1)
    assert all(lost in fault for fault in live.faults)  # the page ended it too, and Chromium says that it was gone
    live.faults.clear()


def test_a_full_server_is_said_and_waited_for(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only place is held by a peer that never connects, until somebody ends its session."""
    monkeypatch.setattr(peer, "CONNECT_S", WAIT_S)
    with serving_here(sessions=1) as url:
        one = Visitor(browser, url)
        held = one.context.request.post(urljoin(url, "/api/sessions"), data=OFFER, headers=SDP)
        assert held.status == 201
        one.page.click("#start")
        one.page.wait_for_selector("#curtain-title:has-text('The server is full')")
        one.page.wait_for_selector("#curtain-text:has-text('Trying again in')")
        assert one.context.request.delete(urljoin(url, held.headers["location"])).ok
        one.page.wait_for_selector('#state[data-state="live"]')
        assert [fault for fault in one.faults if "503" not in fault] == []  # Chromium's word on the refusals
        one.leave()
