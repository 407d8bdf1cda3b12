"""What each pixel sees: primary rays, alpha layers front to back, and shading records.

A record is one class of surface in one pixel (skin, hair, ...), with its share of the pixel; a pixel at the edge of
hair has two or three. Shading runs once a record instead of once a sample.
"""

from dataclasses import dataclass

import numpy as np

from training.light_stage.camera import Camera
from training.light_stage.materials import lookup
from training.light_stage.scene import EPSILON_M, Scene

SAMPLES = 3  # per pixel side
SPOTS = 8  # samples that a record remembers
MAX_LAYERS = 7


@dataclass
class Records:
    """n shading records, sorted by pixel.

    pixel (n,) flat index; weight (n,) in (0, 1], share of the pixel; triangle (n, 3) vertex indices and bary (n, 3);
    point, normal, smooth normal (n, 3) camera frame; albedo (n, 3) linear; label (n,) parsing class; part (n,);
    roughness and f0 (n,); strand (n, 3) direction of hairs (0 where there are none) and tilt (n,).
    spots (n, SPOTS, 3): points of some of the samples a record is the mean of, as often as they weigh: layers of hair
    have no common place to trace shadows from.
    """

    pixel: np.ndarray
    weight: np.ndarray
    triangle: np.ndarray
    bary: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    smooth: np.ndarray
    albedo: np.ndarray
    label: np.ndarray
    part: np.ndarray
    roughness: np.ndarray
    f0: np.ndarray
    strand: np.ndarray
    tilt: np.ndarray
    spots: np.ndarray


