"""Shading of one frame's records under hard lights, and the per-pixel buffers that a clip stores."""

import numpy as np

from training.light_stage.camera import Camera
from training.light_stage.coat import coat_lobe, ggx, length_of, power_of, roughness_of, shadowed
from training.light_stage.directions import BASIS, form_vectors, latlong
from training.light_stage.gbuffer import Records
from training.light_stage.hair import TILT, mirrored
from training.light_stage.materials import HAIR
from training.light_stage.occlusion import lifts
from training.light_stage.scene import Scene
from training.light_stage.transport import VertexLight

HARD_SPOTS = (2, 5)  # samples of each record whose shadow is traced, of the SPOTS it remembers


def view_directions(records: Records) -> np.ndarray:
    """(n, 3) unit directions from each record to the camera."""
    return -records.point / np.linalg.norm(records.point, axis=1, keepdims=True)


def glossy_normal(records: Records) -> np.ndarray:
    """Normals that highlights see: bumped, but hairs mirror as cylinders.

    A hair's is the surface's, made square to the hair with its tilt: the mirrored cone's middle.
    """
    normal = records.normal.copy()
    hairs = np.flatnonzero(np.any(records.strand, axis=1))
    run, bent = records.strand[hairs], records.smooth[hairs]
    run = run + (TILT + records.tilt[hairs])[:, None] * bent
    run /= np.linalg.norm(run, axis=1, keepdims=True)
    square = bent - (bent * run).sum(1, keepdims=True) * run
    square /= np.maximum(np.linalg.norm(square, axis=1, keepdims=True), 1e-3)
    normal[hairs] = square
    return normal


def reflection(records: Records) -> np.ndarray:
    """(n, 3) float32 unit mirror directions."""
    view, normal = view_directions(records), glossy_normal(records)
    r = 2 * (view * normal).sum(1, keepdims=True) * normal - view
    return (r / np.linalg.norm(r, axis=1, keepdims=True)).astype(np.float32)


def lobes(records: Records) -> tuple[np.ndarray, np.ndarray]:
    """(share of an even environment that each record mirrors (n,), mean direction of that light (n, 3)), unshadowed."""
    view, normal = view_directions(records), glossy_normal(records)
    amount, mean = coat_lobe(normal, view, records.f0, records.roughness)
    # a card stands for many round hairs: no grazing sheen, and half its cone is inside the head
    hair = np.flatnonzero(records.label == HAIR)
    amount[hair] = 0.6 * records.f0[hair]
    mean[hair] = reflection(records)[hair] * length_of(power_of(records.roughness[hair]))[:, None]
    return amount, mean


def mirrors(records: Records, seen: np.ndarray, main: np.ndarray):
    """(gloss (n,) of records; mirror directions (p, 3) and roughness (p,) of pixels), as a clip keeps them.

    seen (n, 256): share of each basis light; main (p,): the heaviest record of each pixel. A pixel mirrors as that of
    its records that shines most does, or as the heaviest, where none shines.
    """
    amount, mean = lobes(records)
    share, mean = shadowed(mean, glossy_normal(records), seen)
    gloss = amount * share
    order = np.lexsort((-gloss * records.weight, records.pixel))
    pixel = records.pixel[order]
    best = order[np.concatenate([[True], pixel[1:] != pixel[:-1]])]
    best = np.where(gloss[best] > 0, best, main)
    length = np.linalg.norm(mean[best], axis=1)
    return gloss, mean[best] / np.maximum(length, 1e-6)[:, None], roughness_of(length)


def hard_light(
    scene: Scene,
    records: Records,
    light: VertexLight,
    toward: np.ndarray,
    radius_deg: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """(n, 3) float32 radiance of the records under one far small disk, per unit irradiance facing it.

    Shadow rays go to random points of the disk; skin and cards take part of their light softened; what other surfaces
    throw back is that of the basis light it lies in.
    """
    n = len(records.pixel)
    parts = scene.topology.parts
    layered = np.array([p.layered for p in parts])[records.part]
    cosine = (records.normal * toward).sum(1)
    smooth = (records.smooth * toward).sum(1)
    lit = np.flatnonzero((smooth > -0.3) | layered)
    shadow = np.zeros(n, np.float32)
    away, ahead = lifts(scene, records)
    for spot in HARD_SPOTS:
        along = toward + rng.normal(0, np.radians(radius_deg) / 1.5, (len(lit), 3))
        along = (along / np.linalg.norm(along, axis=1, keepdims=True)).astype(np.float32)
        shadow[lit] += scene.transmittance(records.spots[lit, spot] + away[lit] + along * ahead[lit], along)
    shadow /= len(HARD_SPOTS)
    u, v = latlong(toward)
    index = int(v * BASIS) * BASIS + int(u * BASIS)
    seen = light.visibility[:, index][light.row[records.triangle]]
    softened = (seen * records.bary).sum(1)
    share = np.float32([p.material.soft for p in parts])[records.part]
    below = np.clip((smooth + 0.3) / 1.3, 0, 1) * softened
    below = np.where(layered, 0.35 * shadow, below)[:, None] * share
    below += _bounced(records, light, index)
    diffuse = records.albedo / np.pi * ((1 - share) * (np.maximum(cosine, 0) * shadow)[:, None] + below)
    hairs = np.flatnonzero(np.any(records.strand, axis=1))
    toward_all = np.broadcast_to(toward.astype(np.float32), (n, 3))
    shine = ggx(glossy_normal(records), view_directions(records), toward_all, records.f0, records.roughness)
    shine = np.repeat(shine[:, None], 3, axis=1)
    shine[hairs] = _hairs_mirror(records, hairs, toward_all, smooth)
    return (diffuse + shine * shadow[:, None]).astype(np.float32)


def _bounced(records: Records, light: VertexLight, index: int) -> np.ndarray:
    """(n, 3) light from other surfaces under a basis light, per unit irradiance facing it."""
    bounced = (light.bounced[:, :, index][light.row[records.triangle]] * records.bary[..., None]).sum(1)
    return bounced / np.linalg.norm(form_vectors()[index])


def _hairs_mirror(records: Records, hairs: np.ndarray, toward: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """(h, 3) what the records `hairs` (h,) mirror of a light; hair on the far side is in shade."""
    view, albedo = view_directions(records)[hairs], np.maximum(records.albedo[hairs], 0)
    shine = mirrored(records.strand[hairs], records.tilt[hairs], view, toward[hairs], albedo)
    return shine * np.clip((facing[hairs] + 0.2) / 0.6, 0, 1)[:, None] * (records.f0[hairs] / 0.03)[:, None]


def flow(scene: Scene, records: Records, camera: Camera, other: Scene, other_camera: Camera) -> np.ndarray:
    """(n, 2) float32 motion in pixels (x right, y down) of each record's surface point into another frame."""
    here = np.einsum("nk,nki->ni", records.bary, scene.vertices[records.triangle])
    there = np.einsum("nk,nki->ni", records.bary, other.vertices[records.triangle])
    return (other_camera.project(there) - camera.project(here)).astype(np.float32)
