"""Settings that change in mid-stream."""

import threading

import cv2
import numpy as np
import pytest

from livelight.config import RelightSettings
from livelight.control import Control, LiveLighting
from livelight.errors import LightError, SettingsError
from livelight.light_source import open_light
from tests.clips import write_clip


def lit(control, problems=None, **more):
    return LiveLighting(control, (problems if problems is not None else []).append, **more)


def test_a_change_is_checked_as_a_whole():
    control = Control(RelightSettings())
    before = control.settings
    for fault in ({"intensity": 2}, {"intensity": 0.5, "nonsense": 1}, {"threads": 2}, {"rotate": "about"}):
        with pytest.raises(SettingsError):
            control.change(**fault)
    assert control.settings is before
    assert control.change(intensity=0.5, env="neon").intensity == 0.5
    assert control.settings.env == "neon"


@pytest.mark.parametrize(
    "fields",
    [
        *({"exposure": value} for value in (5000, -21, "nan", "inf", "1e999", float("nan"))),
        *({"rotate_period_s": value} for value in (1e-320, 0, "inf", "nan", 1e7)),
        *({name: "nan"} for name in ("pitch", "intensity", "blur", "tone", "brighten", "fov_deg")),
        {"rotate": "1e308..-1e308"},
    ],
)
def test_no_number_that_spoils_the_light_is_taken(fields):
    control = Control(RelightSettings())
    before = control.settings
    with pytest.raises(SettingsError, match=next(iter(fields))) as caught:
        control.change(**fields)
    assert "\n" not in str(caught.value)
    assert control.settings is before


@pytest.mark.parametrize(
    "fields",
    [
        {"exposure": 20.0},
        {"exposure": -20.0},
        {"rotate": "-1e6..1e6", "rotate_period_s": 0.1},
        {"rotate": "0..1e6", "rotate_period_s": 1e6},
    ],
)
def test_the_farthest_settings_still_give_light(fields):
    control = Control(RelightSettings(env="window-left", background="env", tone=1.0))
    light = lit(control)
    light.at(0.0, 64, 36)
    control.change(**fields)
    for time_s in (1.03, 86400.0):
        now = light.at(time_s, 64, 36)
        assert np.isfinite(now.code).all()
        assert now.code.max() > 0
        assert np.isfinite(now.tone_gain).all()


def test_a_turn_takes_effect_with_the_next_frame():
    control = Control(RelightSettings(env="window-left"))
    light = lit(control)
    before = light.at(0.0, 64, 36).code
    control.change(rotate="180")
    after = light.at(0.1, 64, 36).code
    turned = np.roll(before, 8, axis=1)  # exposed anew: what faces the card has changed
    assert np.allclose(after / after.mean(), turned / turned.mean(), atol=0.02 * before.max())


def test_the_old_light_stays_until_the_new_one_is_open():
    gate = threading.Event()

    def slow(env, fov_deg):
        if env == "neon":
            assert gate.wait(60)
        return open_light(env, fov_deg)

    control = Control(RelightSettings(env="window-left"))
    light = lit(control, open_env=slow)
    before = light.at(0.0, 64, 36).code
    control.change(env="neon")
    assert light.at(0.1, 64, 36).code is before
    gate.set()
    light.close()
    expected = lit(Control(RelightSettings(env="neon"))).at(0.0, 64, 36).code
    assert np.array_equal(light.at(0.2, 64, 36).code, expected)


def test_after_a_light_that_cannot_be_opened_the_other_changes_still_count(tmp_path):
    said: list[str] = []
    control = Control(RelightSettings(env="window-left"))
    light = LiveLighting(control, said.append)
    before = light.at(0.0, 64, 36).code
    control.change(env=str(tmp_path / "gone.hdr"))
    light.at(0.1, 64, 36)
    light.close()
    for stops in (1, 2):
        control.change(exposure=stops)
        light.at(0.2, 64, 36)
        light.close()
        assert light.at(0.3, 64, 36).code == pytest.approx(before * 2**stops)
    assert len(said) == 1
    control.change(env=str(tmp_path / "gone.hdr"))  # asked for again, it is tried again
    light.at(0.4, 64, 36)
    light.close()
    assert len(said) == 2
    control.change(env="neon")
    light.at(0.5, 64, 36)
    light.close()
    expected = lit(Control(RelightSettings(env="neon", exposure=2))).at(0.0, 64, 36).code
    assert np.array_equal(light.at(0.6, 64, 36).code, expected)


