from __future__ import annotations

import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from livelight.bands import Bands
from livelight.lighting import Light
from livelight.recombine import Recombiner, apart, blur_room, room_luma

H, W = 90, 160


class Both:
    """A Recombiner's two steps, one after the other; hurried: the first is cut short before its first band."""

    def __init__(self, bands: Bands, hurried: bool) -> None:
        self.recombiner, self.hurry = Recombiner(bands), threading.Event()
        if hurried:
            self.hurry.set()

    def __call__(self, frame, small, gain, offset, matte, alpha, light: Light) -> np.ndarray:
        written = np.full_like(alpha, np.nan)

        def write(rows: slice) -> None:
            written[rows] = alpha[rows]

        ground = self.recombiner.prepare(frame, small, matte, written, light, write, self.hurry)
        out = self.recombiner.finish(ground, gain, offset, light)
        assert np.array_equal(written, alpha)
        return out


@pytest.fixture(params=[False, True], ids=["beside", "hurried"])
def recombine(request: pytest.FixtureRequest) -> Iterator[Both]:
    bands = Bands()
    yield Both(bands, request.param)
    bands.close()


def light(intensity: float = 1.0, backdrop: np.ndarray | None = None, blur: float = 0.0, tone: float = 1.0) -> Light:
    return Light(np.ones((16, 16, 3), np.float32), backdrop, blur, intensity, np.full(3, tone, np.float32))


