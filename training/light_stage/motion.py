"""Smooth random motion of face units, head, gaze and camera: sums of slow sines, so any frame can be asked for."""

import numpy as np
from scipy.spatial.transform import Rotation

from training.light_stage.gesture import sample_gestures

FPS = 30.0
SIDE_RAD, UP_RAD, DOWN_RAD = 0.24, 0.16, 0.18
"""How far a whole face unit turns the eyes; their bones turn them further, without the lids."""
FARTHEST_RAD = np.array([0.6, 0.36])


def _gaze(rng: np.random.Generator, turned: float) -> tuple[bool, np.ndarray]:
    """(whether somebody looks where the camera is, radians (2,) to the right and up from there or from their nose).

    Into the camera, or at a screen below it, or where their head points; turned: how far that is from straight on.
    """
    kind = rng.random()
    if kind < 0.1 + min(0.5, turned):
        return False, rng.normal([0, -0.05], [0.16, 0.09])
    return True, rng.normal(*(([0, 0], [0.02, 0.02]) if kind > 0.4 else ([0, -0.14], [0.1, 0.06])))


def _eye_units(x: float, y: float) -> dict[str, float]:
    """Face units, not yet clipped, of eyes turned by x to the right and y up, radians."""
    right, left, up, down = max(0, x) / SIDE_RAD, max(0, -x) / SIDE_RAD, max(0, y) / UP_RAD, max(0, -y) / DOWN_RAD
    unit = {"eyeLookOutLeft": right, "eyeLookInRight": right, "eyeLookInLeft": left, "eyeLookOutRight": left}
    for side in ("Left", "Right"):
        unit |= {f"eyeLookUp{side}": up, f"eyeLookDown{side}": down}
    return unit


class Drift:
    """A smooth random function of time in [-1, 1], about `rate_hz` swings a second."""

    def __init__(self, rng: np.random.Generator, rate_hz: float) -> None:
        self.frequency = rate_hz * rng.uniform(0.4, 1.6, 4)
        self.phase = rng.uniform(0, 2 * np.pi, 4)
        self.weight = rng.dirichlet(np.ones(4))

    def __call__(self, t: float) -> float:
        return float((self.weight * np.sin(2 * np.pi * self.frequency * t + self.phase)).sum())


