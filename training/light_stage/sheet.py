"""Contact sheets, to look at renders as a stranger would.

python -m training.light_stage.sheet --clips DIR --out PICTURE [--kind people|lights|frames]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.light_stage.assets import linear_to_srgb
from training.light_stage.clip import Clip, load_clip
from training.light_stage.lights import Panoramas, exposed, sample_lights, without_sun
from training.light_stage.splits import panoramas_of


def tile(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures (h, w, 3), all one size, as rows of `columns`."""
    blank = np.zeros_like(pictures[0])
    pictures = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows)


def picture(clip: Clip, code: np.ndarray, hard, backdrop: np.ndarray, frame: int = 0) -> np.ndarray:
    """(h, w, 3) float32 sRGB of one frame over a linear backdrop (3,) or (h, w, 3)."""
    person = clip.relight(code, hard)[frame]
    return linear_to_srgb(person + backdrop * (1 - clip.alpha[frame][..., None]))


def people(clips: list[Path], seed: int = 0) -> np.ndarray:
    """One frame of each clip under random lights, over the light's own mean colour."""
    from training.light_stage.webcam import compose

    rng = np.random.default_rng(seed)
    panoramas = Panoramas(panoramas_of("train"))
    out = []
    for path in clips:
        clip = load_clip(path)
        light = sample_lights(rng, panoramas)[0]
        person = clip.relight(light.code, light.hard)[:1]
        backdrop = panoramas.background(light, clip, rng)
        out.append(compose(person, clip.alpha[:1], backdrop, None, rng)[0] / np.float32(255))
    return tile(out, 8)


def under_lights(path: Path, seed: int = 0) -> np.ndarray:
    """One person under 24 lights: 16 panoramas, 8 hard lights with a dim fill."""
    rng = np.random.default_rng(seed)
    panoramas = Panoramas(panoramas_of("train"))
    clip = load_clip(path)
    out = []
    for i in range(16):
        code = exposed(panoramas.code(i * 3 % len(panoramas.files), float(rng.uniform(0, 360))))
        code, sun = without_sun(code)
        out.append(picture(clip, code, [(i % 8, np.minimum(sun, 3))], np.minimum(code.mean((0, 1)), 0.4)))
    for k in range(8):
        fill = np.full((16, 16, 3), 0.15, np.float32)
        out.append(picture(clip, fill, [(k, np.float32([2.6, 2.5, 2.4]))], np.float32([0.05, 0.05, 0.06])))
    return tile(out, 8)


def frames(path: Path) -> np.ndarray:
    """All frames of one clip under a soft side light, with normals, albedo and parsing below."""
    clip = load_clip(path)
    code = np.full((16, 16, 3), 0.4, np.float32)
    code[3:8, 10:14] += 3.0
    shown = [picture(clip, code, None, np.float32([0.2, 0.2, 0.2]), t) for t in range(clip.shape[0])]
    shown += [clip.normals[t] * 0.5 + 0.5 for t in range(clip.shape[0])]
    shown += [linear_to_srgb(clip.albedo[t]) for t in range(clip.shape[0])]
    palette = np.float32([[0, 0, 0], [1, 0.7, 0.5], [0.4, 0.2, 0.1], [0, 1, 1], [1, 0, 0], [0, 0.4, 1], [0, 1, 0]])
    shown += [palette[clip.parsing[t]] for t in range(clip.shape[0])]
    return tile(shown, min(clip.shape[0], 8))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True, help="folder of clips")
    parser.add_argument("--out", type=Path, required=True, help="picture to write, .jpg or .png")
    parser.add_argument("--kind", choices=["people", "lights", "frames"], default="people")
    parser.add_argument("--count", type=int, default=64, help="people on the sheet")
    parser.add_argument("--index", type=int, default=0, help="which clip, for lights and frames")
    parser.add_argument("--width", type=int, default=2048, help="widest sheet, in pixels")
    arguments = parser.parse_args()
    files = sorted(arguments.clips.glob("clip_*.npz"))
    if not files:
        parser.error(f"no clips in {arguments.clips}; run training.light_stage.render first")
    if arguments.kind == "people":
        sheet = people(files[:: max(1, len(files) // arguments.count)][: arguments.count])
    else:
        sheet = {"lights": under_lights, "frames": frames}[arguments.kind](files[arguments.index])
    shown = np.rint(np.clip(sheet, 0, 1)[..., ::-1] * 255).astype(np.uint8)
    if arguments.width < shown.shape[1]:
        height = round(shown.shape[0] * arguments.width / shown.shape[1])
        shown = cv2.resize(shown, (arguments.width, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(arguments.out), shown, [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
