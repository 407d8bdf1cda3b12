"""Machines for the doctor: facts in a dictionary, none of them true of the machine that runs the test."""

from __future__ import annotations

from dataclasses import dataclass, field

from livelight.sources.camera_list import Camera
from trt_engines.store import Entry

FULL = {
    "livelight": "0.1.0",
    "openvino": "2026.4.1",
    "mediapipe": "1.2.2",
    "opencv-contrib-python": "5.0",
    "aiortc": "1.16.0",
    "aiohttp": "3.14.5",
    "pyvirtualcam": "0.15.0",
    "prometheus-client": "0.26.0",
}


@dataclass
class FakeMachine:
    """Machine of made-up facts. texts: path -> content; commands: what is called -> what it prints; refused: paths that
    this user may not use.
    """

    system: str = "Linux"
    processor: str = "x86_64"
    python: str = "3.11.7"
    texts: dict[str, str] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=lambda: dict(FULL))
    found_cameras: list[Camera] = field(default_factory=lambda: [Camera(0, "Webcam", "/dev/video0")])
    found_engines: list[Entry] = field(default_factory=list)
    refused: tuple[str, ...] = ()

    def text(self, path: str) -> str | None:
        return self.texts.get(path)

    def names(self, folder: str) -> list[str]:
        inside = [p.removeprefix(folder + "/") for p in self.texts if p.startswith(folder + "/")]
        return sorted({p.split("/")[0] for p in inside})

    def usable(self, path: str) -> bool:
        return path not in self.refused

    def run(self, *command: str) -> str | None:
        return self.commands.get(" ".join(command))

    def variable(self, name: str) -> str:
        return ""

    def package(self, name: str) -> str | None:
        return self.packages.get(name)

    def cameras(self) -> list[Camera]:
        return self.found_cameras

    def engines(self) -> list[Entry]:
        return self.found_engines


def loopback(exclusive: str = "Y", label: str = "LiveLight") -> dict[str, str]:
    """Files of a machine with v4l2loopback and one device."""
    return {
        "/sys/module/v4l2loopback/version": "0.13.2\n",
        "/sys/module/v4l2loopback/parameters/exclusive_caps": f"{exclusive},N,N,N\n",
        "/sys/devices/virtual/video4linux/video10/name": f"{label}\n",
    }


def cpu(flags: str) -> dict[str, str]:
    return {"/proc/cpuinfo": f"processor\t: 0\nmodel name\t: Test CPU\nflags\t\t: fpu {flags}\n"}


def nvidia(name: str = "NVIDIA GeForce RTX 4070", driver: str = "580.65.06", capability: str = "8.9") -> dict[str, str]:
    """Commands of a machine with a card."""
    query = "nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader"
    return {query: f"{name}, {driver}, {capability}\n"}
