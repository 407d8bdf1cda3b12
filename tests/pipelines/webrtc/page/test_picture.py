"""The page's picture: there and back relit, the light where it was put, before and after."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pipelines.webrtc.page.visitor import FACE, Visitor


def test_the_camera_comes_back_relit_and_the_light_moves_to_the_right_side(live: Visitor) -> None:
    assert live.page.evaluate("[after.videoWidth, after.videoHeight]") == [480, 270]
    live.choose("split")
    live.until(lambda: live.balance() > 0.1)
    live.choose("window-right")
    live.until(lambda: live.balance() < -0.02)
    live.choose("split")
    live.until(lambda: live.balance() > 0.1)
    live.until(lambda: "fps" in live.page.inner_text("#figures") and "ms" in live.page.inner_text("#figures"))


def test_dragging_the_ball_and_the_panorama_turns_the_light(live: Visitor) -> None:
    live.choose("split")
    live.change(rotate="0", pitch=0)
    live.until(lambda: live.balance() > 0.3)
    drag(live, "#ball", 0.75, 0.0)
    live.until(lambda: -125 < float(live.settings()["rotate"]) < -85)  # a lamp before the camera: to the right
    live.until(lambda: live.balance() < 0.2)  # the room's own lamp, at the left, is never quite gone
    drag(live, "#strip", 0.3, 0.1)
    live.until(lambda: -15 < float(live.settings()["rotate"]) < 25)
    assert live.settings()["pitch"] == pytest.approx(-36, abs=3)
    assert "turned" in live.page.get_attribute("#strip", "aria-valuetext") or float(live.settings()["rotate"]) == 0
    live.page.click("#turn-reset")
    live.until(lambda: (live.settings()["rotate"], live.settings()["pitch"]) == ("0", 0))


def test_a_drag_sends_no_more_than_one_change_per_animation_frame(live: Visitor) -> None:
    live.page.evaluate("""() => {
      window.counted = {sent: 0, frames: 0};
      const send = RTCDataChannel.prototype.send;
      RTCDataChannel.prototype.send = function (text) {
        counted.sent += text.includes("change");
        send.call(this, text);
      };
      const step = () => { counted.frames += 1; requestAnimationFrame(step); };
      requestAnimationFrame(step);
      const ball = document.getElementById("ball");
      ball.setPointerCapture = () => {};
      const at = (type, x) =>
        ball.dispatchEvent(new PointerEvent(type, {clientX: x, clientY: 9, button: 0, pointerId: 1}));
      at("pointerdown", 0);
      for (let x = 0; x < 500; x++) at("pointermove", x / 10);
      at("pointerup", 50);
    }""")
    live.until(lambda: live.page.evaluate("counted.sent") > 0)
    counted = live.page.evaluate("counted")
    assert counted["sent"] <= counted["frames"] + 1 < 100
    live.until(lambda: float(live.settings()["rotate"]) < -40)


def test_turning_by_itself_moves_the_light_on(live: Visitor) -> None:
    live.page.click(".switch:has(#auto-turn)")
    live.until(lambda: ".." in live.settings()["rotate"])
    before = live.page.get_attribute("#strip", "aria-valuenow")
    live.until(lambda: live.page.get_attribute("#strip", "aria-valuenow") != before)
    live.page.click(".switch:has(#auto-turn)")
    live.until(lambda: ".." not in live.settings()["rotate"])
    live.page.click("#turn-reset")


def test_the_wipe_shows_the_camera_left_of_the_line_and_both_pictures_fit(live: Visitor) -> None:
    live.choose("neon")
    live.until(lambda: live.magenta() > 0.2)
    live.page.click("#wipe-toggle")
    live.until(lambda: live.page.evaluate("before.width") == 480)
    assert live.magenta("before") < 0.1
    assert live.page.is_visible("#corner-before")
    live.until(lambda: shift(live.look("before"), live.look()) == 0)
    frame = live.page.locator("#frame").bounding_box()
    live.page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + 60)
    live.page.mouse.down()
    live.page.mouse.move(frame["x"] + frame["width"] * 0.8, frame["y"] + 90, steps=4)
    live.page.mouse.up()
    assert live.page.get_attribute("#wipe", "aria-valuenow") == "80"
    assert float(live.page.evaluate("getComputedStyle(before).clipPath.match(/[0-9.]+(?=%)/)[0]")) == pytest.approx(20)
    live.page.keyboard.press("ArrowLeft")
    assert live.page.get_attribute("#wipe", "aria-valuenow") == "76"
    live.page.keyboard.press("w")
    assert live.page.is_hidden("#before")


def test_holding_b_shows_the_picture_as_it_came(live: Visitor) -> None:
    live.choose("neon")
    live.until(lambda: live.magenta() > 0.2)
    live.page.keyboard.down("b")
    live.until(lambda: live.magenta() < 0.1)
    assert live.page.get_attribute("#bypass", "aria-pressed") == "true"
    live.page.keyboard.up("b")
    live.until(lambda: live.magenta() > 0.2)


def test_a_slider_moved_by_keys_changes_the_picture_and_goes_back(live: Visitor) -> None:
    live.choose("neon")
    live.page.click("#tab-look")
    live.page.focus("#field-intensity")
    live.page.keyboard.press("Home")
    live.until(lambda: live.settings()["intensity"] == 0)
    live.until(lambda: live.magenta() < 0.1)
    live.page.click(".field:has(#field-intensity) .reset")
    live.until(lambda: live.settings()["intensity"] == 1)
    live.until(lambda: live.magenta() > 0.2)


def test_what_the_server_says_is_shown(live: Visitor) -> None:
    live.page.click("#tab-look")
    live.page.focus("#field-exposure")
    live.page.keyboard.press("ArrowRight")
    live.until(lambda: live.settings()["exposure"] == pytest.approx(0.05))
    live.change(pitch=33)
    live.page.keyboard.press("ArrowRight")  # the answer carries all settings
    live.until(lambda: live.page.input_value("#field-pitch") == "33")
    live.page.click(".switch:has(#keep-scale)")
    live.until(lambda: live.settings()["exposure"] == "keep")
    assert live.page.is_disabled("#field-exposure")
    live.page.click(".switch:has(#keep-scale)")
    live.until(lambda: live.settings()["exposure"] == 0)
    live.change(pitch=0)


def test_a_background_colour_stands_behind_the_person(live: Visitor) -> None:
    live.page.click("#tab-look")
    live.page.click('#background-words label:has-text("Colour")')
    live.page.click('#background-colours [data-colour="#00b140"]')
    live.until(lambda: np.abs(live.look()[:20, :20].mean((0, 1)) - (0, 0.69, 0.25)).max() < 0.12)
    assert live.look()[FACE].mean((0, 1))[1] < 0.65
    live.page.click('#background-words label:has-text("As it is")')
    live.until(lambda: live.settings()["background"] == "keep")


def drag(live: Visitor, element: str, right: float, down: float) -> None:
    """From the middle by so much of the element's own width."""
    live.page.click("#tab-light")
    live.page.locator(element).scroll_into_view_if_needed()
    box = live.page.locator(element).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    live.page.mouse.move(x, y)
    live.page.mouse.down()
    live.page.mouse.move(x + right * box["width"], y + down * box["width"], steps=6)
    live.page.mouse.up()


def shift(one: np.ndarray, other: np.ndarray) -> int:
    """By how many columns of 160 the outlines of two pictures fit best."""
    edges = [np.abs(np.diff(picture.mean(2), axis=1))[:, 20:-20] for picture in (one, other)]
    fits = {by: (np.roll(edges[0], by, axis=1) * edges[1]).mean() for by in range(-8, 9)}
    return max(fits, key=lambda by: fits[by])
