"""The light stage's data for training: clips, lights drawn on the fly, webcam pictures. The stable front door.

from training.light_stage.dataset import Panoramas, compose, load_clip, panoramas_of, sample_lights
"""

from pathlib import Path

from training.light_stage.backdrop import backdrop, plan_backdrop, project
from training.light_stage.clip import Clip, ClipError, is_good, load_clip, save_clip
from training.light_stage.gloss import atlas, atlas_coordinates, atlas_matrix
from training.light_stage.lamps import key_light, lights_with_keys
from training.light_stage.lights import (
    Light,
    Panoramas,
    exposed,
    grey_card,
    mix,
    plain_lights,
    point_code,
    rig,
    sample_lights,
)  # fmt: skip
from training.light_stage.splits import panoramas_of, skins_of, split_of_seed
from training.light_stage.webcam import WebcamSettings, compose, develop, sample_webcam

__all__ = [
    "Clip", "ClipError", "Light", "Panoramas", "WebcamSettings", "atlas", "atlas_coordinates", "atlas_matrix",
    "backdrop", "clips_of", "compose", "develop", "exposed", "grey_card", "is_good", "key_light",
    "lights_with_keys", "load_clip", "mix",
    "panoramas_of", "plain_lights", "plan_backdrop", "point_code", "project", "rig", "sample_lights",
    "sample_webcam", "save_clip", "skins_of", "split_of_seed",
]  # fmt: skip


def clips_of(folder: str | Path, split: str) -> list[Path]:
    """Clip files of a split, by the seed in their names, without opening them."""
    files = sorted(Path(folder).glob("clip_*.npz"))
    return [f for f in files if split_of_seed(int(f.stem.split("_")[1])) == split]
