"""The contract between the relighter and an inference engine, and the choice of one."""

from __future__ import annotations

import importlib
import logging
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from livelight.errors import LiveLightError, RuntimeFailure

F32 = NDArray[np.float32]
NetworkState = tuple[F32, ...]
"""The network's recurrent state, one (1, c, h / stride, w / stride) array for each input named ``state<stride>``."""

STRIDE = 16
"""Network pictures have a height and width that are multiples of this."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What the network says of one picture of h x w pixels. All float32.

    gain, offset: (h, w, 3); relit = source * gain + offset, sRGB-coded in [0, 1] before clipping.
    matte: (h, w) in [0, 1], straight alpha of all persons.
    normals: (h/2, w/2, 3), camera frame, unit length.
    source_light: (16, 16, 3), linear radiance, the light that the network believes the picture was taken under.
    state: to be given to the next ``run``; owned by the caller. The other arrays may be reused by the next ``run``.
    """

    gain: F32
    offset: F32
    matte: F32
    normals: F32
    source_light: F32
    state: NetworkState


class Runtime(Protocol):
    """Runs the relighting network. One thread at a time; a change of picture size costs a compilation.

    The constructor raises RuntimeFailure if the engine or the model cannot be used, MissingExtra if the engine is not
    installed. ``run`` raises RuntimeFailure if the engine fails or returns a value that is not finite.
    """

    name: str

    def run(self, image: NDArray[np.uint8], light: F32, state: NetworkState | None) -> NetworkOutput:
        """image uint8 (h, w, 3) sRGB, h and w multiples of STRIDE; light (16, 16, 3) linear; None starts a clip."""
        ...


def start_state(channels: dict[str, int], height: int, width: int) -> NetworkState:
    """Zero states for one picture; ``channels`` maps an input name ``state<stride>`` to its channels."""
    sizes = ((c, int(name.removeprefix("state"))) for name, c in channels.items())
    return tuple(np.zeros((1, c, height // s, width // s), np.float32) for c, s in sizes)


def network_output(arrays: list[F32], engine: str) -> NetworkOutput:
    """Wrap the seven results of the exported graph, in its order; refuses values that are not finite."""
    gain, offset, matte, normals, source_light, *state = arrays
    if not all(np.isfinite(array).all() for array in (gain, offset, matte)):
        raise RuntimeFailure(
            f"{engine} returned values that are not finite; choose another engine with --runtime or report this model"
        )
    return NetworkOutput(gain[0], offset[0], matte[0], normals[0], source_light[0], tuple(state))


def open_runtime(name: str, model: Path, threads: int = 0) -> Runtime:
    """The engine called ``name``, or for "auto" the first of openvino, onnxruntime and torch that works.

    threads: CPU threads, 0 = all cores. Raises RuntimeFailure for a file that is no relighter, and with the reason of
    each engine that was rejected.
    """
    wanted = "live or an .onnx file made by training.export"
    if not model.is_file():
        raise RuntimeFailure(f"the relighter {model} does not exist; expected {wanted}.")
    if not _is_relighter(model):
        raise RuntimeFailure(f"{model} is no ONNX relighter, or is cut off; expected {wanted}.")
    if name != "auto":
        return _open(name, model, threads)
    rejected = []
    for candidate in ("openvino", "onnxruntime", "torch"):
        try:
            runtime = _open(candidate, model, threads)
        except LiveLightError as exc:
            rejected.append(f"{candidate}: {exc}")
            log.warning("runtime %s rejected: %s", candidate, exc)
        else:
            log.info("runtime %s chosen", candidate)
            return runtime
    raise RuntimeFailure("no inference engine works here; " + "; ".join(rejected))


def _is_relighter(model: Path) -> bool:
    """Whether a file begins as ONNX does and has the mark of training.export: engines print noise about others."""
    try:
        with model.open("rb") as file:
            if file.read(1) != b"\x08":  # the field ir_version comes first
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.rfind(b"livelight.size") >= 0
    except OSError as exc:
        raise RuntimeFailure(f"the relighter {model} cannot be read ({exc.strerror}); choose another file.") from exc


def _open(name: str, model: Path, threads: int) -> Runtime:
    if name.startswith("tensorrt"):
        raise RuntimeFailure(
            f"{name} has no network-only engine: use livelight relight, or measure with livelight engine bench"
        )
    module = importlib.import_module(f"livelight.runtimes.{name}_runtime")
    runtime: Runtime = module.open_model(model, threads)
    return runtime
