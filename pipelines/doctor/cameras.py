"""Are there cameras, and may we have them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from livelight.sources.camera_list import CameraMode
from pipelines.doctor.finding import Finding, note, ok, problem
from pipelines.doctor.machine import Machine

AREA = "camera"

_ALLOW = {
    "Darwin": "System Settings, Privacy & Security, Camera: allow your terminal, then start it anew",
    "Windows": "Settings, Privacy & security, Camera: let desktop apps access your camera",
}


def camera_findings(machine: Machine) -> Iterator[Finding]:
    """One finding for each real camera, or why there is none."""
    real = [camera for camera in machine.cameras() if not camera.virtual]
    for camera in real:
        if camera.problem is None:
            yield ok(AREA, f"{camera.name} ({camera.device}){_modes(camera.modes)}")
        elif machine.system == "Linux" and not machine.usable(camera.device):
            mend = "sudo usermod -aG video $USER, then log in again"
            yield problem(AREA, f"{camera.device} may not be opened by this user.", mend)
        else:
            yield problem(AREA, camera.problem, "close the program that uses it, or plug it in again")
    if not real:
        yield _no_camera(machine)


def _modes(modes: Iterable[CameraMode]) -> str:
    """The largest mode in words, for cameras that tell."""
    best = max(modes, key=lambda m: (m.width * m.height, max(m.rates, default=0)), default=None)
    if best is None:
        return ""
    rate = f" at {float(max(best.rates)):.0f} fps" if best.rates else ""
    return f", up to {best.width}x{best.height}{rate} as {best.pixel_format}"


def _no_camera(machine: Machine) -> Finding:
    """Without one, LiveLight still plays files."""
    if machine.system != "Linux":
        return note(AREA, "The system lists no camera to this program.", _ALLOW.get(machine.system, ""))
    if (machine.run("lsusb") or "").lower().count("cam"):
        mend = "sudo modprobe uvcvideo, and look at: sudo dmesg | tail"
        return problem(AREA, "A USB camera is plugged in, but the kernel has made no device for it.", mend)
    return note(AREA, "There is no camera.", "plug one in, or try: livelight run --camera pattern")
