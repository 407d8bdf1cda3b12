"""Light transport: the response of every pixel to each of the 256 lights of the 16 x 16 basis.

Visibility, subsurface softening and bounces are smooth under lights this large, so they are computed at the mesh's
vertices and interpolated; where the vertices disagree, visibility is traced at each pixel (occlusion), and the cosine
is always taken there with its own bumped normal. Units: response is outgoing radiance per unit radiance of the light,
so a Lambertian facing n has albedo / pi * integral of cos over the light's cell.
"""

from dataclasses import dataclass

import numba
import numpy as np
from scipy import sparse

from training.light_stage.bounce import Sides, bounce
from training.light_stage.directions import LIGHTS, form_vectors, shadow_directions
from training.light_stage.gbuffer import Records
from training.light_stage.materials import EYES, MOUTH
from training.light_stage.occlusion import CARD_OFFSET_M, EYE_OFFSET_M, OFFSET_M, record_visibility, scattered, shares
from training.light_stage.scene import Scene


@dataclass
class VertexLight:
    """Per-vertex light of one frame, for the vertices that pixels need.

    row (V,) int32: vertex -> row, or -1; visibility (m, 256) float16-like float32 in [0, 1];
    soft (m, 3, 256): irradiance that reaches the vertex below the skin or by one bounce, per unit radiance, in sr.
    """

    row: np.ndarray
    visibility: np.ndarray
    soft: np.ndarray


def visibility(scene: Scene, vertices: np.ndarray) -> np.ndarray:
    """(m, 256) float32: share of each basis light that the vertices see."""
    directions, index, _ = shadow_directions()
    which_set, sets, weight = shares(2)
    position, normal = scene.vertices[vertices], scene.normals[vertices]
    layered = np.array([p.layered for p in scene.topology.parts])[scene.topology.vertex_part[vertices]]
    facing = normal @ directions.T
    # bumped normals may lean over the horizon of the smooth one; cards are lit from both sides
    wanted = (facing > -0.25) | layered[:, None]
    wanted &= scattered(vertices)[:, None] % sets == which_set
    which, light = np.nonzero(wanted)
    labels = np.array([p.material.label for p in scene.topology.parts])[scene.topology.vertex_part[vertices]]
    offset = np.where(layered, 0, np.where(labels == EYES, EYE_OFFSET_M, OFFSET_M))
    away = (normal * offset[:, None])[which]
    along = directions[light]
    away = away + along * np.where(layered, CARD_OFFSET_M, 1e-3)[which, None]
    seen = scene.transmittance((position[which] + away).astype(np.float32), along)
    flat = np.bincount(which * LIGHTS + index[light], seen * weight[light], len(vertices) * LIGHTS)
    return flat.reshape(-1, LIGHTS).astype(np.float32)


def _diffusion(scene: Scene, vertices: np.ndarray, row: np.ndarray, steps: int = 3) -> sparse.csr_matrix:
    """(m, m) averaging over mesh neighbours: how light spreads below skin (about 5 mm on the face mesh)."""
    faces = row[scene.topology.faces]
    faces = faces[(faces >= 0).all(1)]
    i = np.concatenate([faces[:, a] for a in (0, 1, 2, 1, 2, 0)])
    j = np.concatenate([faces[:, a] for a in (1, 2, 0, 0, 1, 2)])
    m = len(vertices)
    graph = sparse.coo_matrix((np.ones(len(i), np.float32), (i, j)), (m, m)).tocsr()
    graph.data[:] = 1
    graph = graph + sparse.identity(m, np.float32, format="csr")
    graph = sparse.diags(1 / np.asarray(graph.sum(1)).ravel()).astype(np.float32) @ graph
    out = graph
    for _ in range(steps - 1):
        out = out @ graph
    return out.tocsr()


