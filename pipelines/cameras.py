"""``livelight cameras``: what there is, and what it can do."""

from __future__ import annotations

import sys

from livelight.sources.camera_list import Camera, list_cameras


def cameras_command() -> None:
    """Print every camera with its formats, sizes and rates."""
    cameras = list_cameras()
    for camera in cameras:
        print("\n".join(lines_of(camera)))
    if not cameras:
        print("No camera. A file plays in place of one: livelight run --camera FILE.", file=sys.stderr)


def lines_of(camera: Camera) -> list[str]:
    """A camera for people: one line for itself, one per pixel format and size."""
    what = " (virtual)" if camera.virtual else ""
    lines = [f"{camera.number}  {camera.name}{what}  {camera.device}"]
    if camera.problem:
        lines.append(f"   {camera.problem}")
    for mode in camera.modes:
        rates = ", ".join(f"{float(rate):g}" for rate in mode.rates)
        lines.append(f"   {mode.pixel_format:4}  {mode.width}x{mode.height}{f'  {rates} fps' if rates else ''}")
    return lines
