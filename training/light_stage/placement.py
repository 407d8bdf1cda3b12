"""How a part follows the body: it is the body's own skin, hangs on it, grows out of it, or sits on the head."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.light_stage.assets import Fit
from training.light_stage.body import BODY, BodyState, body
from training.light_stage.mesh import vertex_normals

# Base-mesh vertices that frame the head: crown, middle of the brow, bridge of the nose, both ears.
CROWN, BROW, BRIDGE, EAR_LEFT, EAR_RIGHT = 881, 5192, 134, 12012, 5413
HEAD_BONE_VERTEX = 881


class Placement(Protocol):
    """Gives a part's vertices for a state of the body."""

    def vertices(self, state: BodyState) -> np.ndarray:
        """(n, 3) float32 posed vertices, body frame, metres."""
        ...


@dataclass(frozen=True)
class OnBody:
    """The base mesh itself, or a range of it."""

    range: slice

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        return state.posed()[self.range]


@dataclass(frozen=True)
class Hung:
    """A MakeHuman garment (.mhclo)."""

    fit: Fit

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        return state.hang(self.fit)


@dataclass(frozen=True)
class Shell:
    """A copy of some skin vertices (n,), moved outwards by height_m: cloth that clings, a layer of short hair."""

    index: np.ndarray
    height_m: float | np.ndarray

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        posed = state.posed()
        model = body()
        skin = model.faces[(model.faces < BODY.stop).all(1)]
        normal = vertex_normals(posed, skin)[self.index]
        return (posed[self.index] + normal * np.broadcast_to(self.height_m, len(self.index))[:, None]).astype(
            np.float32
        )


@dataclass(frozen=True)
class OnHead:
    """A rigid thing on the head, its points (n, 3) given on Anny's template head, fitted by the head's landmarks."""

    points: np.ndarray

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        template, rest = body().template, state.rest
        ear = EAR_LEFT
        width = (rest[ear, 0] - rest[EAR_RIGHT, 0]) / (template[ear, 0] - template[EAR_RIGHT, 0])
        height = (rest[CROWN, 1] - rest[BRIDGE, 1]) / (template[CROWN, 1] - template[BRIDGE, 1])
        depth = (rest[BRIDGE, 2] - rest[ear, 2]) / (template[BRIDGE, 2] - template[ear, 2])
        local = (self.points - template[BRIDGE]) * np.float32([width, height, depth]) + rest[BRIDGE]
        turn = state.transform[HEAD_BONE_VERTEX]
        return (local @ turn[:, :3].T + turn[:, 3]).astype(np.float32)


@dataclass(frozen=True)
class Shifted:
    """Another placement's vertices, moved by offset_m (3,) or (n, 3) in the upright head's axes, turned with it."""

    base: Placement
    offset_m: np.ndarray

    def vertices(self, state: BodyState) -> np.ndarray:
        """See Placement."""
        turn = state.transform[HEAD_BONE_VERTEX][:, :3]
        return (self.base.vertices(state) + self.offset_m @ turn.T).astype(np.float32)
