"""A frame of the light stage as a Mitsuba 3 scene: the slow truth beside the fast light transport.

Same triangles, normals, textures, materials (mitsuba_coat), camera and light; alpha cards are masked two-sided
surfaces. Skin is opaque: Mitsuba has no light below skin here.
"""

import os
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np

from training.light_stage.camera import Camera
from training.light_stage.materials import Material
from training.light_stage.mitsuba_coat import add_coat
from training.light_stage.scene import Scene

LLVM = Path("/usr/lib/x86_64-linux-gnu/libLLVM.so.19.1")
"""Debian's package libllvm19. Mitsuba aborts on LLVM 14 and 15, so no other is looked for."""


def mitsuba(variant: str = "auto") -> ModuleType:
    """Mitsuba in a variant; auto: LLVM if the library it needs is there, else scalar (several times slower)."""
    if LLVM.exists():
        os.environ.setdefault("DRJIT_LIBLLVM_PATH", str(LLVM))
    import mitsuba as mi

    if variant == "auto":
        variant = "llvm_ad_rgb" if "DRJIT_LIBLLVM_PATH" in os.environ else "scalar_rgb"
    mi.set_variant(variant)
    add_coat(mi)
    return mi


def _write_ply(path: Path, scene: Scene, faces: np.ndarray, corner_uv: np.ndarray) -> None:
    """Triangles with a normal and uv of their own at each corner; v runs down, as Mitsuba's bitmaps do."""
    corners = faces.reshape(-1)
    columns = np.concatenate([scene.vertices[corners], scene.normals[corners], corner_uv.reshape(-1, 2)], axis=1)
    columns[:, 7] = 1 - columns[:, 7]
    triangles = np.zeros(len(faces), [("count", "u1"), ("index", "<i4", 3)])
    triangles["count"], triangles["index"] = 3, np.arange(len(corners)).reshape(-1, 3)
    names = "".join(f"property float {n}\n" for n in ("x", "y", "z", "nx", "ny", "nz", "u", "v"))
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(corners)}\n{names}"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    path.write_bytes(header.encode() + columns.astype("<f4").tobytes() + triangles.tobytes())


def _bitmap(mi: ModuleType, image: np.ndarray) -> dict:
    """A linear texture."""
    return {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(image, np.float32)), "raw": True}


def _surface(mi: ModuleType, material: Material, bumps: bool, card: bool) -> dict:
    """The same material: a Lambertian base and a GGX coat, both textured, with the same bumps."""
    gloss = material.surface
    if gloss is None:
        gloss = np.broadcast_to(np.float32([material.roughness, material.f0]), (2, 2, 2))
    bsdf = {"type": "lambert_coat", "card": card, "base_color": _bitmap(mi, material.texture[..., :3])}
    bsdf |= {"roughness": _bitmap(mi, gloss[..., :1]), "f0": _bitmap(mi, gloss[..., 1:])}
    slope = material.slopes if bumps and material.slopes is not None else np.zeros((2, 2, 2))
    slope = np.clip(slope, -0.6, 0.6)
    normal = np.concatenate([-slope, np.ones_like(slope[..., :1])], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    bsdf["normal"] = _bitmap(mi, normal * 0.5 + 0.5)
    return bsdf


def _shapes(mi: ModuleType, scene: Scene, folder: Path, bumps: bool) -> dict:
    topology = scene.topology
    shapes: dict = {}
    for i, part in enumerate(topology.parts):
        mine = topology.face_part == i
        if not mine.any():
            continue
        path = folder / f"{i}.ply"
        _write_ply(path, scene, topology.faces[mine], topology.face_uv[mine])
        bsdf = _surface(mi, part.material, bumps, part.layered)
        if part.layered:
            bsdf = {"type": "mask", "opacity": _bitmap(mi, part.material.texture[..., 3:]), "bsdf": bsdf}
        shapes[f"part{i}"] = {"type": "ply", "filename": str(path), "bsdf": bsdf}
    return shapes


def environment_texels(code: np.ndarray, height: int = 256) -> np.ndarray:
    """(height, 2 height, 3) panorama, -z in its first column as Mitsuba has it, of a light code or a panorama.

    Cells keep their edges: a 16 x 16 code stays 16 x 16 blocks of even radiance.
    """
    h, w = code.shape[:2]
    blocks = np.repeat(np.repeat(code, height // h, axis=0), 2 * height // w, axis=1)
    return np.roll(blocks, -height, axis=1).astype(np.float32)


def render(
    mi: ModuleType, scene: Scene, camera: Camera, code: np.ndarray, suns: list[tuple[np.ndarray, np.ndarray]],
    samples: int = 256, depth: int = 24, bumps: bool = True,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """((H, W, 3) premultiplied linear radiance, (H, W) alpha), float32, by path tracing.

    code: light code or panorama in DESIGN's orientation; suns: (direction towards it (3,), rgb irradiance (3,)).
    depth: longest path, 2 is direct light alone. "volpath" and not "path", to which every alpha card is opaque on the
    way from a surface to a sun.
    """
    height, width = camera.size
    offset = (np.array([width / 2, height / 2]) - camera.principal) / [width, height]
    sensor = {
        "type": "perspective",
        "fov": camera.fov_deg(),
        "fov_axis": "x",
        "principal_point_offset_x": float(offset[0]),
        "principal_point_offset_y": float(offset[1]),
        "near_clip": 0.01,
        "to_world": mi.ScalarTransform4f().look_at(origin=[0, 0, 0], target=[0, 0, -1], up=[0, 1, 0]),
        "film": {
            "type": "hdrfilm",
            "width": width,
            "height": height,
            "pixel_format": "rgba",
            "rfilter": {"type": "box"},
        },
        "sampler": {"type": "independent", "sample_count": samples},
    }
    description = {
        "type": "scene",
        "integrator": {"type": "volpath", "max_depth": depth, "hide_emitters": True},
        "sensor": sensor,
        "sky": {"type": "envmap", "bitmap": mi.Bitmap(environment_texels(np.asarray(code, np.float32)))},
    }
    for i, (toward, rgb) in enumerate(suns):
        irradiance = {"type": "rgb", "value": [float(x) for x in rgb]}
        direction = [-float(x) for x in toward]
        description[f"sun{i}"] = {"type": "directional", "direction": direction, "irradiance": irradiance}
    with tempfile.TemporaryDirectory(prefix="mitsuba_") as folder:
        loaded = mi.load_dict(description | _shapes(mi, scene, Path(folder), bumps))
        picture = np.array(mi.render(loaded, seed=seed))
    return picture[..., :3].astype(np.float32), np.clip(picture[..., 3], 0, 1).astype(np.float32)
