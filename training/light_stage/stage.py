"""From a seed to a clip: person, camera, motion, transport, ground truth."""

import numpy as np

from training.light_stage import shade
from training.light_stage.balance import wish_of
from training.light_stage.camera import sample_aim, shaken
from training.light_stage.cast import Cast, sample_cast
from training.light_stage.directions import LIGHTS, direction, form_vectors
from training.light_stage.gbuffer import Records, trace
from training.light_stage.motion import FPS, Drift
from training.light_stage.occlusion import record_visibility
from training.light_stage.scene import Scene, Topology
from training.light_stage.splits import skins_of, split_of_seed
from training.light_stage.transport import VertexLight, blend, pixel_transport, vertex_light

RANK = 48
HARD_LIGHTS = 8


def hard_directions(rng: np.random.Generator, count: int = HARD_LIGHTS) -> np.ndarray:
    """(count, 3) unit directions, three quarters of them in front of the person and not far below the horizon."""
    v = np.arccos(np.clip(rng.uniform(-0.45, 0.98, count), -1, 1)) / np.pi
    front = rng.random(count) < 0.78
    p = np.where(front, rng.uniform(0.5, 1.5, count) * np.pi, rng.uniform(-0.5, 0.5, count) * np.pi)
    return direction(np.mod(p / (2 * np.pi) + 0.5, 1), v).astype(np.float32)


class Take:
    """One clip being made: the people's geometry at each frame, in the camera frame, and its records."""

    def __init__(
        self, rng: np.random.Generator, cast: Cast, frames: int, size: tuple[int, int], close: bool = False
    ) -> None:
        times = np.arange(frames) / FPS
        aim = sample_aim(rng)
        cast.meet(aim)
        meshes, heads = cast.vertices(times)
        self.cast = cast
        self.topology = Topology(cast.parts, [len(m) for m in meshes[0]])
        base = cast.framed(rng, heads, size, aim, close)
        tremble = [Drift(rng, 1.5) for _ in range(2)]
        sway = rng.choice([0.0, 1.5], p=[0.7, 0.3])
        self.cameras = [shaken(base, sway * np.array([d(t) for d in tremble])) for t in times]
        self.scenes = [
            Scene(self.topology, c.to_camera(np.concatenate(m))) for c, m in zip(self.cameras, meshes, strict=True)
        ]
        self.records = [trace(s, c) for s, c in zip(self.scenes, self.cameras, strict=True)]

    def vertex_lights(self, rng: np.random.Generator) -> list[VertexLight]:
        """Per-vertex light of each frame: exact at the first and last, blended between (the motion is small)."""
        needed = np.unique(np.concatenate([r.triangle.reshape(-1) for r in self.records]))
        seed = int(rng.integers(2**31))  # the same bounce rays in both key frames, or the blend would shimmer
        first = vertex_light(self.scenes[0], needed, np.random.default_rng(seed))
        if len(self.scenes) == 1:
            return [first]
        last = vertex_light(self.scenes[-1], needed, np.random.default_rng(seed))
        steps = len(self.scenes) - 1
        return [blend(first, last, i / steps) for i in range(steps + 1)]


def light_scale() -> np.ndarray:
    """(768,) irradiance of each basis light at unit radiance, three channels; the sun may fill the smallest cell,
    so responses are factorised per unit irradiance, not per unit radiance."""
    return np.tile(np.linalg.norm(form_vectors(), axis=1), 3)


def factorise(transport: np.ndarray, tint: np.ndarray, rng: np.random.Generator, rank: int = RANK) -> np.ndarray:
    """(rank, 768) orthonormal basis of the albedo-free responses per irradiance (PCA without mean, 6000 pixels,
    by subspace iteration: the few leading vectors of a 768 x 768 matrix need no full eigen-decomposition)."""
    pick = rng.permutation(len(transport))[:6000]
    rows = (transport[pick] / tint[pick, :, None]).reshape(len(pick), -1) / light_scale()
    gram = (rows.T @ rows).astype(np.float64)
    space = rng.standard_normal((gram.shape[0], rank + 16))
    for _ in range(6):
        space, _ = np.linalg.qr(gram @ space)
    _, inner = np.linalg.eigh(space.T @ gram @ space)
    return np.ascontiguousarray((space @ inner[:, ::-1][:, :rank]).T).astype(np.float32)


def _pixel_sums(records: Records, values: np.ndarray) -> np.ndarray:
    """Sum of per-record values (n, ...), times weight, over each pixel's records (which are adjacent)."""
    start = np.flatnonzero(np.concatenate([[True], records.pixel[1:] != records.pixel[:-1]]))
    weight = records.weight.reshape(-1, *[1] * (values.ndim - 1))
    return np.add.reduceat(values * weight, start, axis=0)


def _main_record(records: Records) -> np.ndarray:
    """Index of the heaviest record of each pixel."""
    order = np.lexsort((-records.weight, records.pixel))
    pixel = records.pixel[order]
    return order[np.concatenate([[True], pixel[1:] != pixel[:-1]])]


