"""Last pass over a clip: the network's small pictures at the frame's full resolution, before the wanted background."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from livelight.frame import Frame
from livelight.lighting import Light
from livelight.recombine import blur_room
from livelight.relight import Relighter, State
from offline.detail import at_full_resolution
from pipelines.prepare_clip import shrunk

if TYPE_CHECKING:
    from offline.denoiser import VideoModel
    from offline.frame_store import FrameStore

DECODED_AHEAD = 4


class FinishStep:
    """A RelightStep whose pictures come from clean latents; frames must come in the clip's order, each once."""

    def __init__(
        self, latents: FrameStore, model: VideoModel, live: Relighter, size: tuple[int, int], detail: float
    ) -> None:
        """latents: one per frame of the clip. live: gives the matte. size: (width, height) of the model's pictures."""
        self.timings_ms: dict[str, float] = {}
        self._latents, self._model, self._live = latents, model, live
        self._size, self._detail = size, detail
        self._next = 0
        self._pictures: list[NDArray[np.uint8]] = []

    def step(self, frame: Frame, light: Light, state: State | None) -> tuple[Frame, State]:
        """Put the relit person of the next frame together."""
        _, state = self._live.step(frame, replace(light, intensity=0.0, backdrop=None, blur=0.0), state)
        inside = self._live.inside
        assert inside is not None
        matte = cv2.resize(inside.alpha, self._size, interpolation=cv2.INTER_AREA)
        small = shrunk(frame.image, self._size)
        relit = at_full_resolution(frame.image, small, self._picture(), matte, self._detail)
        return frame.with_image(composed(frame.image, relit, inside.alpha, light)), state

    def _picture(self) -> NDArray[np.uint8]:
        if not self._pictures:
            stop = min(self._next + DECODED_AHEAD, len(self._latents))
            self._pictures = list(self._model.decode(self._latents.read(self._next, stop)))
            self._next = stop
        return self._pictures.pop(0)


def composed(
    frame: NDArray[np.uint8], relit: NDArray[np.float32], alpha: NDArray[np.float32], light: Light
) -> NDArray[np.uint8]:
    """The relit person, float32 (h, w, 3) 0..255, with intensity and tone, before the light's background.

    frame: uint8 (h, w, 3). alpha: float32 (h, w). Where the room is kept and nobody stands, the frame comes out bit
    for bit. Returns uint8 (h, w, 3) sRGB.
    """
    source = frame.astype(np.float32)
    person = relit * np.power(light.tone_gain, 1 / 2.2)
    person = source + np.float32(light.intensity) * (person - source)
    room = source
    if light.backdrop is not None:
        room = light.backdrop.astype(np.float32)
    elif light.blur > 0:
        room = blur_room(frame, alpha, light.blur).astype(np.float32)
    return np.rint(np.clip(room + alpha[..., None] * (person - room), 0, 255)).astype(np.uint8)
