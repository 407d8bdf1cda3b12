"""The light stage's fast transport against Mitsuba's path tracer, on five scenes.

python -m training.light_stage.compare_mitsuba --out DIR [--size 256] [--samples 256] [--variant auto]

Same people, cameras, textures and lights. Ours is what a clip holds: factorised, 16 bits, relit by `Clip.relight`.
Writes comparison.md, comparison.json and comparison.png (ours, Mitsuba, 0.5 + 4 times the difference of sRGB codes).
Mitsuba's picture is the mean of two halves of the samples, whose difference tells its noise; "without noise" takes that
much off the squared error. All PSNR but "as shipped" leave out what Mitsuba's materials here do not have: light below
the skin, and hair made of cylinders.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.light_stage.assets import linear_to_srgb
from training.light_stage.clip import Clip
from training.light_stage.directions import BASIS, direction
from training.light_stage.gbuffer import trace
from training.light_stage.lights import Light, Panoramas, exposed
from training.light_stage.materials import ACCESSORIES, CLASS_NAMES, HAIR
from training.light_stage.splits import panoramas_of
from training.light_stage.stage import Take, clip_arrays, take_of
from training.light_stage.truth import kept_render

SCENES = {"panorama": 3, "hard sun": 8, "softbox": 21, "coloured rig": 30, "backlight": 44}
"""Light and seed of the person of each scene."""
COLUMNS = ("psnr_db", "without_noise_db", "noise_db", "shipped_psnr_db")


@dataclass
class Pair:
    """One scene rendered twice: linear, premultiplied (h, w, 3); alpha (h, w); label (h, w); seconds of Mitsuba.

    halves: Mitsuba's two pictures, of which `truth` is the mean."""

    ours: np.ndarray
    shipped: np.ndarray
    truth: np.ndarray
    alpha: np.ndarray
    label: np.ndarray
    halves: list[np.ndarray]
    seconds: float


def _box(toward: np.ndarray, radius_rad: float) -> np.ndarray:
    """(16, 16, 1) cells within radius_rad of a direction."""
    u, v = np.meshgrid((np.arange(BASIS) + 0.5) / BASIS, (np.arange(BASIS) + 0.5) / BASIS)
    toward = np.asarray(toward) / np.linalg.norm(toward)
    return (np.arccos(np.clip(direction(u, v) @ toward, -1, 1)) < radius_rad)[..., None].astype(np.float32)


def light_of(name: str, hard_dirs: np.ndarray) -> Light:
    """The light of a scene; the sun is the most frontal of the clip's hard lights that stand high."""
    flat = np.ones((BASIS, BASIS, 3), np.float32)
    if name == "panorama":
        panoramas = Panoramas([p for p in panoramas_of("train") if "venice" in p.stem or "vestibule" in p.stem])
        return Light(exposed(panoramas.code(0, 40.0)) * 0.8)
    if name == "hard sun":
        sun = int(np.argmax(hard_dirs @ np.float32([0.5, 0.3, 0.6])))
        return Light(0.22 * flat * np.float32([0.8, 0.9, 1.1]), [(sun, np.float32([2.2, 2.0, 1.7]))])
    if name == "softbox":
        return Light(exposed(0.06 * flat + 3 * _box(np.array([0.8, 0.5, 0.6]), 0.5)) * 0.9)
    if name == "coloured rig":
        pair = _box(np.array([-1, 0.2, 0.4]), 0.6) * [1.0, 0.15, 0.5] + _box(np.array([1, 0.3, 0.3]), 0.6) * [
            0.1,
            0.4,
            1,
        ]
        return Light(exposed((0.04 * flat + 2.5 * pair).astype(np.float32)) * 0.8)
    return Light(0.25 * flat + 8 * _box(np.array([0.45, 0.5, -0.8]), 0.45) * np.float32([1, 0.9, 0.75]))


def _clip(take: Take, seed: int, shipped: bool) -> Clip:
    """The clip of a take; if not as shipped, without light below surfaces and with hair as any other surface."""
    materials = [part.material for part in take.topology.parts]
    kept = [(m.soft, m.strand, m.label) for m in materials]
    for material in () if shipped else materials:
        material.soft, material.strand = (0.0, 0.0, 0.0), None
        material.label = ACCESSORIES if material.label == HAIR else material.label  # hair's own label dims its gloss
    take.records = [trace(s, c) for s, c in zip(take.scenes, take.cameras, strict=True)]
    clip = Clip(clip_arrays(take, np.random.default_rng(seed)))
    for material, (soft, strand, label) in zip(materials, kept, strict=True):
        material.soft, material.strand, material.label = soft, strand, label
    return clip


