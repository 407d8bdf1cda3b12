"""The fast path of training samples against the plain one: relighting, sRGB by table, shrinking by area."""

import cv2
import numpy as np
import pytest

pytest.importorskip("numba")

from livelight.color import linear_to_srgb
from tests.light_stage.test_clip import small_clip
from training.area import resized
from training.light_stage.clip import Clip
from training.light_stage.footage import ALBEDO, ALPHA, CLOTH, CLOTHES, FLOW, NORMAL, SEEN, SKIN, TINT, Footage, Window
from training.light_stage.lights import Light
from training.light_stage.tone import encode
from training.recolour import dye, pigment, skin_colour
from training.samples import sample
from training.source_light import FASTEST, drift
from training.windows import near_window, random_window


@pytest.fixture(scope="module")
def clip() -> Clip:
    """A made-up clip whose pixels are sorted within each frame, as the renderer leaves them."""
    arrays = small_clip(3)
    for first, last in zip(arrays["frame_start"][:-1], arrays["frame_start"][1:], strict=True):
        arrays["pixel"][first:last] = np.sort(arrays["pixel"][first:last])
    arrays["occ_bwd"][::3] = 1
    arrays["alpha"][::4] = 90
    return Clip(arrays | {"focal_px": np.float32(8), "principal_px": np.float32([4, 4])})


WINDOWS = [Window(0, 2, 0, 0, 8), Window(1, 1, 2, 3, 5), Window(0, 2, 1, 0, 6)]


@pytest.mark.parametrize("window", WINDOWS)
def test_footage_relights_as_the_clip_does(clip, window):
    rng = np.random.default_rng(0)
    lights = [Light(rng.uniform(0, 1, (16, 16, 3)).astype(np.float32)) for _ in range(3)]
    lights[1].hard = [(1, np.float32([0.5, 1.0, 2.0]))]
    which = rng.integers(0, 3, (2, window.frames))
    fast = Footage(clip).relight(window, lights, which)
    for k, t in np.ndindex(which.shape):
        light = lights[which[k, t]]
        plain = clip.relight(light.code, light.hard)[window.cut][t]
        assert fast[k, t] == pytest.approx(plain, abs=2e-3, rel=2e-3)  # cv2.remap places to 1/32 of a texel only


@pytest.mark.parametrize("window", WINDOWS)
def test_footage_knows_what_the_clip_knows(clip, window):
    still = Footage(clip).still(window)
    assert still[..., ALPHA] == pytest.approx(clip.alpha[window.cut])
    assert still[..., NORMAL] == pytest.approx(clip.normals[window.cut])
    assert still[..., ALBEDO] == pytest.approx(linear_to_srgb(clip.albedo[window.cut]), abs=1e-5)
    later = slice(window.start, window.start + window.frames - 1)
    assert still[1:, ..., FLOW] == pytest.approx(clip.flow_bwd[later, *window.cut[1:]])
    seen = ~clip.occ_bwd[later, *window.cut[1:]] & (still[1:, ..., ALPHA] > 0.5)
    assert (still[1:, ..., SEEN] == seen).all()


def test_twice_the_pigment_squares_the_albedo_of_skin_alone(clip):
    arrays = clip.arrays
    arrays["label"] = np.where(np.arange(len(arrays["label"])) % 2, SKIN, 3).astype(np.uint8)
    before = arrays["hard"].copy()
    window, lamp = Window(0, 2, 0, 0, 8), Light(np.zeros((16, 16, 3), np.float32), [(0, np.ones(3, np.float32))])
    plain, dark = Footage(clip), Footage(clip, np.full(3, 2.0, np.float32))
    skin = arrays["label"] == SKIN
    albedo = arrays["albedo"].astype(np.float32)
    assert np.array_equal(arrays["hard"], before)
    one, two = (f.relight(window, [lamp], np.zeros((1, 2), int))[0].reshape(-1, 3) for f in (plain, dark))
    where = clip.index
    assert two[where[~skin]] == pytest.approx(one[where[~skin]])
    assert two[where[skin]] == pytest.approx(one[where[skin]] * albedo[skin], rel=5e-3, abs=1e-3)
    tinted = [f.still(window)[..., TINT].reshape(-1, 3)[where] for f in (plain, dark)]
    assert tinted[1][skin] == pytest.approx(tinted[0][skin] * albedo[skin], rel=1e-3, abs=1e-5)


def test_pigment_brings_skin_to_tones_that_people_have(clip):
    arrays = clip.arrays | {"label": np.full(len(clip.arrays["label"]), SKIN, np.uint8)}
    arrays["albedo"] = np.broadcast_to(np.exp(skin_colour(np.log(0.3))), (len(arrays["label"]), 3)).astype(np.float16)
    drawn = np.array([pigment(arrays, np.random.default_rng(seed)) for seed in range(200)])
    colours = np.exp(skin_colour(np.log(0.3))) ** drawn
    tones = colours.mean(1)
    assert 0.12 < tones.min() < 0.17  # 1.6 times the pigment at most
    assert 0.5 < tones.max() < 0.57  # half the pigment at least
    assert colours == pytest.approx(np.array([np.exp(skin_colour(np.log(tone))) for tone in tones]), rel=0.06)
    redness = colours[:, 0] / colours[:, 2]
    assert redness[tones.argmin()] > redness[tones.argmax()]  # light skin is paler
    assert pigment(arrays | {"label": np.zeros(len(arrays["label"]), np.uint8)}, np.random.default_rng(0)) is None


