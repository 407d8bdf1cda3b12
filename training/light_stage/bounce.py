"""Light that one surface throws on another, between vertices: skin, cloth, and both sides of hair's cards."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from training.light_stage.occlusion import CARD_OFFSET_M, OFFSET_M
from training.light_stage.scene import Scene

BOUNCE_RAYS = 24
MOST_CARDS = 12  # that a bounced ray passes


def _around(normal: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(m, rays, 3) float32 directions about normals (m, 3), as likely as their cosine.

    draws: (2, m, rays, 1) in [0, 1).
    """
    u, p = draws[0], 2 * np.pi * draws[1]
    helper = np.where(np.abs(normal[:, :1]) > 0.5, [[0.0, 1, 0]], [[1.0, 0, 0]])
    tangent = np.cross(normal, helper)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    bitangent = np.cross(normal, tangent)
    along = np.sqrt(u) * (np.cos(p) * tangent[:, None] + np.sin(p) * bitangent[:, None])
    return (along + np.sqrt(1 - u) * normal[:, None]).astype(np.float32)


def _first_met(scene: Scene, origin: np.ndarray, along: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(n,) nearest vertex of what each ray meets, or -1.

    A card stops a ray if its opacity is above draws (n, MOST_CARDS).
    """
    faces, topology = scene.topology.faces, scene.topology
    hit = scene.solid.run(origin, along, output=True)
    met = np.full(len(origin), -1)
    limit = np.where(hit["primID"] >= 0, hit["tfar"], np.inf)

    def note(rays: np.ndarray, face: np.ndarray, u: np.ndarray, v: np.ndarray) -> None:
        corner = np.argmax(np.stack([1 - u - v, u, v], axis=1), axis=1)
        met[rays] = faces[face, corner]

    found = np.flatnonzero(hit["primID"] >= 0)
    note(found, topology.solid_faces[hit["primID"][found]], hit["u"][found], hit["v"][found])
    active, travelled = np.arange(len(origin)), np.zeros(len(origin), np.float32)
    for card in range(MOST_CARDS if scene.layered is not None else 0):
        start = (origin[active] + along[active] * travelled[active, None]).astype(np.float32)
        hit = scene.layered.run(start, along[active], output=True)
        reached = (hit["primID"] >= 0) & (travelled[active] + hit["tfar"] < limit[active])
        active, prim, u, v = (x[reached] for x in (active, hit["primID"], hit["u"], hit["v"]))
        travelled[active] += hit["tfar"][reached] + 1e-4
        stopped = draws[active, card] < topology.layered_alpha[prim]
        note(active[stopped], topology.layered_faces[prim[stopped]], u[stopped], v[stopped])
        active = active[~stopped]
        if len(active) == 0:
            break
    return met


@dataclass
class Sides:
    """Vertices and the sides of them that light falls on: all fronts first, then the backs of cards.

    vertex (s,) and sign (s,); back (V,): place of a vertex's back among the sides, -1 where it has none: inside of
    bodies and clothes it is dark.
    """

    vertex: np.ndarray
    sign: np.ndarray
    back: np.ndarray

    @staticmethod
    def of(scene: Scene, vertices: np.ndarray, row: np.ndarray) -> "Sides":
        """The sides of the given vertices."""
        layered = np.array([p.layered for p in scene.topology.parts])[scene.topology.vertex_part[vertices]]
        cards = vertices[layered]
        back = np.full_like(row, -1)
        back[cards] = len(vertices) + np.arange(len(cards))
        sign = np.concatenate([np.ones(len(vertices)), -np.ones(len(cards))]).astype(np.float32)
        return Sides(np.concatenate([vertices, cards]), sign, back)


def bounce(scene: Scene, sides: Sides, row: np.ndarray, rng: np.random.Generator):
    """Light reflected once: (sparse matrices (s, s + u), one per colour, unseen vertices (u,)).

    Each matrix gives the irradiance on the s sides from that on them and on the fronts of the unseen vertices, which
    rays met but row (V,), the rows of the sides' vertices, does not hold.
    """
    count = len(sides.vertex)
    position, normal = scene.vertices[sides.vertex], scene.normals[sides.vertex] * sides.sign[:, None]
    # drawn for all vertices, so that a vertex has the same rays in every frame of a clip
    draws = rng.random((2, len(scene.vertices), BOUNCE_RAYS, 1), np.float32)[:, sides.vertex]
    along = _around(normal, draws).reshape(-1, 3)
    layered = np.array([p.layered for p in scene.topology.parts])[scene.topology.vertex_part[sides.vertex]]
    lift = normal * np.where(layered, CARD_OFFSET_M, OFFSET_M)[:, None]
    origin = np.repeat(position + lift, BOUNCE_RAYS, axis=0).astype(np.float32)
    target = _first_met(scene, origin, along, rng.random((len(origin), MOST_CARDS), np.float32))
    behind = (scene.normals[target] * along).sum(1) > 0
    unseen = np.unique(target[(target >= 0) & (row[target] < 0) & ~behind])
    front = row.copy()
    front[unseen] = count + np.arange(len(unseen))
    column = np.where(target >= 0, np.where(behind, sides.back[target], front[target]), -1)
    source = np.flatnonzero(column >= 0)
    target, column = target[source], column[source]
    albedo = scene.topology.vertex_albedo[target] / BOUNCE_RAYS
    place = (source // BOUNCE_RAYS, column)
    shape = (count, count + len(unseen))
    return [sparse.coo_matrix((albedo[:, c], place), shape).tocsr() for c in range(3)], unseen
