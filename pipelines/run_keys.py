"""Keys that change a running session; the same as in NVIDIA's relighting sample where that has one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from livelight.control import Control
from livelight.errors import LiveLightError
from livelight.live_commands import LiveCommands
from livelight.live_stats import LiveStats
from livelight.preset_store import PresetStore
from livelight.rotation import parsed_rotation

HELP = """\
  n p     next, previous environment     , .     turn by 1 degree (or the arrows)
  a       turn steadily, or stop         < >     turn by 10 degrees
  + -     half a stop brighter, darker   [ ]     less, more of the new light
  b       background: keep, blur, env    i       show the input
  space   pause (the camera goes off)    f       figures, once a second
  r z     start anew: state and turn     1 9     saved presets, from first to ninth
  ? h     these keys                     q       quit"""

BACKGROUNDS = ("keep", "blur", "env")

_ARROWS = {"\x1b[D": ",", "\x1b[C": ".", "\x1b[1;2D": "<", "\x1b[1;2C": ">"}


class LiveKeys:
    """What each key does. ``press`` from one thread; ``say`` shows a sentence.

    envs: names that n and p go through; the one in use comes first if it is not among them.
    """

    def __init__(
        self,
        control: Control,
        commands: LiveCommands,
        stats: LiveStats,
        say: Callable[[str], None],
        envs: list[str],
        presets: PresetStore | None = None,
    ) -> None:
        env = control.settings.env
        self._envs = envs if env in envs else [env, *envs]
        self._control, self._commands, self._stats, self._say = control, commands, stats, say
        self._presets = presets
        self.figures = False
        """Whether the figures are shown."""

    def press(self, key: str) -> None:
        """One key, or the sequence that a terminal sends for an arrow; unknown ones do nothing."""
        action = self._actions().get(_ARROWS.get(key, key))
        if action is None:
            return
        try:
            action()
        except LiveLightError as exc:
            self._say(str(exc))

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "n": lambda: self._next_env(1),
            "p": lambda: self._next_env(-1),
            ",": lambda: self._turn(-1),
            ".": lambda: self._turn(1),
            "<": lambda: self._turn(-10),
            ">": lambda: self._turn(10),
            "a": self._turn_steadily,
            "+": lambda: self._brighten(0.5),
            "=": lambda: self._brighten(0.5),
            "-": lambda: self._brighten(-0.5),
            "[": lambda: self._strengthen(-0.1),
            "]": lambda: self._strengthen(0.1),
            "b": self._next_background,
            "i": self._show_input,
            " ": self._pause,
            "f": self._figures,
            "r": self._reset,
            "z": self._reset,
            "?": lambda: self._say("Keys:\n" + HELP),
            "h": lambda: self._say("Keys:\n" + HELP),
            **{str(number): partial(self._take_preset, number) for number in range(1, 10)},
            "q": self._commands.stop,
            "\x04": self._commands.stop,
        }

    def _next_env(self, step: int) -> None:
        at = self._envs.index(self._control.settings.env) if self._control.settings.env in self._envs else -step
        env = self._envs[(at + step) % len(self._envs)]
        self._control.change(env=env)
        self._say(f"Environment: {env}")

    def _turn(self, degrees: float) -> None:
        angle = _half_turn(self._angle() + degrees)
        self._control.change(rotate=f"{angle:g}")
        self._say(f"Turned to {angle:g} degrees")

    def _angle(self) -> float:
        """Degrees at this moment, whole."""
        settings = self._control.settings
        return round(parsed_rotation(settings.rotate, None, settings.rotate_period_s).at(self._stats.light_s))

    def _turn_steadily(self) -> None:
        settings = self._control.settings
        angle = self._angle()
        if ".." in settings.rotate:
            self._control.change(rotate=f"{_half_turn(angle):g}")
            self._say(f"Stopped at {_half_turn(angle):g} degrees")
            return
        done = self._stats.light_s / settings.rotate_period_s % 1.0
        start = angle - 360 * done  # so that the movement begins where the light is
        self._control.change(rotate=f"{start:.2f}..{start + 360:.2f}")
        self._say(f"Turning, once in {settings.rotate_period_s:g} s")

    def _brighten(self, stops: float) -> None:
        now = self._control.settings.exposure
        exposure = min(max((0.0 if now == "keep" else float(now)) + stops, -6.0), 6.0)
        self._control.change(exposure=exposure)
        self._say(f"Exposure: {exposure:+g} stops")

    def _strengthen(self, step: float) -> None:
        intensity = round(min(max(self._control.settings.intensity + step, 0.0), 1.5), 2)
        self._control.change(intensity=intensity)
        self._say(f"Intensity: {intensity:g}")

    def _next_background(self) -> None:
        now = self._control.settings.background
        at = BACKGROUNDS.index(now) if now in BACKGROUNDS else -1
        background = BACKGROUNDS[(at + 1) % len(BACKGROUNDS)]
        self._control.change(background=background)
        self._say(f"Background: {background}")

    def _take_preset(self, number: int) -> None:
        names = self._presets.names() if self._presets is not None else []
        if number > len(names):
            self._say(f"There is no preset number {number}; save one with: livelight preset save NAME --env ...")
        elif self._presets is not None:
            self._control.change(**self._presets.load(names[number - 1]))
            self._say(f"Preset: {names[number - 1]}")

    def _show_input(self) -> None:
        self._commands.show_input(not self._commands.bypass)
        self._say("The input" if self._commands.bypass else "Relit")

    def _pause(self) -> None:
        self._commands.pause(not self._commands.paused)
        self._say("Paused; the camera is off" if self._commands.paused else "Going on")

    def _figures(self) -> None:
        self.figures = not self.figures

    def _reset(self) -> None:
        self._commands.reset()
        self._control.change(rotate="0")
        self._say("Started anew")


def _half_turn(degrees: float) -> float:
    """The same direction in [-180, 180)."""
    return (degrees + 180) % 360 - 180
