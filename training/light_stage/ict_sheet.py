"""Anny's heads beside the same heads with ICT-FaceKit's faces: a sheet to look at, and how much head shapes differ.

python -m training.light_stage.ict_sheet --out SHEET.jpg     (32 people; 16 from the front, 16 turned by 45 degrees)
python -m training.light_stage.ict_sheet --spread 24         (prints millimetres)
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from training.light_stage.assets import linear_to_srgb
from training.light_stage.body import BODY, body
from training.light_stage.camera import Camera
from training.light_stage.cast import head_centre
from training.light_stage.gbuffer import trace
from training.light_stage.ict import similarity
from training.light_stage.ict_carry import carried, fade
from training.light_stage.person import MILDER, Person, ict_face, random_shape, sample_person, with_face
from training.light_stage.scene import Scene, Topology
from training.light_stage.sheet import tile
from training.light_stage.splits import skins_of

KEY, GREY = np.float32([0.3, 0.45, 0.84]), 0.32


def portrait(person: Person, yaw_deg: float, size: int) -> np.ndarray:
    """(size, size, 3) sRGB of a calm person turned by yaw, in plain light without shadows."""
    state = person.model_state({"eyeBlinkLeft": 0.1, "eyeBlinkRight": 0.1}, {})
    vertices = person.vertices(state)
    turn = Rotation.from_euler("y", -yaw_deg, degrees=True).as_matrix()
    centre = head_centre(vertices[0]) + turn.T @ np.array([0, 0, 0.9])
    camera = Camera(centre, turn, size * 0.9 / 0.34, np.array([size / 2, size / 2]), (size, size))
    topology = Topology(person.parts, [len(v) for v in vertices])
    records = trace(Scene(topology, camera.to_camera(np.concatenate(vertices))), camera)
    shade = 0.4 + 0.75 * np.clip(records.normal @ KEY, 0, 1)[:, None]
    picture = np.zeros((size * size, 4), np.float32)
    colour = np.concatenate([records.albedo * shade, np.ones((len(shade), 1), np.float32)], axis=1)
    np.add.at(picture, records.pixel, colour * records.weight[:, None])
    rgb = picture[:, :3] + GREY * (1 - np.clip(picture[:, 3:], 0, 1))
    return linear_to_srgb(rgb).reshape(size, size, 3)


def sheet(people: int, size: int, seed: int) -> np.ndarray:
    """Rows of eight: Anny's heads, below them the same with ICT's faces; the first half frontal, the others turned."""
    pictures: list[np.ndarray] = []
    for start in range(0, people, 8):
        rows: list[list[np.ndarray]] = [[], []]
        for i in range(start, min(start + 8, people)):
            rng = np.random.default_rng([seed + i, 7])
            plain = sample_person(rng, skins_of("train"), 512, ict_share=0)
            yaw = 0.0 if i < people / 2 else 45.0
            faced = with_face(plain, ict_face(np.random.default_rng([seed + i, 8])))
            for row, person in zip(rows, (plain, faced), strict=True):
                row.append(portrait(person, yaw, size))
        pictures += rows[0] + rows[1]
    return tile(pictures, 8)


def _spread(heads: np.ndarray) -> float:
    """Millimetres: standard deviation of the place of a vertex, heads (n, m, 3) brought together by a similarity."""
    mean = heads[0]
    for _ in range(3):
        for k, head in enumerate(heads):
            linear, offset = similarity(head, mean)
            heads[k] = head @ linear.T + offset
        mean = heads.mean(0)
    return float(np.sqrt(((heads - mean) ** 2).sum(2).mean(0)).mean() * 1000)


def spread(count: int, seed: int) -> dict[str, float]:
    """Spread (mm) of `count` random faces: Anny's alone, all with ICT's, and as people are drawn (half and half)."""
    face = np.flatnonzero(fade(body().template[BODY]) > 0.9)
    plain, faced = [], []
    for i in range(count):
        rng = np.random.default_rng([seed + i, 9])
        phenotype, local = random_shape(rng, skins_of("train"))
        plain.append(body().state(phenotype, local, {}, {}).rest[face].astype(float))
        milder = body().state(phenotype, {name: MILDER * value for name, value in local.items()}, {}, {})
        faced.append(carried().shaped(milder, ict_face(rng)).rest[face].astype(float))
    a, b = np.stack(plain), np.stack(faced)
    half = np.concatenate([a[::2], b[1::2]])
    return {"Anny": _spread(a), "ICT on a milder Anny": _spread(b), "half and half": _spread(half)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="picture to write, .jpg")
    parser.add_argument("--people", type=int, default=32, help="people on the sheet")
    parser.add_argument("--size", type=int, default=256, help="pixels a head")
    parser.add_argument("--spread", type=int, default=0, help="heads to measure the spread of; 0: none")
    parser.add_argument("--seed", type=int, default=20000)
    arguments = parser.parse_args()
    if arguments.out:
        picture = sheet(arguments.people, arguments.size, arguments.seed)
        shown = np.rint(np.clip(picture, 0, 1)[..., ::-1] * 255).astype(np.uint8)
        cv2.imwrite(str(arguments.out), shown, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if arguments.spread:
        for name, value in spread(arguments.spread, arguments.seed).items():
            print(f"{name}: {value:.2f} mm")


if __name__ == "__main__":
    main()