def _sample_pixels(camera: Camera, scene: Scene, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat pixel index and position (n, 2) of all samples inside the box of the projected people."""
    height, width = camera.size
    ahead = scene.vertices[:, 2] < -0.05
    xy = camera.project(scene.vertices[ahead])
    x0, y0 = np.clip(np.floor(xy.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(xy.max(0)).astype(int) + 1, 0, [width, height])
    px, py = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
    flat = (py * width + px).reshape(-1)
    grid = (np.arange(samples) + 0.5) / samples
    offset = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    position = np.stack([px, py], axis=-1).reshape(-1, 1, 2) + offset
    return np.repeat(flat, samples**2), position.reshape(-1, 2)


def _trace_layers(scene: Scene, rays: np.ndarray, limit: np.ndarray):
    """Alpha cards each ray meets before `limit`, front to back.

    Returns ([(ray index, face, u, v, distance, weight)], transmittance (n,)).
    """
    through = np.ones(len(rays), np.float32)
    layers = []
    if scene.layered is None:
        return layers, through
    topology = scene.topology
    active = np.arange(len(rays))
    travelled = np.zeros(len(rays), np.float32)
    for _ in range(MAX_LAYERS):
        if len(active) == 0:
            break
        hit = scene.layered.run(rays[active] * travelled[active, None], rays[active], output=True)
        found = hit["primID"] >= 0
        distance = travelled[active] + hit["tfar"]
        found &= distance < limit[active] + 2 * EPSILON_M
        active, distance = active[found], distance[found]
        face = topology.layered_faces[hit["primID"][found]]
        u, v = hit["u"][found], hit["v"][found]
        alpha = _alpha(scene, face, np.stack([1 - u - v, u, v], axis=1))
        weight = through[active] * alpha
        shown = weight > 0.004
        layers.append((active[shown], face[shown], u[shown], v[shown], distance[shown], weight[shown]))
        through[active] *= 1 - alpha
        travelled[active] = distance + 0.3 * EPSILON_M
        active = active[through[active] > 0.02]
    return layers, through


def _alpha(scene: Scene, face: np.ndarray, bary: np.ndarray) -> np.ndarray:
    """(n,) opacity at points on faces."""
    topology = scene.topology
    alpha = np.zeros(len(face), np.float32)
    uv = np.einsum("nk,nkj->nj", bary, topology.face_uv[face])
    part = topology.face_part[face]
    for i in np.unique(part):
        mine = part == i
        alpha[mine] = lookup(topology.parts[i].material.alpha, uv[mine])[:, 0]
    return alpha


def _looked_up(scene: Scene, face: np.ndarray, bary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(texture values (n, 4), roughness and f0 (n, 2)) at points on faces."""
    topology = scene.topology
    colour, gloss = np.zeros((len(face), 4), np.float32), np.zeros((len(face), 2), np.float32)
    uv = np.einsum("nk,nkj->nj", bary, topology.face_uv[face])
    part = topology.face_part[face]
    for i in np.unique(part):
        mine, material = part == i, topology.parts[i].material
        colour[mine], gloss[mine] = material.sample(uv[mine]), material.gloss(uv[mine])
    return colour, gloss


def _run(scene: Scene, triangle: np.ndarray, bary: np.ndarray) -> np.ndarray:
    """(n, 3) unit directions of hairs at points in triangles (n, 3) of vertices, from root to tip."""
    corner = scene.strands[triangle]
    corner = corner * np.where((corner * corner[:, :1]).sum(-1, keepdims=True) < 0, -1, 1)
    return _unit(np.einsum("nk,nki->ni", bary, corner))


def _detailed(scene: Scene, face: np.ndarray, bary: np.ndarray, smooth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(normals (n, 3) tilted by the height maps' slopes, direction (3) and tilt (1) of hairs (n, 4))."""
    topology = scene.topology
    normal, strand = smooth.copy(), np.zeros((len(face), 4), np.float32)
    part = topology.face_part[face]
    for i in np.unique(part):
        material = topology.parts[i].material
        if material.slopes is None:
            continue
        mine = np.flatnonzero(part == i)
        uv = np.einsum("nk,nkj->nj", bary[mine], topology.face_uv[face[mine]])
        tangent, bitangent = scene.uv_axes(face[mine])
        if material.strand is not None:
            strand[mine, :3] = _run(scene, topology.faces[face[mine]], bary[mine])
            strand[mine, 3] = lookup(material.strand, uv)[:, 2]
        slope = np.clip(material.slope(uv), -0.6, 0.6)
        normal[mine] -= slope[:, :1] * _unit(tangent) + slope[:, 1:] * _unit(bitangent)
    return _unit(normal), strand


def _unit(v: np.ndarray) -> np.ndarray:
    return (v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


def _merge(key: np.ndarray, weight: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """Group samples by key.

    Returns (first sample, summed weight, weighted mean of columns (n, c), SPOTS of its samples (n, SPOTS), as often as
    they weigh).
    """
    order = np.lexsort((-weight, key))
    key, weight, columns = key[order], weight[order], columns[order]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    total = np.add.reduceat(weight, start)
    mean = np.add.reduceat(columns * weight[:, None], start, axis=0) / np.maximum(total, 1e-9)[:, None]
    reached = np.cumsum(weight, dtype=np.float64)
    before = np.concatenate([[0.0], reached])[start]
    share = (np.arange(SPOTS) + 0.5) / SPOTS
    last = np.append(start[1:], len(key)) - 1
    spots = np.searchsorted(reached, before[:, None] + share * total[:, None])
    return order[start], total, mean, order[np.clip(spots, start[:, None], last[:, None])]


def trace(scene: Scene, camera: Camera, samples: int = SAMPLES) -> Records:
    """Shading records of one frame, from samples x samples rays a pixel; background pixels have none."""
    pixel, position = _sample_pixels(camera, scene, samples)
    rays = camera.rays(position)
    hit = scene.solid.run(np.zeros_like(rays), rays, output=True)
    solid = np.flatnonzero(hit["primID"] >= 0)
    limit = np.where(hit["primID"] >= 0, hit["tfar"], 1e6).astype(np.float32)
    layers, through = _trace_layers(scene, rays, limit)
    face = scene.topology.solid_faces[hit["primID"][solid]]
    kept = through[solid] > 0.01
    layers.append(tuple(x[kept] for x in (
        solid, face, hit["u"][solid], hit["v"][solid], hit["tfar"][solid], through[solid])))  # fmt: skip
    ray, face, u, v, distance, weight = (np.concatenate(x) for x in zip(*layers, strict=True))
    weight = weight / samples**2
    return _records(scene, pixel[ray], rays[ray], face, np.stack([1 - u - v, u, v], axis=1), distance, weight)


def facing(scene: Scene, face: np.ndarray, smooth: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """(n,) float32, -1 where a normal has to be turned over, as the surface is seen from behind, else 1.

    A card's normal (n, 3) always faces the viewer; a solid's if its triangle does: at an outline the interpolated
    normal may lean away from the viewer, and turned over it would see the light of the wrong side.
    """
    corner = scene.vertices[scene.topology.faces[face]]
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    layered = np.array([part.layered for part in scene.topology.parts])[scene.topology.face_part[face]]
    behind = np.where(layered, (smooth * rays).sum(1), (flat * rays).sum(1) * (flat * smooth).sum(1))
    return np.where(behind > 0, -1, 1).astype(np.float32)


def _records(scene, pixel, rays, face, bary, distance, weight) -> Records:
    topology = scene.topology
    part = topology.face_part[face]
    labels = np.array([p.material.label for p in topology.parts])
    colour, gloss = _looked_up(scene, face, bary)
    triangle = topology.faces[face]
    smooth = _unit(np.einsum("nk,nkj->nj", bary, scene.normals[triangle]))
    smooth *= facing(scene, face, smooth, rays)[:, None]
    normal, strand = _detailed(scene, face, bary, smooth)
    columns = np.concatenate([colour[:, :3], normal, smooth, rays * distance[:, None], gloss, strand], axis=1)
    first, total, mean, spots = _merge(pixel * len(topology.parts) + part, weight, columns)
    return Records(
        pixel[first], total.astype(np.float32), triangle[first], bary[first].astype(np.float32),
        mean[:, 9:12].astype(np.float32), _unit(mean[:, 3:6]), _unit(mean[:, 6:9]), mean[:, :3].astype(np.float32),
        labels[part[first]], part[first], mean[:, 12].astype(np.float32), mean[:, 13].astype(np.float32),
        np.where(np.any(mean[:, 14:17], axis=1)[:, None], _unit(mean[:, 14:17]), 0), mean[:, 17].astype(np.float32),
        columns[spots, 9:12].astype(np.float32),
    )  # fmt: skip
