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
from training.light_stage.occlusion import CARD_OFFSET_M, EYE_OFFSET_M, OFFSET_M, scattered, shares
from training.light_stage.scene import Scene


@dataclass
class VertexLight:
    """Per-vertex light of one frame, for the vertices that pixels need.

    row (V,) int32: vertex -> row, or -1; visibility (m, 256) float16-like float32 in [0, 1];
    soft (m, 3, 256): irradiance that reaches the vertex below the skin or from other surfaces, per unit radiance, in
    sr; bounced (m, 3, 256): from other surfaces alone.
    """

    row: np.ndarray
    visibility: np.ndarray
    soft: np.ndarray
    bounced: np.ndarray


def visibility(scene: Scene, vertices: np.ndarray) -> np.ndarray:
    """(m, 256) float32: share of each basis light that the vertices see, of a quarter of its directions."""
    directions, index, _ = shadow_directions()
    which_set, sets, weight = shares(4)
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
    matrices, unseen = bounce(scene, sides, row, rng)
    away = visibility(scene, unseen) * np.maximum(scene.normals[unseen] @ form_vectors().T, 0)
    lit = np.concatenate([on_sides, away])
    bounced = np.stack([_twice(b, lit)[: len(vertices)] for b in matrices], axis=1)
    soft = share[:, :, None] * spread[:, None] + bounced
    return VertexLight(row, seen, soft.astype(np.float32), bounced.astype(np.float32))


def _twice(matrix: sparse.csr_matrix, lit: np.ndarray) -> np.ndarray:
    """(s, 256) light after one bounce and two: matrix (s, s + u), lit (s + u, 256)."""
    once = matrix @ lit
    lit = lit.copy()
    lit[: len(once)] += once
    return matrix @ lit


def blend(a: VertexLight, b: VertexLight, mix: float) -> VertexLight:
    """Light between two key frames over the same vertices, mix in [0, 1]."""
    mixed = (getattr(a, x) * np.float32(1 - mix) + getattr(b, x) * np.float32(mix)
             for x in ("visibility", "soft", "bounced"))  # fmt: skip
    return VertexLight(a.row, *mixed)


@numba.njit(fastmath=True, cache=True)
def _gather(slot, weight, rows, bary, normal, albedo, share, vectors, seen, soft, out):
    """Accumulate records into pixels: out (pixels, 3, 256)."""
    lights = vectors.shape[0]
    for i in range(slot.shape[0]):
        a, b, c = rows[i, 0], rows[i, 1], rows[i, 2]
        wa, wb, wc = bary[i, 0], bary[i, 1], bary[i, 2]
        p = slot[i]
        g0 = weight[i] * albedo[i, 0]
        g1 = weight[i] * albedo[i, 1]
        g2 = weight[i] * albedo[i, 2]
        h0, h1, h2 = 1 - share[i, 0], 1 - share[i, 1], 1 - share[i, 2]
        for k in range(lights):
            e = normal[i, 0] * vectors[k, 0] + normal[i, 1] * vectors[k, 1] + normal[i, 2] * vectors[k, 2]
            e = max(e, np.float32(0)) * seen[i, k]
            out[p, 0, k] += g0 * (h0 * e + wa * soft[a, 0, k] + wb * soft[b, 0, k] + wc * soft[c, 0, k])
            out[p, 1, k] += g1 * (h1 * e + wa * soft[a, 1, k] + wb * soft[b, 1, k] + wc * soft[c, 1, k])
            out[p, 2, k] += g2 * (h2 * e + wa * soft[a, 2, k] + wb * soft[b, 2, k] + wc * soft[c, 2, k])


def pixel_transport(records: Records, light: VertexLight, scene: Scene, seen: np.ndarray):
    """Diffuse response of the covered pixels.

    seen (n, 256): share of each basis light that the records see, see occlusion.record_visibility.
    Returns (pixels (p,) flat index, transport (p, 3, 256) float32 premultiplied by alpha).
    """
    pixels, slot = np.unique(records.pixel, return_inverse=True)
    share = np.float32([p.material.soft for p in scene.topology.parts])[records.part]
    out = np.zeros((len(pixels), 3, LIGHTS), np.float32)
    albedo = (records.albedo / np.pi).astype(np.float32)
    _gather(slot.astype(np.int64), records.weight, light.row[records.triangle], records.bary, records.normal, albedo,
            share, form_vectors(), seen, light.soft, out)  # fmt: skip
    return pixels, out