def compare(name: str, seed: int, size: int, samples: int, variant: str, kept: Path | None = None) -> Pair:
    """Render one scene both ways; kept: folder of Mitsuba's pictures, see truth.kept_render."""
    take, _ = take_of(seed, 1, size)
    plain, shipped = _clip(take, seed, False), _clip(take, seed, True)
    light = light_of(name, plain.hard_dirs)
    suns = [(plain.hard_dirs[k], rgb) for k, rgb in light.hard]
    start = time.monotonic()
    scene, camera, half = take.scenes[0], take.cameras[0], max(1, samples // 2)
    halves = [kept_render(kept, variant, scene, camera, light.code, suns, half, s) for s in (0, 1)]
    seconds = time.monotonic() - start
    pictures = [clip.relight(light.code, light.hard)[0] for clip in (plain, shipped)]
    return Pair(*pictures, (halves[0] + halves[1]) / 2, plain.alpha[0], shipped.parsing[0], halves, seconds)


def without_noise(pair: Pair, where: np.ndarray) -> tuple[float, float]:
    """(PSNR of ours against Mitsuba free of noise, of Mitsuba's noise alone), dB, over the pixels `where` (h, w).

    The squared error against a noisy mean is the true one plus the noise's variance, a quarter of the halves' squared
    difference.
    """
    a, b = (linear_to_srgb(half)[where] for half in pair.halves)
    noise = float(((a - b) ** 2).mean()) / 4
    error = float(((linear_to_srgb(pair.ours) - linear_to_srgb(pair.truth))[where] ** 2).mean())
    return -10 * float(np.log10(max(error - noise, 1e-10))), -10 * float(np.log10(max(noise, 1e-10)))


def error_share(pair: Pair, part: np.ndarray, whole: np.ndarray) -> float:
    """Share of the squared error on the pixels `whole` (h, w), without Mitsuba's noise, that lies in `part` of them."""
    a, b = (linear_to_srgb(half) for half in pair.halves)
    error = (linear_to_srgb(pair.ours) - linear_to_srgb(pair.truth)) ** 2 - (a - b) ** 2 / 4
    return float(error[part].sum() / error[whole].sum())


def shares_table(results: dict[str, dict[str, float]]) -> str:
    """Markdown table of where the squared error lies: the outermost pixels, and inside them each class, in per cent."""
    names = [name for name in CLASS_NAMES[1:] if any(f"{name}_error_share" in f for f in results.values())]
    lines = ["| scene | outermost pixels | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for scene, f in results.items():
        cells = [f"{100 * f['edge_error_share']:.0f} (of {100 * f['edge_share']:.0f})"]
        cells += [f"{100 * f[k]:.0f}" if (k := f"{name}_error_share") in f else "-" for name in names]
        lines.append(f"| {scene} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def psnr(ours: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """PSNR in dB of sRGB codes in [0, 1] over the pixels `where` (h, w)."""
    error = (linear_to_srgb(ours) - linear_to_srgb(truth))[where]
    return float(-10 * np.log10(max((error**2).mean(), 1e-10)))


def figures(pair: Pair) -> dict[str, float]:
    """PSNR on the person, as shipped, by class of surface, and ours over Mitsuba's mean light."""
    person = pair.alpha > 0.5
    out = {"psnr_db": psnr(pair.ours, pair.truth, person), "shipped_psnr_db": psnr(pair.shipped, pair.truth, person)}
    out["without_noise_db"], out["noise_db"] = without_noise(pair, person)
    edge = person & (cv2.erode(person.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    out["edge_share"], out["edge_error_share"] = float(edge.sum() / person.sum()), error_share(pair, edge, person)
    out["light_ratio"] = float(pair.ours[person].mean() / pair.truth[person].mean())
    for i, name in enumerate(CLASS_NAMES[1:], 1):
        where = person & (pair.label == i)
        if where.sum() >= 50:
            out[f"{name}_error_share"] = error_share(pair, where & ~edge, person)
            out[f"{name}_psnr_db"] = without_noise(pair, where)[0]
            out[f"{name}_light_ratio"] = float(pair.ours[where].mean() / max(pair.truth[where].mean(), 1e-6))
    return out | {"mitsuba_s": pair.seconds}


def table(results: dict[str, dict[str, float]]) -> str:
    """Markdown table of the figures."""
    lines = [
        "| scene | PSNR (dB) | without noise | noise alone | as shipped | ours / Mitsuba | skin | hair | clothes |"
    ]
    lines.append("|---" * 9 + "|")
    for name, f in results.items():
        classes = [f"{f[c + '_psnr_db']:.1f}" if c + "_psnr_db" in f else "-" for c in ("skin", "hair", "clothes")]
        decibels = [f"{f[k]:.1f}" for k in COLUMNS]
        cells = [name, *decibels, f"{f['light_ratio']:.3f}", *classes]
        lines.append("| " + " | ".join(cells) + " |")
    mean = [f"{np.mean([f[k] for f in results.values()]):.1f}" for k in COLUMNS]
    ratio = np.mean([f["light_ratio"] for f in results.values()])
    lines.append(f"| mean | {' | '.join(mean)} | {ratio:.3f} | | | |")
    return "\n".join(lines)


def strip(pair: Pair) -> np.ndarray:
    """(h, 3 w, 3) sRGB: ours, Mitsuba, difference."""
    ours, truth = linear_to_srgb(pair.ours), linear_to_srgb(pair.truth)
    return np.concatenate([ours, truth, np.clip(0.5 + 4 * (ours - truth), 0, 1)], axis=1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the table and pictures")
    parser.add_argument("--size", type=int, default=256, help="height and width in pixels")
    parser.add_argument("--samples", type=int, default=256, help="paths a pixel")
    parser.add_argument("--variant", default="auto", help="Mitsuba variant: auto, llvm_ad_rgb, scalar_rgb")
    parser.add_argument("--kept", type=Path, help="folder where Mitsuba's pictures are kept for the next run")
    parser.add_argument("--scenes", nargs="*", choices=list(SCENES), default=list(SCENES), help="which scenes")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    results, strips = {}, []
    for name in arguments.scenes:
        pair = compare(name, SCENES[name], arguments.size, arguments.samples, arguments.variant, arguments.kept)
        results[name] = figures(pair)
        strips.append(strip(pair))
        print(name, {k: round(v, 3) for k, v in results[name].items()}, flush=True)
    (arguments.out / "comparison.json").write_text(json.dumps(results, indent=1))
    text = table(results) + "\n\n" + shares_table(results) + "\n"
    (arguments.out / "comparison.md").write_text(text)
    sheet = np.rint(np.concatenate(strips)[..., ::-1] * 255).astype(np.uint8)
    cv2.imwrite(str(arguments.out / "comparison.png"), sheet)
    print(text)


if __name__ == "__main__":
    main()
