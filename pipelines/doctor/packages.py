"""Python, the packages and the extras."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.doctor.finding import Finding, note, ok, problem
from pipelines.doctor.machine import Machine

EXTRAS = {
    "mediapipe": (("mediapipe",), "finding the person with MediaPipe itself (--segmenter mediapipe)"),
    "webrtc": (("aiortc", "aiohttp"), "browsers and WHIP/WHEP (livelight serve)"),
    "vcam": (("pyvirtualcam",), "the virtual camera of OBS"),
    "metrics": (("prometheus-client",), "figures for Prometheus"),
}
"""Extra -> its packages, and what it is for. The TensorRT flavours: pipelines.doctor.computing."""

ENGINES = ("openvino", "onnxruntime", "torch")
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")


def package_findings(machine: Machine) -> Iterator[Finding]:
    """What is installed, what is missing, what collides."""
    yield ok("Python", f"{machine.python}, livelight {machine.package('livelight') or '(not installed as a package)'}")
    engines = {name: version for name in ENGINES if (version := machine.package(name))}
    if engines:
        yield ok("packages", "inference: " + ", ".join(f"{name} {version}" for name, version in engines.items()))
    else:
        yield problem("packages", "No inference engine is installed.", "pip install 'livelight[onnxruntime]'")
    variants = [name for name in OPENCV if machine.package(name)]
    if len(variants) > 1:
        what = f"{' and '.join(variants)} overwrite each other's files."
        mend = f"pip uninstall {' '.join(variants)} && pip install opencv-contrib-python"
        yield note("packages", what, mend)
    for extra, (packages, purpose) in EXTRAS.items():
        missing = [name for name in packages if machine.package(name) is None]
        if missing:
            what = f"{', '.join(missing)} for {purpose}: not installed."
            yield note("extras", what, f"pip install 'livelight[{extra}]'")
        else:
            yield ok("extras", f"{extra}: {', '.join(f'{name} {machine.package(name)}' for name in packages)}")
    yield from _gstreamer(machine)


def _gstreamer(machine: Machine) -> Iterator[Finding]:
    if machine.system != "Linux":
        return
    version = machine.run("gst-inspect-1.0", "--version")
    if version is None:
        from pipelines.gstreamer.environment import PACKAGES

        yield note("extras", "GStreamer is not installed.", f"sudo apt install {PACKAGES}")
    elif machine.run("gst-inspect-1.0", "pipewiresink") is None:
        what = "GStreamer lacks the plugin for PipeWire (livelight run --sink pipewire)."
        yield note("extras", what, "sudo apt install gstreamer1.0-pipewire")
    else:
        yield ok("extras", f"{version.splitlines()[0]}, with PipeWire")
