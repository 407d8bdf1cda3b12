"""What an engine is made for: if any of this differs, it is another engine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from livelight.errors import RuntimeFailure, SettingsError

Precision = Literal["fp32", "fp16", "bf16", "int8", "fp8"]
"""Arithmetic of the convolutions. int8, fp8: of those that bear it (trt_engines.quantised), fp16 for the others."""

EIGHT_BITS: tuple[Precision, ...] = ("int8", "fp8")
"""Those that need the ranges of the convolutions' inputs (``ranges_path``)."""

NEEDS = {"bf16": ((8, 0), "bfloat16"), "fp8": ((8, 9), "8-bit floats")}
"""Precision -> first compute capability (major, minor) that has it, and what it is called."""

Flavour = Literal["tensorrt", "tensorrt-rtx"]

PROFILES = {
    "512": (512, 512),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "4k": (3840, 2160),
    "portrait": (1080, 1920),
}
"""Frame sizes (width, height) by name; any other size is a profile of its own, written WIDTHxHEIGHT."""

REVISION = 4
"""Raised when the same spec gives another graph."""


@dataclass(frozen=True)
class GraphSpec:
    """The graph: frame size in pixels, streams 1..max_streams side by side, arithmetic, room.

    blur: the room behind the person is the frame's own, out of focus; else the own room or a backdrop.
    """

    width: int
    height: int
    precision: Precision = "fp16"
    blur: bool = False
    max_streams: int = 4

    def text(self) -> str:
        """All fields as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Card:
    """A GPU: the name its driver gives, and its compute capability (major, minor)."""

    name: str
    capability: tuple[int, int]


@dataclass(frozen=True)
class EngineSpec:
    """An engine: graph, weights (SHA-256 of the .onnx file, in 8 bits also of its ranges), TensorRT flavour and exact
    version, and card."""

    graph: GraphSpec
    weights: str
    flavour: Flavour
    version: str
    card: Card
    revision: int = REVISION

    def text(self) -> str:
        """All fields as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def key(self) -> str:
        """The name of the engine in the store: a hash of every field."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:32]

    @classmethod
    def from_text(cls, text: str) -> EngineSpec:
        """Back from ``text``. Raises ValueError, KeyError or TypeError for a foreign text."""
        fields = json.loads(text)
        card = Card(fields["card"]["name"], tuple(fields["card"]["capability"]))
        return replace(cls(**{**fields, "graph": GraphSpec(**fields["graph"])}), card=card)


def hash_of(file: Path, expected: str = "expected an .onnx file") -> str:
    """SHA-256 of a relighter or of its ranges, hexadecimal. Raises RuntimeFailure if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as exc:
        raise RuntimeFailure(f"{file} cannot be read ({exc.strerror}); {expected}") from exc


def ranges_path(weights: Path) -> Path:
    """Where the ranges of a relighter .onnx for 8 bits lie: beside it."""
    return weights.with_suffix(".ranges.json")


def profile_size(name: str) -> tuple[int, int]:
    """(width, height) of a profile's name or of WIDTHxHEIGHT; raises SettingsError."""
    if name.lower() in PROFILES:
        return PROFILES[name.lower()]
    parts = name.lower().split("x")
    if len(parts) == 2 and all(p.isdigit() and int(p) > 0 for p in parts):
        return int(parts[0]), int(parts[1])
    raise SettingsError(f"a profile is one of {', '.join(PROFILES)} or WIDTHxHEIGHT in pixels; got {name!r}")