def test_dye_recolours_clothes_alone_and_no_cloth_outshines_snow(clip):
    label = np.where(np.arange(len(clip.arrays["label"])) % 2, CLOTHES, SKIN).astype(np.uint8)
    clip = Clip(clip.arrays | {"label": label})
    window, gain = Window(0, 2, 0, 0, 8), np.float32([2.0, 0.5, 0.1])
    lamp = Light(np.zeros((16, 16, 3), np.float32), [(0, np.ones(3, np.float32))])
    plain, dyed = Footage(clip), Footage(clip, np.full(3, 2.0, np.float32), gain)
    where, albedo = clip.index, clip.arrays["albedo"].astype(np.float32)
    expected = np.where(label[:, None] == CLOTHES, np.minimum(gain * albedo, 0.85), albedo**2)
    cover = clip.arrays["alpha"] / np.float32(255)
    still = dyed.still(window)
    assert still[..., CLOTH].reshape(-1)[where] == pytest.approx(cover * (label == CLOTHES), abs=1e-6)
    assert still[..., TINT].reshape(-1, 3)[where] == pytest.approx(expected * cover[:, None], rel=2e-3, abs=1e-5)
    one, two = (f.relight(window, [lamp], np.zeros((1, 2), int))[0].reshape(-1, 3)[where] for f in (plain, dyed))
    assert two == pytest.approx(one * expected / albedo, rel=5e-3, abs=1e-3)


def test_dyes_are_pale_and_vivid_and_dark_and_light(clip):
    arrays = clip.arrays | {"label": np.full(len(clip.arrays["label"]), CLOTHES, np.uint8)}
    arrays["albedo"] = np.full((len(arrays["label"]), 3), 0.3, np.float16)
    colours = np.array([0.3 * dye(arrays, np.random.default_rng(seed)) for seed in range(200)])
    vivid = 1 - colours.min(1) / colours.max(1)
    assert vivid.min() < 0.1
    assert vivid.max() > 0.9
    assert colours.mean(1).min() < 0.03
    assert colours.mean(1).max() > 0.5
    assert colours.max() < 0.86
    assert dye(arrays | {"label": np.zeros(len(arrays["label"]), np.uint8)}, np.random.default_rng(0)) is None


def test_past_its_end_a_clip_stands_still(clip):
    footage, light = Footage(clip), Light(np.full((16, 16, 3), 0.5, np.float32))
    held, last = Window(1, 3, 0, 0, 8), Window(1, 1, 0, 0, 8)
    still = footage.still(held)
    assert (still[1:, ..., ALBEDO] == footage.still(last)[..., ALBEDO]).all()
    assert not still[1:, ..., FLOW].any()
    assert (still[1:, ..., SEEN] == (still[1:, ..., ALPHA] > 0.5)).all()
    relit = footage.relight(held, [light], np.zeros((1, 3), int))[0]
    assert (relit == footage.relight(last, [light], np.zeros((1, 1), int))[0]).all()
    assert random_window(np.random.default_rng(0), clip.shape, 6, 5).start == 0


def test_srgb_by_table_is_srgb():
    linear = np.concatenate([np.linspace(-0.1, 1.2, 4001), np.linspace(0, 0.01, 1000)]).astype(np.float32)
    assert encode(linear) == pytest.approx(linear_to_srgb(linear), abs=2e-5)


@pytest.mark.parametrize(("side", "size"), [(16, 16), (23, 16), (40, 16), (17, 16)])
@pytest.mark.parametrize("flip", [False, True])
def test_fewer_pixels_are_averages_by_area(side, size, flip):
    pictures = np.random.default_rng(0).uniform(0, 1, (2, side, side, 5)).astype(np.float32)
    small = resized(pictures, size, flip)
    assert small.shape == (2, 5, size, size)
    for t in range(2):
        plain = cv2.resize(pictures[t, ..., :3], (size, size), interpolation=cv2.INTER_AREA)
        assert np.moveaxis(small[t, :3], 0, -1) == pytest.approx(plain[:, ::-1] if flip else plain, abs=1e-5)


@pytest.mark.parametrize(("side", "size"), [(9, 16), (15, 16), (2, 16)])
@pytest.mark.parametrize("flip", [False, True])
def test_more_pixels_lie_between_their_neighbours(side, size, flip):
    pictures = np.random.default_rng(0).uniform(0, 1, (2, side, side, 5)).astype(np.float32)
    large = resized(pictures, size, flip)
    for t in range(2):
        plain = cv2.resize(pictures[t, ..., :3], (size, size), interpolation=cv2.INTER_LINEAR)
        assert np.moveaxis(large[t, :3], 0, -1) == pytest.approx(plain[:, ::-1] if flip else plain, abs=1e-5)


