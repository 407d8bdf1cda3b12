from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from livelight.bands import Bands
from livelight.lighting import Light
from livelight.recombine import Recombiner, blur_room
from livelight.scratch import Scratch

H, W = 90, 160


@pytest.fixture
def recombine() -> Iterator[Recombiner]:
    bands = Bands()
    yield Recombiner(Scratch(), bands)
    bands.close()


def light(intensity: float = 1.0, backdrop: np.ndarray | None = None, blur: float = 0.0, tone: float = 1.0) -> Light:
    return Light(np.ones((16, 16, 3), np.float32), backdrop, blur, intensity, np.full(3, tone, np.float32))


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A noisy frame, small gain and offset, and a matte that covers the left half."""
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
    gain = np.full((24, 40, 3), (0.5, 1.0, 1.5), np.float32)
    offset = np.full((24, 40, 3), 0.1, np.float32)
    alpha = np.zeros((H, W), np.float32)
    alpha[:, : W // 2] = 1
    return frame, gain, offset, alpha


def test_the_formula_is_gain_and_offset(recombine: Recombiner) -> None:
    frame, gain, offset, alpha = scene()
    ones = np.ones((24, 40), np.float32)
    out = recombine(frame, gain, offset, ones, alpha, light())
    expected = np.clip(frame * np.float32((0.5, 1.0, 1.5)) + 25.5, 0, 255)
    assert np.abs(out[:, : W // 2] - expected[:, : W // 2]).max() <= 0.51


def test_the_own_room_is_untouched_bit_for_bit(recombine: Recombiner) -> None:
    frame, gain, offset, alpha = scene()
    out = recombine(frame, gain, offset, np.ones((24, 40), np.float32), alpha, light())
    assert np.array_equal(out[:, W // 2 :], frame[:, W // 2 :])


@pytest.mark.parametrize("backdrop", [False, True])
def test_intensity_0_leaves_the_person_untouched(recombine: Recombiner, backdrop: bool) -> None:
    frame, gain, offset, alpha = scene()
    room = np.full((H, W, 3), 7, np.uint8) if backdrop else None
    out = recombine(frame, gain, offset, np.ones((24, 40), np.float32), alpha, light(0.0, room))
    assert np.array_equal(out[:, : W // 2], frame[:, : W // 2])
    assert np.array_equal(out[:, W // 2 :], frame[:, W // 2 :] if room is None else room[:, W // 2 :])


def test_tone_darkens_the_person_by_its_linear_gain(recombine: Recombiner) -> None:
    frame = np.full((H, W, 3), 180, np.uint8)
    flat = np.ones((24, 40, 3), np.float32)
    alpha = np.ones((H, W), np.float32)
    out = recombine(frame, flat, flat * 0, alpha[:24, :40], alpha, light(tone=0.5))
    expected = 180 * 0.5 ** (1 / 2.2)
    assert abs(float(out.mean()) - expected) < 1


def test_no_halo_from_what_the_network_says_of_the_room(recombine: Recombiner) -> None:
    frame = np.full((H, W, 3), 100, np.uint8)
    matte = np.zeros((24, 40), np.float32)
    matte[:, :20] = 1
    gain = np.where(matte[..., None] > 0, 1.2, 3.0).astype(np.float32) * np.ones(3, np.float32)
    alpha = np.zeros((H, W), np.float32)
    alpha[:, :80] = 1
    out = recombine(frame, gain, gain * 0, matte, alpha, light())
    edge = out[:, 70:80].astype(int)
    assert abs(edge - 120).max() <= 6  # without the continuation the last columns reach about 200


def test_scratch_follows_a_change_of_size(recombine: Recombiner) -> None:
    for h, w in ((90, 160), (48, 64), (90, 160)):
        frame = np.zeros((h, w, 3), np.uint8)
        out = recombine(frame, np.ones((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.float32),
                        np.ones((4, 4), np.float32), np.ones((h, w), np.float32), light())  # fmt: skip
        assert out.shape == frame.shape


def test_a_blurred_room_is_not_stained_by_the_person() -> None:
    frame = np.full((H, W, 3), (0, 0, 200), np.uint8)
    alpha = np.zeros((H, W), np.float32)
    alpha[20:70, 40:90] = 1
    frame[20:70, 40:90] = (255, 0, 0)
    room = blur_room(frame, alpha, 60)
    assert room[alpha == 0][:, 0].max() < 20  # a plain blur leaves 128 at the edge
    assert room[alpha == 0][:, 2].min() > 185


@pytest.mark.parametrize("backdrop", [False, True])
def test_a_person_in_the_middle_is_relit_as_in_the_formula(recombine: Recombiner, backdrop: bool) -> None:
    rng = np.random.default_rng(5)
    frame = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
    gain, offset = rng.random((24, 40, 3), np.float32) + 0.5, rng.random((24, 40, 3), np.float32) * 0.2 - 0.1
    alpha = np.zeros((H, W), np.float32)
    alpha[20:61, 40:90] = cv2.resize(rng.random((5, 5), np.float32), (50, 41))
    room = rng.integers(0, 256, (H, W, 3), dtype=np.uint8) if backdrop else None
    out = recombine(frame, gain, offset, np.ones((24, 40), np.float32), alpha, light(backdrop=room))
    relit = frame * cv2.resize(gain, (W, H)) + 255 * cv2.resize(offset, (W, H))
    if room is not None:
        relit = relit.clip(0, 255)
    truth = (1 - alpha[..., None]) * (frame if room is None else room) + alpha[..., None] * relit
    # The weight of the continuation is 1 / 1.001 of the whole where everybody is a person.
    assert np.abs(out - truth.clip(0, 255)).max() <= 1.6