def seen(frame: np.ndarray) -> np.ndarray:
    """The frame on the network's grid."""
    return cv2.resize(frame, (40, 24), interpolation=cv2.INTER_AREA)


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A noisy frame, small gain and offset, and a matte that covers the left half."""
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
    gain = np.full((24, 40, 3), (0.5, 1.0, 1.5), np.float32)
    offset = np.full((24, 40, 3), 0.1, np.float32)
    alpha = np.zeros((H, W), np.float32)
    alpha[:, : W // 2] = 1
    return frame, gain, offset, alpha


def test_the_formula_is_gain_and_offset(recombine: Both) -> None:
    frame, gain, offset, alpha = scene()
    ones = np.ones((24, 40), np.float32)
    out = recombine(frame, seen(frame), gain, offset, ones, alpha, light())
    expected = np.clip(frame * np.float32((0.5, 1.0, 1.5)) + 25.5, 0, 255)
    assert np.abs(out[:, : W // 2] - expected[:, : W // 2]).max() <= 0.51


def test_the_own_room_is_untouched_bit_for_bit(recombine: Both) -> None:
    frame, gain, offset, alpha = scene()
    out = recombine(frame, seen(frame), gain, offset, np.ones((24, 40), np.float32), alpha, light())
    assert np.array_equal(out[:, W // 2 :], frame[:, W // 2 :])


@pytest.mark.parametrize("backdrop", [False, True])
def test_intensity_0_leaves_the_person_untouched(recombine: Both, backdrop: bool) -> None:
    frame, gain, offset, alpha = scene()
    room = np.full((H, W, 3), 7, np.uint8) if backdrop else None
    out = recombine(frame, seen(frame), gain, offset, np.ones((24, 40), np.float32), alpha, light(0.0, room))
    assert np.array_equal(out[:, : W // 2], frame[:, : W // 2])
    assert np.array_equal(out[:, W // 2 :], frame[:, W // 2 :] if room is None else room[:, W // 2 :])


def test_tone_darkens_the_person_by_its_linear_gain(recombine: Both) -> None:
    frame = np.full((H, W, 3), 180, np.uint8)
    flat = np.ones((24, 40, 3), np.float32)
    alpha = np.ones((H, W), np.float32)
    out = recombine(frame, seen(frame), flat, flat * 0, alpha[:24, :40], alpha, light(tone=0.5))
    expected = 180 * 0.5 ** (1 / 2.2)
    assert abs(float(out.mean()) - expected) < 1


def test_no_halo_from_what_the_network_says_of_the_room(recombine: Both) -> None:
    frame = np.full((H, W, 3), 100, np.uint8)
    matte = np.zeros((24, 40), np.float32)
    matte[:, :20] = 1
    gain = np.where(matte[..., None] > 0, 1.2, 3.0).astype(np.float32) * np.ones(3, np.float32)
    alpha = np.zeros((H, W), np.float32)
    alpha[:, :80] = 1
    out = recombine(frame, seen(frame), gain, gain * 0, matte, alpha, light())
    edge = out[:, 70:80].astype(int)
    assert abs(edge - 120).max() <= 6  # without the continuation the last columns reach about 200


def test_a_dark_sleeve_does_not_stain_a_white_wall(recombine: Both) -> None:
    """Mixed pixels of the edge get what the sleeve alone would get: no coloured seam."""
    alpha = np.broadcast_to(np.clip((np.arange(W, dtype=np.float32) - 70) / 20, 0, 1), (H, W)).copy()
    wall, sleeve, by = np.float32([220, 220, 220]), np.float32([60, 60, 60]), np.float32([2.0, 1.0, 0.6])
    frame = np.rint(alpha[..., None] * sleeve + (1 - alpha[..., None]) * wall).astype(np.uint8)
    matte = cv2.resize(alpha, (40, 24), interpolation=cv2.INTER_AREA)
    gain = np.broadcast_to(by, (24, 40, 3)).copy()
    out = recombine(frame, seen(frame), gain, gain * 0, matte, alpha, light())
    truth = alpha[..., None] * sleeve * by + (1 - alpha[..., None]) * wall
    plain = frame * (1 + alpha[..., None] * (by - 1))
    assert np.abs(out - truth).max() < 0.3 * np.abs(plain - truth).max()


def test_a_white_wall_leaves_no_seam_before_a_new_background(recombine: Both) -> None:
    alpha = np.broadcast_to(np.clip((np.arange(W, dtype=np.float32) - 70) / 20, 0, 1), (H, W)).copy()
    wall, sleeve, night = np.float32([230, 230, 225]), np.float32([60, 40, 30]), np.full((H, W, 3), 10, np.uint8)
    frame = np.rint(alpha[..., None] * sleeve + (1 - alpha[..., None]) * wall).astype(np.uint8)
    matte = cv2.resize(alpha, (40, 24), interpolation=cv2.INTER_AREA)
    flat = np.ones((24, 40, 3), np.float32)
    out = recombine(frame, seen(frame), flat, flat * 0, matte, alpha, light(backdrop=night))
    truth = alpha[..., None] * sleeve + (1 - alpha[..., None]) * night
    plain = alpha[..., None] * frame + (1 - alpha[..., None]) * night
    assert np.abs(out - truth).max() < 0.2 * np.abs(plain - truth).max()


def test_noise_in_black_hair_is_not_made_bright_and_coloured(recombine: Both) -> None:
    rng = np.random.default_rng(3)
    frame = np.clip(rng.normal((12, 4, 9), 10, (H, W, 3)), 0, 255).astype(np.uint8)
    gain, alpha = np.full((24, 40, 3), 4.0, np.float32), np.ones((H, W), np.float32)
    out = recombine(frame, seen(frame), gain, gain * 0, alpha[:24, :40], alpha, light()).astype(np.float32)
    assert out.mean() > 2.5 * frame.mean()
    red_over_green = out.mean((0, 1))[0] / out.mean((0, 1))[1]
    assert red_over_green < 1.5 < frame.mean((0, 1))[0] / frame.mean((0, 1))[1]
    assert out.std() < 2 * frame.std()  # four times, multiplied


def test_bright_hair_is_multiplied_as_ever(recombine: Both) -> None:
    frame, alpha = np.full((H, W, 3), (80, 60, 50), np.uint8), np.ones((H, W), np.float32)
    gain = np.full((24, 40, 3), 2.0, np.float32)
    out = recombine(frame, seen(frame), gain, gain * 0, alpha[:24, :40], alpha, light())
    assert np.abs(out.astype(int) - 2 * frame.astype(int)).max() <= 1


def test_the_size_may_change(recombine: Both) -> None:
    for h, w in ((90, 160), (48, 64), (90, 160)):
        frame = np.zeros((h, w, 3), np.uint8)
        out = recombine(frame, frame[:4, :4], np.ones((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.float32),
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
def test_a_person_in_the_middle_is_relit_as_in_the_formula(recombine: Both, backdrop: bool) -> None:
    rng = np.random.default_rng(5)
    frame = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
    gain, offset = rng.random((24, 40, 3), np.float32) + 0.5, rng.random((24, 40, 3), np.float32) * 0.2 - 0.1
    alpha = np.zeros((H, W), np.float32)
    alpha[20:61, 40:90] = cv2.resize(rng.random((5, 5), np.float32), (50, 41))
    room = rng.integers(0, 256, (H, W, 3), dtype=np.uint8) if backdrop else None
    out = recombine(frame, seen(frame), gain, offset, np.ones((24, 40), np.float32), alpha, light(backdrop=room))
    share, person = alpha, frame.astype(np.float32)
    if room is not None:
        near, old = (
            cv2.resize(x.reshape(24, 40, 3), (W, H)) for x in apart(seen(frame), np.ones((24, 40), np.float32))
        )
        part = alpha[..., None]
        person = (near + part * (frame - part * near - (1 - part) * old)).clip(0, 255)
    relit = person * cv2.resize(gain, (W, H)) + 255 * cv2.resize(offset, (W, H))
    if room is not None:
        relit = relit.clip(0, 255)
    if room is None:
        small = cv2.cvtColor(seen(frame), cv2.COLOR_RGB2GRAY).astype(np.float32)
        behind = cv2.resize(room_luma(small, np.ones((24, 40), np.float32)), (W, H))
        luma = np.maximum(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 1)
        share = np.minimum(np.maximum(1 - (1 - alpha) * behind / luma, 0), 4 * alpha)
    truth = (1 - share[..., None]) * (frame if room is None else room) + share[..., None] * relit
    # The weight of the continuation is 1 / 1.001 of the whole where everybody is a person.
    assert np.abs(out - truth.clip(0, 255)).max() <= 1.6