class Performance:
    """What one person does: talk, blink, smile, nod, sway. Times in seconds, angles in radians."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.talks = rng.random() < 0.6
        self.loud = rng.uniform(0.12, 0.42) if self.talks else 0.0
        self.smile = max(0.0, rng.normal(0.18, 0.28))
        self.mood = {
            "browInnerUp": max(0, rng.normal(0, 0.25)),
            "browDownLeft": max(0, rng.normal(-0.2, 0.18)),
            "eyeSquintLeft": max(0, rng.normal(0.05, 0.2)),
            "mouthFrownLeft": max(0, rng.normal(-0.2, 0.2)),
            "mouthPressLeft": max(0, rng.normal(-0.15, 0.2)),
            "cheekSquintLeft": max(0, rng.normal(0.0, 0.2)),
            "eyeWideLeft": max(0, rng.normal(-0.1, 0.2)),
        }
        self.drift = {name: Drift(rng, rate) for name, rate in (
            ("jaw", 3.2), ("funnel", 2.2), ("stretch", 1.8), ("lip", 2.7), ("brow", 0.6), ("smile", 0.3),
            ("yaw", 0.35), ("pitch", 0.5), ("roll", 0.3), ("lean", 0.2), ("sway", 0.22), ("gaze_x", 0.5),
            ("gaze_y", 0.4), ("shoulder", 0.2),
        )}  # fmt: skip
        spread = rng.choice([0.14, 0.32, 0.6], p=[0.42, 0.38, 0.2])
        nod = rng.choice([0.08, 0.17, 0.28], p=[0.4, 0.36, 0.24])
        self.facing = rng.normal([0.04, 0, 0], [nod, spread, 0.07])
        self.facing = np.clip(self.facing, [-0.38, -1.0, -0.3], [0.5, 1.0, 0.3])  # pitch (down), yaw, roll of the head
        self.torso = np.clip(rng.normal(0, [0.05, 0.35 * spread + 0.05, 0.03]), -0.35, 0.35)
        self.camera = np.zeros(2)  # where it is, seen from the body: to the right and up, radians
        self.meets, self.gaze = _gaze(rng, abs(self.facing[0]) + 0.4 * abs(self.facing[1]))
        self.lids = float(np.clip(rng.normal(0.14, 0.09), 0.0, 0.4))  # how low the upper lids hang
        self.arm_down = rng.uniform(0.62, 0.85, 2)
        self.elbow = rng.uniform(0.1, 0.8, 2)
        self.gestures = sample_gestures(rng)
        self.blink_s = np.cumsum(rng.uniform(1.5, 5.0, 12)) - rng.uniform(0, 3)
        self.start_s = rng.uniform(2, 20)

    def _blink(self, t: float) -> float:
        near = np.abs(self.blink_s + 2.0 - t).min()
        return float(np.clip(1.25 - near / 0.11, 0, 1))

    def expression(self, t: float) -> dict[str, float]:
        """Face units in [0, 1] at time t."""
        d = {k: f(t) for k, f in self.drift.items()}
        jaw = self.loud * max(0.0, 0.35 + 0.9 * d["jaw"])
        smile = float(np.clip(self.smile + 0.12 * d["smile"], 0, 0.9))
        unit = dict(self.mood)
        unit["browInnerUp"] += 0.2 * max(0, d["brow"])
        for name in ("browDown", "eyeSquint", "mouthFrown", "mouthPress", "cheekSquint", "eyeWide"):
            unit[name + "Right"] = unit[name + "Left"]
        unit |= {"jawOpen": jaw, "mouthFunnel": self.loud * max(0, d["funnel"]), "mouthSmileLeft": smile}
        unit |= {"mouthSmileRight": smile * 0.95, "mouthPucker": 0.7 * self.loud * max(0, -d["funnel"])}
        stretch = self.loud * max(0, d["stretch"])
        unit |= {"mouthStretchLeft": stretch, "mouthStretchRight": stretch}
        lower = 0.6 * self.loud * max(0, d["lip"]) + 0.25 * smile
        unit |= {"mouthLowerDownLeft": lower, "mouthLowerDownRight": lower}
        upper = 0.35 * smile + 0.3 * self.loud * max(0, -d["lip"])
        unit |= {"mouthUpperUpLeft": upper, "mouthUpperUpRight": upper}
        unit |= _eye_units(*self.look(t))
        blink = max(self._blink(t), self.lids)
        unit |= {"eyeBlinkLeft": blink, "eyeBlinkRight": blink}
        return {k: float(np.clip(v, 0, 1)) for k, v in unit.items()}

    def _head(self, t: float) -> np.ndarray:
        """(2, 3) pitch (down), yaw and roll of the head on the trunk, and of the trunk, at time t."""
        d = {k: f(t) for k, f in self.drift.items()}
        head = self.facing + np.array([0.09, 0.12, 0.05]) * [d["pitch"], d["yaw"], d["roll"]]
        return np.stack([head, self.torso + np.array([0.05, 0.04, 0.04]) * [d["lean"], d["shoulder"], d["sway"]]])

    def look(self, t: float) -> np.ndarray:
        """(2,) turn of the eyes in the head at time t, to the right and up: they stay on their goal while it nods."""
        out = self.gaze + 0.03 * np.array([self.drift["gaze_x"](t), self.drift["gaze_y"](t)])
        if self.meets:
            pitch, yaw, _ = self._head(t).sum(0)
            out += self.camera + np.array([-yaw, pitch])
        return np.clip(out, -FARTHEST_RAD, FARTHEST_RAD)

    def facing_seen(self, rotation: np.ndarray) -> np.ndarray:
        """(2,) pitch (down) and yaw of the head at the start, radians, in the frame of a camera turned by (3, 3)."""
        turns = self.rotation(self.start_s)
        head = Rotation.identity()
        for bone in ("spine04", "spine02", "neck02", "head"):
            head = head * Rotation.from_rotvec(turns[bone])
        x, y, z = rotation @ head.apply([0, 0, 1.0])
        return np.array([-np.arctan2(y, np.hypot(x, z)), np.arctan2(x, z)])

    def rotation(self, t: float) -> dict[str, np.ndarray]:
        """Rotation vectors of bones (x right, y up, z to the camera) at time t."""
        head, spine = self._head(t)
        turns = {"head": 0.55 * head, "neck02": 0.45 * head, "spine02": 0.5 * spine, "spine04": 0.5 * spine}
        x, y = self.look(t)
        ball = np.array([np.clip(y, -DOWN_RAD, UP_RAD) - y, x - np.clip(x, -SIDE_RAD, SIDE_RAD), 0.0])
        turns |= {"eye.L": ball, "eye.R": ball}
        for i, side in enumerate("LR"):
            sign = -1 if side == "L" else 1
            turns[f"upperarm01.{side}"] = np.array([0.0, 0.0, sign * self.arm_down[i]])
            turns[f"lowerarm01.{side}"] = np.array([-self.elbow[i], 0.0, 0.0])
        for gesture in self.gestures:
            turns |= gesture.rotation(t)
        return turns
