"""The page for everybody: keys, screen readers, small screens, refusals in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.webrtc.page.browser import serving_here
from tests.pipelines.webrtc.page.visitor import Visitor

TABS = ("light", "look", "saved", "output")
TOO_SMALL = """() => [...document.querySelectorAll("button, input:not([type=file]), select, [role=slider]")]
  .filter((part) => part.checkVisibility() && part.getBoundingClientRect().height < 24)
  .map((part) => part.outerHTML)"""
REFUSALS = {
    "NotAllowedError": "The camera is blocked",
    "NotFoundError": "No camera found",
    "NotReadableError": "The camera is busy",
    "AbortError": "The camera does not start",
}
FOCUS_UNSEEN = """() => {
  const at = document.activeElement;
  const drawn = (part) => part && getComputedStyle(part).outlineStyle !== "none";
  const own = at === document.body || at.type === "range";  // a slider's thumb is outlined, which no script can see
  return own || drawn(at) || drawn(at.closest("label")) || drawn(at.nextElementSibling) ? "" : at.outerHTML;
}"""


@pytest.mark.parametrize("width", [1440, 360])
def test_no_rule_of_accessibility_is_broken(browser: Any, page_url: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    one = Visitor(browser, page_url, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    one.page.wait_for_selector(".card")
    for tab in TABS:
        one.page.click(f"#tab-{tab}")
        broken = axe.run(one.page)
        assert broken.violations_count == 0, broken.generate_report()
    one.page.click("#help-open")
    broken = axe.run(one.page)
    assert broken.violations_count == 0, broken.generate_report()
    assert one.faults == []
    one.leave()


def test_the_keyboard_alone_reaches_and_works_everything(visitor: Visitor) -> None:
    page = visitor.page
    page.wait_for_selector(".card")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("n")
    visitor.until(lambda: page.is_checked('input[value="softbox-right"]'))  # the one after softbox-left
    page.keyboard.press("p")
    visitor.until(lambda: page.is_checked('input[value="softbox-left"]'))
    page.keyboard.press("ArrowRight")
    visitor.until(lambda: page.get_attribute("#ball", "aria-valuetext") == "turned 5 degrees left")
    page.keyboard.press("0")
    visitor.until(lambda: page.get_attribute("#ball", "aria-valuetext") == "straight")
    page.click("#mirror")
    page.keyboard.press("ArrowRight")  # a button with the focus needs no arrows; in a mirror right is left
    visitor.until(lambda: page.get_attribute("#ball", "aria-valuetext") == "turned 5 degrees right")
    page.click("#mirror")
    page.keyboard.press("0")
    page.focus("#strip")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    visitor.until(
        lambda: page.get_attribute("#strip", "aria-valuetext") == "turned 1 degrees right, tilted 5 degrees up"
    )
    page.focus("#tab-light")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#tab-look", "aria-selected") == "true"
    assert page.is_visible("#field-exposure")
    page.keyboard.press("+")
    visitor.until(lambda: page.input_value("#field-exposure") == "0.25")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.click(".switch:has(#keys-on)")
    page.keyboard.press("Escape")
    assert page.is_hidden("#help")
    page.keyboard.press("+")
    page.keyboard.press("m")
    page.wait_for_timeout(300)
    assert page.input_value("#field-exposure") == "0.25"
    assert page.get_attribute("#mirror", "aria-pressed") == "false"


def test_where_the_focus_is_can_be_seen(visitor: Visitor) -> None:
    visitor.page.wait_for_selector(".card")
    unseen = []
    for _ in range(16):
        visitor.page.keyboard.press("Tab")
        seen = visitor.page.evaluate(FOCUS_UNSEEN)
        unseen += [seen] if seen else []
    assert unseen == []


@pytest.mark.parametrize("width", [360, 820])
def test_a_small_screen_shows_all_without_scrolling_sideways(browser: Any, page_url: str, width: int) -> None:
    one = Visitor(browser, page_url, viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    one.page.wait_for_selector(".card")
    for tab in TABS:
        one.page.click(f"#tab-{tab}")
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width
        assert one.page.evaluate(TOO_SMALL) == []
    frame = one.page.locator("#frame").bounding_box()
    assert frame["x"] >= 0
    assert frame["x"] + frame["width"] <= width
    assert one.faults == []
    one.leave()


def test_a_camera_that_cannot_be_had_is_explained(visitor: Visitor) -> None:
    refusing = "async () => { throw new DOMException('It broke.', name); }"
    for name, words in REFUSALS.items():
        visitor.page.evaluate(f"name => {{ navigator.mediaDevices.getUserMedia = {refusing}; }}", name)
        visitor.page.click("#start")
        visitor.page.wait_for_selector(f"#curtain-title:has-text('{words}')")
        assert visitor.page.inner_text("#start") == "Try again"
        assert visitor.page.inner_text("#curtain-text")


def test_motion_is_left_out_for_those_who_ask(browser: Any, page_url: str) -> None:
    one = Visitor(browser, page_url, reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll("*")].map((part) => getComputedStyle(part)).filter((style) =>
      style.animationName !== "none" || !/^0s(, 0s)*$/.test(style.transitionDuration)).length"""
    assert one.page.evaluate(moving) == 0
    one.leave()


def test_a_server_with_a_token_lets_in_whoever_knows_it(browser: Any, tmp_path: Path) -> None:
    token = "a-token-for-this-test-only"
    (tmp_path / "token").write_text(token)
    with serving_here(token_file=tmp_path / "token") as url:
        one = Visitor(browser, url)
        one.page.fill("#gate-token", token)
        one.page.keyboard.press("Enter")
        one.page.wait_for_selector(".card")
        one.until(lambda: one.page.locator(".card img").first.evaluate("image => image.naturalWidth") > 0)
        one.start()
        assert [fault for fault in one.faults if "401" not in fault] == []
        one.leave()
        other = Visitor(browser, f"{url}#token={token}")
        other.page.wait_for_selector(".card")
        assert "token" not in other.page.evaluate("location.href")
        assert other.faults == []
        other.leave()
