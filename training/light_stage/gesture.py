"""Hands in the picture: arm postures by inverse kinematics on Anny's arm, and how they move while somebody talks."""

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

# Joints of the left arm at rest (metres, body frame): shoulder, elbow, wrist, and the roots of three fingers.
SHOULDER, ELBOW, WRIST = (np.array(p) for p in ([0.165, 0.427, 0.013], [0.334, 0.239, 0.019], [0.45, 0.121, 0.174]))
INDEX, MIDDLE, LITTLE = (np.array(p) for p in ([0.477, 0.081, 0.267], [0.493, 0.07, 0.25], [0.502, 0.054, 0.214]))
MIRROR = np.array([1.0, -1.0, -1.0])  # a rotation vector seen in the mirror x -> -x
ARM = ("upperarm01", "lowerarm01", "wrist")
FINGERS = tuple(f"finger{i}-{j}" for i in range(2, 6) for j in (1, 2, 3))

# Gestures of the left hand: mean of the wrist's place, its spread, where fingers point, where the palm looks, curl
# of the fingers (radians a joint), and how far the hand travels (metres).
GESTURES = {
    "wave": ((0.30, 0.62, 0.30), 0.05, (0.1, 1.0, 0.1), (-0.1, 0.0, 1.0), (-0.1, 0.2), 0.05),
    "explain": ((0.17, 0.38, 0.3), 0.06, (-0.4, 0.6, 0.6), (-0.6, 0.5, -0.3), (0.1, 0.5), 0.06),
    "show": ((0.27, 0.5, 0.32), 0.06, (0.2, 0.9, 0.3), (-0.5, 0.1, -0.8), (0.2, 0.7), 0.03),
    "muse": ((0.06, 0.515, 0.26), 0.015, (-0.35, 0.9, -0.2), (-0.4, 0.1, -1.0), (0.6, 1.0), 0.008),
}


def arm(turns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(elbow, wrist, direction of the fingers, direction the palm looks) of the left arm, turns (3, 3) of ARM."""
    upper, lower, hand = (Rotation.from_rotvec(t) for t in turns)
    elbow = SHOULDER + upper.apply(ELBOW - SHOULDER)
    lower = upper * lower
    wrist = elbow + lower.apply(WRIST - ELBOW)
    hand = lower * hand
    palm = np.cross(LITTLE - WRIST, INDEX - WRIST)  # at rest it looks at the body
    point = hand.apply((MIDDLE - WRIST) / np.linalg.norm(MIDDLE - WRIST))
    return elbow, wrist, point, hand.apply(palm / np.linalg.norm(palm))


def reach(wrist: np.ndarray, pointing: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """(3, 3) rotation vectors of ARM that bring the left wrist to a place (3,), its fingers and palm in directions."""
    pointing, palm = pointing / np.linalg.norm(pointing), palm / np.linalg.norm(palm)

    def residual(x: np.ndarray) -> np.ndarray:
        elbow, at, fingers, face = arm(x.reshape(3, 3))
        low = max(0.0, elbow[1] - 0.33) * 6  # elbows hang
        out = max(0.0, 0.2 - elbow[0]) * 6
        bend = x[6:] * 0.35
        return np.concatenate(
            [(at - wrist) * 20, (fingers - pointing) * 0.5, (face - palm) * 0.5, bend, x[:6] * 0.12, [low, out]]
        )

    start = np.array([0, 0, -0.5, -1.0, -0.4, 0, 0, 0, 0])
    return least_squares(residual, start, max_nfev=30).x.reshape(3, 3)


class Gesture:
    """One hand's posture, moving smoothly between two poses. name: a key of GESTURES; side: L or R."""

    def __init__(self, rng: np.random.Generator, name: str, side: str) -> None:
        place, spread, pointing, palm, curl, travel = GESTURES[name]
        self.side = side
        middle = np.array(place) + rng.normal(0, spread, 3) * [1, 1, 0.5]
        self.poses = [
            reach(middle + rng.normal(0, travel, 3), pointing + rng.normal(0, 0.15, 3), palm + rng.normal(0, 0.15, 3))
            for _ in range(2)
        ]
        self.curl = rng.uniform(*curl) + rng.normal(0, 0.12, len(FINGERS))
        self.beat_hz, self.phase = rng.uniform(0.5, 1.6), rng.uniform(0, 2 * np.pi)

    def rotation(self, t: float) -> dict[str, np.ndarray]:
        """Rotation vectors of the arm's and fingers' bones at time t in seconds."""
        mix = 0.5 + 0.5 * np.sin(2 * np.pi * self.beat_hz * t + self.phase)
        pose = self.poses[0] * (1 - mix) + self.poses[1] * mix
        turns = dict(zip(ARM, pose, strict=True))
        axis = (LITTLE - INDEX) / np.linalg.norm(LITTLE - INDEX)  # bends fingers towards the palm
        turns |= {bone: axis * bend for bone, bend in zip(FINGERS, self.curl + 0.1 * mix, strict=True)}
        sign = np.ones(3) if self.side == "L" else MIRROR
        return {f"{bone}.{self.side}": vector * sign for bone, vector in turns.items()}


def sample_gestures(rng: np.random.Generator, share: float = 0.16) -> list[Gesture]:
    """No hand in most people's pictures; one, or both, in `share` of them."""
    if rng.random() > share:
        return []
    name = str(rng.choice(list(GESTURES), p=[0.2, 0.35, 0.25, 0.2]))
    sides = ["L", "R"] if name == "explain" and rng.random() < 0.5 else [str(rng.choice(["L", "R"]))]
    return [Gesture(rng, name, side) for side in sides]
