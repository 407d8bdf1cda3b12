"""What finds the person, and the choice of it. The contract: livelight.segment.Segmenter."""

from __future__ import annotations

import logging

from livelight.errors import LiveLightError, RuntimeFailure, SettingsError
from livelight.runtimes.picture_network import ENGINES
from livelight.segment import Segmenter

log = logging.getLogger(__name__)


def open_segmenter(name: str = "auto", runtime: str = "auto") -> Segmenter:
    """The segmenter called ``name``; for "auto" the first of onnx and mediapipe that works.

    runtime: the relighter's engine; the segmenter takes the same if it knows it, else the first that works.
    Raises SettingsError for "own", which is no network beside the relighter; RuntimeFailure or MissingExtra; for "auto"
    with the reason of each that was rejected.
    """
    if name == "own":
        raise SettingsError("--segmenter own is for the live relighter on a CPU; expected auto, onnx or mediapipe")
    if name != "auto":
        return _open(name, runtime)
    rejected = []
    for candidate in ("onnx", "mediapipe"):
        try:
            return _open(candidate, runtime)
        except LiveLightError as exc:
            rejected.append(f"{candidate}: {exc}")
            log.warning("segmenter %s rejected: %s", candidate, exc)
    raise RuntimeFailure("nothing that finds the person works here; " + "; ".join(rejected))


def _open(name: str, runtime: str) -> Segmenter:
    if name == "mediapipe":
        from livelight.segmenters.mediapipe_segmenter import MediaPipeSegmenter

        return MediaPipeSegmenter()
    from livelight.segmenters.selfie import SelfieSegmenter

    return SelfieSegmenter(runtime if runtime in ENGINES else "auto")
