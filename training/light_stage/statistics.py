"""Statistics page of a data set, so that holes show: skin tone, pose, framing, people, light direction and contrast.

python -m training.light_stage.statistics --clips DIR --out PAGE.md     (also writes PAGE.png)
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from training.light_stage.clip import Clip, load_clip
from training.light_stage.directions import form_vectors, latlong
from training.light_stage.lights import Panoramas, sample_lights
from training.light_stage.materials import SKIN
from training.light_stage.skin import ita_of
from training.light_stage.splits import panoramas_of

LUMINANCE = np.float32([0.2126, 0.7152, 0.0722])


def clip_figures(clip: Clip) -> dict[str, float]:
    """Skin luminance (linear albedo) and tone (ITA), head yaw and pitch (degrees), share covered, field of view."""
    arrays = clip.arrays
    skin = arrays["label"] == SKIN
    frames, height, width = clip.shape
    albedo = arrays["albedo"][skin].astype(np.float32)
    pitch, yaw = arrays["head_deg"] if "head_deg" in arrays else arrays["facing_deg"][:2]
    return {
        "skin luminance": float(np.median(albedo @ LUMINANCE)) if skin.any() else float("nan"),
        "skin tone (ITA, deg)": float(ita_of(np.median(albedo, axis=0)[None])[0]) if skin.any() else float("nan"),
        "head yaw (deg)": float(yaw),
        "head pitch (deg)": float(pitch),
        "covered share": len(arrays["pixel"]) / (frames * height * width),
        "field of view (deg)": float(arrays["fov_deg"]),
    }


def light_figures(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Of `count` drawn target lights: azimuth and elevation (deg) of the mean light, and its directionality.

    Directionality is |sum of light vectors| / sum of their lengths: 0 is even light, 1 a single lamp.
    """
    rng = np.random.default_rng(seed)
    panoramas = Panoramas(panoramas_of("train"))
    azimuth, elevation, focus = [], [], []
    for _ in range(count):
        weight = sample_lights(rng, panoramas)[2].code.reshape(-1, 3) @ LUMINANCE
        vector = weight @ form_vectors()
        u, v = latlong(vector)
        azimuth.append((u - 0.5) * 360)
        elevation.append((0.5 - v) * 180)
        focus.append(np.linalg.norm(vector) / (weight @ np.linalg.norm(form_vectors(), axis=1)))
    return {
        "light azimuth (deg, 0 = behind the person)": np.array(azimuth),
        "light elevation (deg)": np.array(elevation),
        "light directionality": np.array(focus),
    }


def draw_histograms(columns: dict[str, np.ndarray], path: Path) -> None:
    """One histogram a column, on one picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 5, figsize=(20, 7))
    for axis, (name, values) in zip(axes.flat, columns.items(), strict=False):
        axis.hist(values[np.isfinite(values)], bins=24)
        axis.set_title(name)
    figure.tight_layout()
    figure.savefig(path, dpi=70)


def page(files: list[Path]) -> tuple[str, dict[str, np.ndarray]]:
    """(Markdown text, columns of figures) of a set of clips."""
    rows, kinds = [], {}
    for file in files:
        clip = load_clip(file)
        rows.append(clip_figures(clip))
        for name in (
            "split",
            "about_sex",
            "about_skin",
            "about_hair",
            "about_outfit",
            "about_beard",
            "about_worn",
            "about_people",
            "about_face",
        ):
            kinds.setdefault(name, Counter())[str(clip.arrays.get(name, "not recorded")) or "nothing"] += 1
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns |= light_figures(400)
    lines = [
        f"# Statistics of {len(files)} clips",
        "",
        "| figure | 5 % | median | 95 % |",
        "| --- | --- | --- | --- |",
    ]
    for name, values in columns.items():
        low, middle, high = np.nanpercentile(values, [5, 50, 95])
        lines.append(f"| {name} | {low:.3g} | {middle:.3g} | {high:.3g} |")
    for name, counts in kinds.items():
        lines += [
            "",
            f"**{name.removeprefix('about_')}**: " + ", ".join(f"{k} {n}" for k, n in counts.most_common()),
        ]
    return "\n".join(lines) + "\n", columns


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True, help="folder of clips")
    parser.add_argument("--out", type=Path, required=True, help="Markdown file; the picture goes beside it")
    arguments = parser.parse_args()
    files = sorted(arguments.clips.glob("clip_*.npz"))
    if not files:
        parser.error(f"no clips in {arguments.clips}; run training.light_stage.render first")
    text, columns = page(files)
    picture = arguments.out.with_suffix(".png")
    draw_histograms(columns, picture)
    arguments.out.write_text(text + f"\n![histograms]({picture.name})\n")


if __name__ == "__main__":
    main()
