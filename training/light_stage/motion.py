"""Smooth random motion of face units, head, gaze and camera: sums of slow sines, so any frame can be asked for."""

import numpy as np

from training.light_stage.gesture import sample_gestures

FPS = 30.0


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
        self.facing = rng.normal(0, [0.12, spread, 0.07])
        self.facing = np.clip(self.facing, [-0.5, -1.0, -0.3], [0.5, 1.0, 0.3])  # pitch, yaw, roll of the head
        self.torso = np.clip(rng.normal(0, [0.05, 0.35 * spread + 0.05, 0.03]), -0.35, 0.35)
        # most people look at the screen, whatever their head does; face units reach about half a radian
        follow = 1.3 * np.array([-self.facing[1] - self.torso[1], self.facing[0] + self.torso[0]])
        self.gaze = follow * (rng.random() < 0.75) + rng.normal(0, [0.1, 0.08])
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
        look_x, look_y = self.gaze + 0.12 * np.array([d["gaze_x"], d["gaze_y"]])
        unit |= {"eyeLookOutLeft": max(0, look_x), "eyeLookInRight": max(0, look_x)}
        unit |= {"eyeLookInLeft": max(0, -look_x), "eyeLookOutRight": max(0, -look_x)}
        unit |= {"eyeLookUpLeft": max(0, look_y), "eyeLookUpRight": max(0, look_y)}
        unit |= {"eyeLookDownLeft": max(0, -look_y), "eyeLookDownRight": max(0, -look_y)}
        blink = max(self._blink(t), self.lids)
        unit |= {"eyeBlinkLeft": blink, "eyeBlinkRight": blink}
        return {k: float(np.clip(v, 0, 1)) for k, v in unit.items()}

    def rotation(self, t: float) -> dict[str, np.ndarray]:
        """Rotation vectors of bones (x right, y up, z to the camera) at time t."""
        d = {k: f(t) for k, f in self.drift.items()}
        head = self.facing + np.array([0.09, 0.12, 0.05]) * [d["pitch"], d["yaw"], d["roll"]]
        spine = self.torso + np.array([0.05, 0.04, 0.04]) * [d["lean"], d["shoulder"], d["sway"]]
        turns = {"head": 0.55 * head, "neck02": 0.45 * head, "spine02": 0.5 * spine, "spine04": 0.5 * spine}
        for i, side in enumerate("LR"):
            sign = -1 if side == "L" else 1
            turns[f"upperarm01.{side}"] = np.array([0.0, 0.0, sign * self.arm_down[i]])
            turns[f"lowerarm01.{side}"] = np.array([-self.elbow[i], 0.0, 0.0])
        for gesture in self.gestures:
            turns |= gesture.rotation(t)
        return turns