def test_it_may_be_closed_while_it_begins_to_open(monkeypatch):
    """A visitor who leaves closes it beside the session's thread."""
    control = Control(RelightSettings(env="window-left"))
    light, faults, real = lit(control), [], threading.Thread

    def close():
        try:
            light.close()
        except RuntimeError as exc:
            faults.append(exc)

    closer = real(target=close)

    class ClosedAtTheStart(real):
        def start(self):
            closer.start()
            closer.join(0.2)  # it has its chance; then it must wait for this one
            super().start()

    monkeypatch.setattr(threading, "Thread", ClosedAtTheStart)
    light.at(0.0, 64, 36)
    control.change(env="neon")
    light.at(0.1, 64, 36)
    closer.join(120)
    assert not faults
    assert not closer.is_alive()


def test_an_env_that_cannot_be_opened_is_reported_and_the_next_one_works():
    control, problems = Control(RelightSettings(env="window-left")), []
    light = lit(control, problems)
    before = light.at(0.0, 64, 36).code
    control.change(env="no-such-light")
    light.at(0.1, 64, 36)
    light.close()
    assert light.at(0.2, 64, 36).code is before
    assert len(problems) == 1
    assert "no-such-light" in problems[0]
    control.change(env="neon")
    light.at(0.3, 64, 36)
    light.close()
    assert light.at(0.4, 64, 36).code is not before


def test_an_env_that_breaks_the_opener_is_reported_too(caplog):
    def broken(env, fov_deg):
        if env == "neon":
            raise ZeroDivisionError("nobody foresaw it")
        return open_light(env, fov_deg)

    control, problems = Control(RelightSettings(env="window-left")), []
    light = lit(control, problems, open_env=broken)
    before = light.at(0.0, 64, 36).code
    control.change(env="neon")
    light.at(0.1, 64, 36)
    light.close()
    assert light.at(0.2, 64, 36).code is before
    (sentence,) = problems
    assert "the log says why" in sentence
    assert "nobody foresaw it" in caplog.text


def test_the_first_light_must_be_there():
    with pytest.raises(LightError):
        lit(Control(RelightSettings(env="no-such-light")))


def test_a_backdrop_changes_without_opening_the_light_again(tmp_path):
    cv2.imwrite(str(tmp_path / "red.png"), np.full((36, 64, 3), (0, 0, 250), np.uint8))
    opened = []

    def counted(env, fov_deg):
        opened.append(env)
        return open_light(env, fov_deg)

    control = Control(RelightSettings(env="neon"))
    light = lit(control, open_env=counted)
    control.change(background=str(tmp_path / "red.png"))
    light.at(0.0, 64, 36)
    light.close()
    assert light.at(0.1, 64, 36).backdrop[5, 5].tolist() == [250, 0, 0]
    assert opened == ["neon"]


@pytest.mark.parametrize("role", ["env", "background"])
def test_a_video_that_breaks_off_is_reported_once_and_its_light_stays(tmp_path, role):
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    clip = write_clip(tmp_path / "b.mkv", list(noise))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    control, problems = Control(RelightSettings(**{"background": "env", role: str(clip)})), []
    light = lit(control, problems)
    last = None
    for k in range(120):
        before, last = last, light.at(k / 30, 32, 18)
        if problems:
            break
    assert last is before
    assert light.at(5.0, 32, 18) is last
    assert light.at(5.1, 48, 36).backdrop.shape == (36, 48, 3)
    assert np.array_equal(light.at(5.2, 48, 36).code, last.code)
    assert len(problems) == 1
    assert "truncated" in problems[0]
    control.change(env="neon", background="keep")
    light.at(5.3, 48, 36)
    light.close()
    assert light.at(5.4, 48, 36).backdrop is None
    assert len(problems) == 1