def test_near_windows_are_smaller_than_the_crop_and_show_skin(clip):
    label = np.zeros(len(clip.arrays["label"]), np.uint8)
    first, last = clip.arrays["frame_start"][:2]
    row, column = np.divmod(clip.arrays["pixel"][first:last], 8)
    label[first:last][(row >= 5) & (column >= 5)] = SKIN
    shown, rng, whole = Footage(Clip(clip.arrays | {"label": label})), np.random.default_rng(0), Window(0, 2, 0, 0, 8)
    for _ in range(30):
        near = near_window(rng, shown, 7, whole)
        assert (near.start, near.frames) == (0, 2)
        assert 4 <= near.side < 7
        assert near.x + near.side > 5
        assert near.y + near.side > 5
        assert max(near.x, near.y) + near.side <= 8
    bare = Footage(Clip(clip.arrays | {"label": np.zeros_like(label)}))
    assert near_window(rng, bare, 7, whole) == whole


def test_sample_is_whole_and_reproducible(clip, tmp_path):
    from training.light_stage.lights import Panoramas

    file = tmp_path / "a.hdr"
    cv2.imwrite(str(file), np.random.default_rng(0).uniform(0.1, 1, (128, 256, 3)).astype(np.float32))
    panoramas, footage = Panoramas([file]), Footage(clip)
    one, same = (sample(footage, panoramas, 6, 2, np.random.default_rng(5)) for _ in range(2))
    shapes = {name: tuple(value.shape) for name, value in one.items()}
    assert shapes == {
        "image": (2, 3, 6, 6), "target": (2, 3, 6, 6), "alpha": (2, 1, 6, 6), "cloth": (2, 1, 6, 6),
        "normals": (2, 3, 6, 6),
        "albedo": (2, 3, 6, 6), "shading": (2, 3, 6, 6), "target_shading": (2, 3, 6, 6),
        "flow_bwd": (1, 6, 6, 2), "seen": (1, 1, 6, 6),
        "source_light": (2, 3, 16, 16), "target_light": (3, 16, 16),
    }  # fmt: skip
    for name, value in one.items():
        assert bool(value.isfinite().all()), name
        assert bool((value == same[name]).all()), name
    assert 0 <= float(one["target"].min()) <= float(one["target"].max()) <= 1


def test_lamps_beside_a_sample_change_nothing_else(clip, tmp_path):
    from training.light_stage.lights import Panoramas

    file = tmp_path / "a.hdr"
    cv2.imwrite(str(file), np.random.default_rng(0).uniform(0.1, 1, (128, 256, 3)).astype(np.float32))
    panoramas, footage = Panoramas([file]), Footage(clip)
    plain, more = (sample(footage, panoramas, 6, 2, np.random.default_rng(5), probes=count) for count in (0, 3))
    assert all(bool((more[name] == value).all()) for name, value in plain.items())
    assert tuple(more["probe_light"].shape) == (3, 3, 16, 16)
    shading, alpha = more["probe_shading"], more["alpha"][-1]
    assert tuple(shading.shape) == (3, 3, 6, 6)
    assert float((shading * (alpha == 0)).abs().max()) == 0
    assert float((shading * alpha).amax((1, 2, 3)).min()) > 0


def test_a_light_that_drifts_goes_on_by_a_little(clip, tmp_path):
    from training.light_stage.lights import Panoramas

    drawn = np.stack([drift(np.random.default_rng(seed), 4) for seed in range(200)])
    steps = np.diff(drawn, axis=1)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert abs(steps).max() <= FASTEST + 1e-6
    assert (steps > 0).any(1).sum() > 50
    assert (steps < 0).any(1).sum() > 50
    assert not ((steps > 1e-6).any(1) & (steps < -1e-6).any(1)).any()  # never to and fro
    file = tmp_path / "a.hdr"
    cv2.imwrite(str(file), np.random.default_rng(0).uniform(0.1, 1, (128, 256, 3)).astype(np.float32))
    panoramas, footage = Panoramas([file]), Footage(clip)
    still, moved = (
        [sample(footage, panoramas, 6, 3, np.random.default_rng(seed), drifting=share) for seed in range(12)]
        for share in (0, 1)
    )
    lights = [one["source_light"] for one in moved]
    assert max(len(one["source_light"].flatten(1).unique(dim=0)) for one in still) == 2
    assert max(len(light.flatten(1).unique(dim=0)) for light in lights) == 3
    for one, light in zip(moved, lights, strict=True):
        if len(light.flatten(1).unique(dim=0)) < 3:
            continue  # at its end
        first, middle, last = light
        assert bool((middle >= first.minimum(last)).all())
        assert bool((middle <= first.maximum(last)).all())
        lit = one["shading"]
        assert bool((lit[0] != lit[1]).any())
    for before, after in zip(still, moved, strict=True):
        assert bool((before["target_light"] == after["target_light"]).all())
        assert bool((before["target_shading"] == after["target_shading"]).all())