def _motion(take: Take, t: int, other: int, main: np.ndarray, depth_maps: list[np.ndarray]):
    """Flow (p, 2) and occlusion (p,) of frame t's main records into frame `other` (itself past the ends)."""
    records = take.records[t]
    if not 0 <= other < len(take.scenes):
        return np.zeros((len(main), 2), np.float32), np.zeros(len(main), np.uint8)
    motion = shade.flow(take.scenes[t], records, take.cameras[t], take.scenes[other], take.cameras[other])[main]
    height, width = take.cameras[t].size
    target = np.stack([records.pixel[main] % width, records.pixel[main] // width], axis=1) + motion
    x, y = np.rint(target).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    there = np.einsum("nk,nki->ni", records.bary[main], take.scenes[other].vertices[records.triangle[main]])
    seen = depth_maps[other][np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return motion, (~inside | (-there[:, 2] > seen + 0.015)).astype(np.uint8)


def _frame_arrays(take: Take, t: int, light: VertexLight, hard_dirs: np.ndarray, rng: np.random.Generator):
    """Everything stored for one frame, with the full transport still unfactorised."""
    scene, records = take.scenes[t], take.records[t]
    seen = record_visibility(scene, records, light.row, light.visibility, take.cameras[t].size[1])
    pixels, transport = pixel_transport(records, light, scene, seen)
    main = _main_record(records)
    alpha = np.clip(_pixel_sums(records, np.ones((len(records.pixel), 1), np.float32)), 1e-3, 1)
    tint = np.maximum(_pixel_sums(records, records.albedo), 1e-4)
    gloss, mirrored, roughness = shade.mirrors(records, seen, main)
    hard = np.stack([shade.hard_light(scene, records, light, d, 0.6, rng) for d in hard_dirs], axis=1)
    arrays = {
        "pixel": pixels.astype(np.int32),
        "alpha": np.rint(alpha[:, 0] * 255).astype(np.uint8),
        "albedo": (tint / alpha).astype(np.float16),
        "normal": records.normal[main].astype(np.float16),
        "label": records.label[main].astype(np.uint8),
        "depth": (-records.point[main, 2]).astype(np.float16),
        "reflection": mirrored.astype(np.float16),
        "roughness": roughness.astype(np.float16),
        "gloss": _pixel_sums(records, gloss).astype(np.float16),
        "hard": np.minimum(_pixel_sums(records, hard), 6e4).astype(np.float16),
    }
    return arrays, transport, tint, main


def take_of(seed: int, frames: int, size: int, close: bool = False) -> tuple[Take, np.random.Generator]:
    """The person, camera and motion of a seed, size x size pixels, and the generator to go on with."""
    rng = np.random.default_rng([seed, 7])
    skins = skins_of(split_of_seed(seed))
    cast = sample_cast(rng, skins, 2048 if size > 400 else 1024, wish=wish_of(seed))
    return Take(rng, cast, frames, (size, size), close), rng


def render_clip(seed: int, frames: int, size: int, close: bool = False) -> dict[str, np.ndarray]:
    """All arrays of one clip (see Clip), reproducible by seed; close: a close-up of the head."""
    take, rng = take_of(seed, frames, size, close)
    return clip_arrays(take, rng) | {"split": np.str_(split_of_seed(seed)), "seed": np.int64(seed)}


def clip_arrays(take: Take, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The arrays of a take's clip, but for its seed and split."""
    frames, size = len(take.scenes), take.cameras[0].size[0]
    lights = take.vertex_lights(rng)
    hard_dirs = hard_directions(rng)
    depth_maps = []
    for records in take.records:
        depth = np.full(size * size, np.inf, np.float32)
        main = _main_record(records)
        depth[records.pixel[main]] = -records.point[main, 2]
        depth_maps.append(depth.reshape(size, size))
    stacks: list[dict[str, np.ndarray]] = []
    basis = None
    for t in range(frames):
        arrays, transport, tint, main = _frame_arrays(take, t, lights[t], hard_dirs, rng)
        if basis is None:
            basis = factorise(transport, tint, rng)
        rows = (transport / tint[:, :, None]).reshape(len(tint), -1)
        arrays["response"] = (rows @ (basis / light_scale()).T).astype(np.float16)
        for name, step in (("fwd", 1), ("bwd", -1)):
            motion, hidden = _motion(take, t, t + step, main, depth_maps)
            arrays[f"flow_{name}"], arrays[f"occ_{name}"] = motion.astype(np.float16), hidden
        stacks.append(arrays)
    out = {name: np.concatenate([s[name] for s in stacks]) for name in stacks[0]}
    out["frame_start"] = np.cumsum([0] + [len(s["pixel"]) for s in stacks])
    out |= {
        "shape": np.int32([frames, size, size]),
        "basis": (basis * light_scale()).reshape(RANK, 3, LIGHTS),
        "hard_dirs": hard_dirs,
    }
    out |= {
        "fov_deg": np.float32(take.cameras[0].fov_deg()),
        "focal_px": np.float32(take.cameras[0].focal),
        "principal_px": np.float32(take.cameras[0].principal),
    }
    performance = take.cast.lead.performance
    out["head_deg"] = np.float32(np.degrees(performance.facing_seen(take.cameras[0].rotation)))
    return out | {f"about_{k}": np.str_(v) for k, v in take.cast.about().items()}
