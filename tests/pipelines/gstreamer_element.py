"""Plays the demo clip through ``livelightrelight`` and changes its properties: run by test_gstreamer_element.py.

Prints JSON lines: what the bus said, and how the pictures changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np

from livelight.gstreamer_library import load_gst

gst = load_gst()
WAIT_NS = 120 * gst.SECOND


def pull(out) -> np.ndarray:
    sample = out.try_pull_sample(WAIT_NS)
    buffer = sample.get_buffer()
    picture = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8).reshape(360, 640, 3)
    return picture.astype(float)


def differences(relit, plain, count: int) -> list[float]:
    """Mean difference in levels between the two branches, frame by frame."""
    return [float(np.abs(pull(relit) - pull(plain)).mean()) for _ in range(count)]


def until(reached: Callable[[float], bool], relit, plain) -> list[float]:
    """``differences`` up to the first that is ``reached``: light is made beside the frames. 60 frames at most."""
    found: list[float] = []
    while len(found) < 60 and not (found and reached(found[-1])):
        found += differences(relit, plain, 1)
    return found


def messages(pipeline) -> list[str]:
    """The sentences of all warnings on the bus."""
    found = []
    while (message := pipeline.get_bus().pop_filtered(gst.MessageType.WARNING)) is not None:
        found.append(message.parse_warning()[0].message)
    return found


def restarted(pipeline) -> bool:
    """Whether a pipeline plays to its end."""
    pipeline.set_state(gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(WAIT_NS, gst.MessageType.EOS | gst.MessageType.ERROR)
    pipeline.set_state(gst.State.NULL)
    return message is not None and message.type == gst.MessageType.EOS


def live_latency_ms() -> float:
    """What a live pipeline of 25 fps says that its sink must wait."""
    pipeline = gst.parse_launch(
        "videotestsrc is-live=true ! video/x-raw,framerate=25/1 ! videoconvert ! livelightrelight ! fakesink sync=true"
    )
    pipeline.set_state(gst.State.PLAYING)
    pipeline.get_state(WAIT_NS)
    query = gst.Query.new_latency()
    assert pipeline.query(query)
    pipeline.set_state(gst.State.NULL)
    return query.parse_latency()[1] / 1e6


def main(clip: str) -> None:
    pipeline = gst.parse_launch(
        f"filesrc location={clip} ! decodebin ! videoscale ! videoconvert ! "
        "video/x-raw,format=RGB,width=640,height=360 ! tee name=t "
        "t. ! queue ! livelightrelight name=relight env=neon ! appsink name=relit sync=false max-buffers=2 "
        "t. ! queue ! appsink name=plain sync=false max-buffers=2"
    )
    element, relit, plain = (pipeline.get_by_name(name) for name in ("relight", "relit", "plain"))
    pipeline.set_state(gst.State.PLAYING)
    report = {"neon": differences(relit, plain, 3)}
    element.set_property("intensity", 0.0)
    report["off"] = until(lambda difference: difference == 0, relit, plain)
    element.set_property("intensity", 2.0)  # refused
    element.set_property("threads", 1)  # fixed
    report["refused"] = messages(pipeline)
    report["shown"] = [element.get_property(name) for name in ("intensity", "env", "exposure", "threads")]
    element.set_property("preset", "full")
    report["preset"] = until(lambda difference: difference > 1, relit, plain)
    report["env"] = element.get_property("env")
    pipeline.seek_simple(gst.Format.TIME, gst.SeekFlags.FLUSH, 0)
    report["again"] = differences(relit, plain, 3)
    pipeline.set_state(gst.State.NULL)
    short = gst.parse_launch("videotestsrc num-buffers=2 ! videoconvert ! livelightrelight ! fakesink")
    report["lives"] = [restarted(short) for _ in range(2)]
    report["latency_ms"] = live_latency_ms()
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