def vertex_light(scene: Scene, vertices: np.ndarray, rng: np.random.Generator) -> VertexLight:
    """Visibility, softened light and first bounce at the given vertices (m,)."""
    row = np.full(len(scene.vertices), -1, np.int32)
    row[vertices] = np.arange(len(vertices), dtype=np.int32)
    seen = visibility(scene, vertices)
    # lips are thin and red: some light comes through them to teeth and tongue
    wet = [p.material.label == MOUTH and max(p.material.soft) > 0 for p in scene.topology.parts]
    through = np.float32(0.22) * np.float32(wet)
    through = through[scene.topology.vertex_part[vertices], None]
    seen = through + (1 - through) * seen
    cosine = np.maximum(scene.normals[vertices] @ form_vectors().T, 0)
    irradiance = seen * cosine
    sides = Sides.of(scene, vertices, row)
    backs = scene.normals[sides.vertex[len(vertices) :]] @ form_vectors().T
    on_sides = np.concatenate([irradiance, np.maximum(-backs, 0) * seen[row[sides.vertex[len(vertices) :]]]])
    spread = _diffusion(scene, vertices, row) @ irradiance
    part = scene.topology.vertex_part[vertices]
    share = np.float32([p.material.soft for p in scene.topology.parts])[part]
    # hair scatters forward: lit cards glow from both sides
    layered = np.array([p.layered for p in scene.topology.parts])[part]
    norm = np.linalg.norm(form_vectors(), axis=1)
    spread[layered] = 0.35 * (_diffusion(scene, vertices, row) @ (seen * norm))[layered]
    # two bounces: what comes back once lights other places once more
    soft = np.stack([share[:, c : c + 1] * spread + (b @ (on_sides + b @ on_sides))[: len(vertices)]
                     for c, b in enumerate(bounce(scene, sides, row, rng))], axis=1)  # fmt: skip
    return VertexLight(row, seen, soft.astype(np.float32))


def blend(a: VertexLight, b: VertexLight, mix: float) -> VertexLight:
    """Light between two key frames over the same vertices, mix in [0, 1]."""
    return VertexLight(a.row, a.visibility * (1 - mix) + b.visibility * mix, a.soft * (1 - mix) + b.soft * mix)


@numba.njit(fastmath=True, cache=True)
def _gather(slot, weight, rows, bary, normal, albedo, share, reflection, vectors, unit, seen, soft, out, glossy):
    """Accumulate records into pixels. out (pixels, 3, 256); glossy (records,): visibility along the reflection."""
    lights = vectors.shape[0]
    for i in range(slot.shape[0]):
        a, b, c = rows[i, 0], rows[i, 1], rows[i, 2]
        wa, wb, wc = bary[i, 0], bary[i, 1], bary[i, 2]
        p = slot[i]
        g0 = weight[i] * albedo[i, 0]
        g1 = weight[i] * albedo[i, 1]
        g2 = weight[i] * albedo[i, 2]
        h0, h1, h2 = 1 - share[i, 0], 1 - share[i, 1], 1 - share[i, 2]
        top = 0.0
        below = 1e-6
        for k in range(lights):
            v = seen[i, k]
            e = normal[i, 0] * vectors[k, 0] + normal[i, 1] * vectors[k, 1] + normal[i, 2] * vectors[k, 2]
            e = max(e, 0.0) * v
            out[p, 0, k] += g0 * (h0 * e + wa * soft[a, 0, k] + wb * soft[b, 0, k] + wc * soft[c, 0, k])
            out[p, 1, k] += g1 * (h1 * e + wa * soft[a, 1, k] + wb * soft[b, 1, k] + wc * soft[c, 1, k])
            out[p, 2, k] += g2 * (h2 * e + wa * soft[a, 2, k] + wb * soft[b, 2, k] + wc * soft[c, 2, k])
            r = reflection[i, 0] * unit[k, 0] + reflection[i, 1] * unit[k, 1] + reflection[i, 2] * unit[k, 2]
            r = max(r, 0.0)
            r = r * r
            r = r * r
            r = r * r
            r = r * r
            top += r * v
            below += r
        glossy[i] = top / below


def pixel_transport(records: Records, light: VertexLight, scene: Scene, reflection: np.ndarray):
    """Response of the covered pixels.

    Returns (pixels (p,) flat index, transport (p, 3, 256) float32 premultiplied by alpha, glossy visibility (n,)).
    """
    pixels, slot = np.unique(records.pixel, return_inverse=True)
    share = np.float32([p.material.soft for p in scene.topology.parts])[records.part]
    out = np.zeros((len(pixels), 3, LIGHTS), np.float32)
    glossy = np.zeros(len(records.pixel), np.float32)
    vectors = form_vectors()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    _gather(
        slot.astype(np.int64), records.weight, light.row[records.triangle], records.bary, records.normal,
        (records.albedo / np.pi).astype(np.float32), share, reflection, vectors, unit.astype(np.float32),
        record_visibility(scene, records, light.row, light.visibility), light.soft, out, glossy,
    )  # fmt: skip
    return pixels, out, glossy
