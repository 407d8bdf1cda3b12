"""Who is in front of the camera: one person, at times with others beside or behind them."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from training.light_stage.balance import Wish
from training.light_stage.body import BODY, body
from training.light_stage.camera import Aim, Camera, frame_head
from training.light_stage.part import Part
from training.light_stage.person import Person, sample_person

SHARES = (0.84, 0.13, 0.03)  # of one, two and three people


def head_centre(vertices: np.ndarray) -> np.ndarray:
    """(3,) middle of the face of a skin's vertices (13380, 3): its top 23 cm, moved forwards of the neck."""
    head = vertices[body().template[BODY, 1] > 0.6]  # no hand that is held up above it
    top = head[head[:, 1] > head[:, 1].max() - 0.23]
    return np.array([top[:, 0].mean(), head[:, 1].max() - 0.115, top[:, 2].mean() + 0.05])


@dataclass(frozen=True)
class Place:
    """Where somebody stands, seen from the first person: metres (3,) from head to head, and turn about y in radians."""

    offset: np.ndarray
    turn: float


@dataclass
class Cast:
    """People and their places; the first one's is the origin."""

    people: list[Person]
    places: list[Place]

    @property
    def lead(self) -> Person:
        """The person the camera is meant for."""
        return self.people[0]

    @property
    def parts(self) -> list[Part]:
        """All parts of all people, person after person."""
        return [part for person in self.people for part in person.parts]

    def vertices(self, times_s: np.ndarray) -> tuple[list[list[np.ndarray]], np.ndarray]:
        """(for each time the posed vertices (n, 3) of each part, in the first person's body frame; the heads'
        centres (people, 3) at the first time)."""
        frames: list[list[np.ndarray]] = [[] for _ in times_s]
        heads: list[np.ndarray] = []
        for person, place in zip(self.people, self.places, strict=True):
            posed = [person.vertices(person.state(person.performance.start_s + t)) for t in times_s]
            head = head_centre(posed[0][0])
            turn = Rotation.from_rotvec([0, place.turn, 0]).as_matrix()
            heads.append(heads[0] + place.offset if heads else head)
            for frame, meshes in zip(frames, posed, strict=True):
                frame += [((mesh - head) @ turn.T + heads[-1]).astype(np.float32) for mesh in meshes]
        return frames, np.stack(heads)

    def meet(self, aim: Aim) -> None:
        """Tell everybody where the camera is, for their eyes to find it."""
        for person, place in zip(self.people, self.places, strict=True):
            seen = aim.place() - place.offset
            seen = Rotation.from_rotvec([0, -place.turn, 0]).apply(seen)
            person.performance.camera = np.arctan2(seen[:2], np.hypot(seen[2], [0.0, seen[0]]))

    def framed(
        self, rng: np.random.Generator, heads: np.ndarray, size: tuple[int, int], aim: Aim, close: bool = False
    ) -> Camera:
        """A random webcam on the first head, or turned and drawn back towards the middle of several."""
        share = float(rng.uniform(0.3, 1.0)) if len(heads) > 1 else 0.0
        camera = frame_head(rng, heads[0] + share * (heads.mean(0) - heads[0]) * [1, 1, 0], size, aim, close)
        wider = 1 / (1 + share * 0.5 * np.ptp(heads[:, 0]))
        return Camera(camera.centre, camera.rotation, camera.focal * wider, camera.principal, size)

    def about(self) -> dict[str, object]:
        """What is known of the first person, and how many there are."""
        return self.lead.about | {"people": len(self.people)}


def _place(rng: np.random.Generator, side: int) -> Place:
    """A place beside the first person (as at one desk), or behind their shoulder."""
    if rng.random() < 0.65:
        offset = np.array([side * rng.uniform(0.46, 0.68), rng.normal(0, 0.05), rng.uniform(-0.3, 0.04)])
    else:
        offset = np.array([side * rng.uniform(0.2, 0.75), rng.normal(0.14, 0.1), rng.uniform(-1.5, -0.5)])
    return Place(offset, float(-side * rng.uniform(0.0, 0.45)))


def sample_cast(
    rng: np.random.Generator, skins: list[str], texels: int, shares: tuple[float, ...] = SHARES,
    wish: Wish | None = None,
) -> Cast:  # fmt: skip
    """One to three random people who wear some of `skins`; the first one is drawn first, and as wished."""
    people = [sample_person(rng, skins, texels, wish=wish)]
    places = [Place(np.zeros(3), 0.0)]
    sides = rng.permutation([-1, 1])
    for i in range(int(rng.choice(len(shares), p=shares))):
        people.append(sample_person(rng, skins, min(texels, 1024)))
        places.append(_place(rng, int(sides[i])))
    return Cast(people, places)
