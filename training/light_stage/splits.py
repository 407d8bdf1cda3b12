"""Who belongs to train, val and test: identities (seeds), skins and panoramas, none shared."""

import hashlib
from pathlib import Path

from training.light_stage import assets, skin

SPLITS = ("train", "val", "test")
# Skins held out: one dark, one light each, both sexes over the two.
VAL_SKINS = ("middleage_darkskinned_female_diffuse", "young_lightskinned_male_diffuse3")
TEST_SKINS = ("old_darkskinned_male_diffuse", "middleage_lightskinned_female_diffuse2")


def split_of_seed(seed: int) -> str:
    """8 % of identities are val, 8 % test, the rest train; every clip seed is its own identity."""
    draw = int(hashlib.sha256(f"identity {seed}".encode()).hexdigest()[:8], 16) / 2**32
    return "val" if draw < 0.08 else "test" if draw < 0.16 else "train"


def skins_of(split: str) -> list[str]:
    """Skin names of a split."""
    held = {"val": VAL_SKINS, "test": TEST_SKINS}
    if split in held:
        return list(held[split])
    return [s for s in skin.names() if s not in VAL_SKINS + TEST_SKINS]


def panoramas_of(split: str) -> list[Path]:
    """Panorama files of a split: every 8th by name is val, the next test, the rest train."""
    files = sorted((assets.root() / "hdri").glob("*.hdr"))
    kind = {3: "val", 7: "test"}
    return [f for i, f in enumerate(files) if kind.get(i % 8, "train") == split]
