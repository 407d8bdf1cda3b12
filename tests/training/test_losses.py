from __future__ import annotations

import math

import torch

from training.losses import (
    best_gain,
    gradient_l1,
    level_l1,
    light_l1,
    masked_l1,
    normal_cosine,
    quartered,
    structure_drift,
    temporal_l1,
    tint,
    warp,
)


def test_warp_fetches_along_the_flow() -> None:
    image = torch.rand(1, 3, 12, 20)
    flow = torch.zeros(1, 12, 20, 2)
    flow[..., 0] = 3
    flow[..., 1] = -2
    out = warp(image, flow)
    assert torch.allclose(out[:, :, 2:, :-3], image[:, :, :-2, 3:], atol=1e-5)


def test_temporal_term_is_zero_for_a_picture_that_only_moves() -> None:
    before = torch.rand(1, 3, 16, 16)
    after = torch.roll(before, 2, -1)
    flow = torch.zeros(1, 16, 16, 2)
    flow[..., 0] = -2
    mask = torch.ones(1, 1, 16, 16)
    mask[..., :2] = 0
    assert temporal_l1(before, after, flow, mask) < 1e-5
    assert temporal_l1(before, before, flow, mask) > 0.1


def test_masks_decide_where_a_difference_counts() -> None:
    a, b = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    b[..., 4:] = 1
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    assert masked_l1(a, b, mask) == 0
    assert masked_l1(a, b, 1 - mask) > 0.9
    assert gradient_l1(a, b, torch.ones_like(mask)) > 0
    assert gradient_l1(a, b, mask) == 0


def test_light_term_is_in_log_radiance() -> None:
    one, e = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), torch.e - 1)
    assert abs(light_l1(one, e, torch.ones(256)).item() - 1) < 1e-5


def test_normals_at_right_angles_cost_one() -> None:
    x, y = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    x[:, 0], y[:, 1] = 1, 1
    assert abs(normal_cosine(x, y, torch.ones(1, 1, 2, 2)).item() - 4 / 5) < 1e-6  # 4 pixels of mask, + 1 against 0/0


def test_best_gain_undoes_a_wrong_exposure_and_nothing_else() -> None:
    a = torch.rand(2, 3, 8, 8) * 0.5
    mask = torch.ones(2, 1, 8, 8)
    factor = torch.tensor([1.5, 0.7]).view(2, 1, 1, 1)
    assert torch.allclose(best_gain(a, a * factor, mask), factor, atol=1e-3)
    hazy = a * 0.5 + 0.3
    assert masked_l1(a * best_gain(a, hazy, mask), hazy, mask) > 0.05


def test_the_level_is_that_of_the_whole_person_and_per_colour() -> None:
    target, mask = torch.full((1, 3, 8, 8), 0.4), torch.ones(1, 1, 8, 8)
    shaded = target.clone()
    shaded[..., :4], shaded[..., 4:] = 0.2, (0.44 * 0.44) / 0.24 - 0.04  # as far up as down
    assert level_l1(shaded, target, mask) < 0.01 < masked_l1(shaded, target, mask)
    red = target.clone()
    red[:, 0] *= 2
    assert abs(float(level_l1(red, target, mask)) - math.log(0.84 / 0.44) / 3) < 0.01
    assert level_l1(red, target, 0 * mask) == 0


def test_tint_is_blind_to_brightness_and_sees_colour() -> None:
    true, mask = torch.rand(1, 3, 16, 16) * 0.5 + 0.2, torch.ones(1, 1, 16, 16)
    small, expected, inside = quartered(true, true, mask)
    assert small.shape == (1, 3, 4, 4)
    assert tint(small + torch.rand(1, 1, 4, 4), expected, inside) < 1e-6
    red = torch.tensor([0.3, 0.0, 0.0]).view(1, 3, 1, 1)
    count = 16 / (16 + 1 / 3)
    assert abs(tint(small + red, expected, inside).item() - count * (0.2 + 0.1 + 0.1) / 3) < 1e-6
    brighter_and_red = (small + red + 0.7).requires_grad_()
    tint(brighter_and_red, expected, inside).backward()
    assert brighter_and_red.grad is not None
    assert (brighter_and_red.grad[:, 0] > 0).all()  # less red, although all of it is too bright
    assert (brighter_and_red.grad[:, 1:] < 0).all()
    mask[..., :8] = 0
    assert quartered(true, true, mask)[2].sum() == 8


def test_the_term_of_an_unchanged_structure_code_is_zero() -> None:
    code = torch.nn.functional.normalize(torch.rand(1, 4, 2, 2), dim=1)
    other = torch.nn.functional.normalize(torch.rand(1, 4, 2, 2) - 1, dim=1)
    alpha = torch.ones(1, 1, 32, 32)
    assert structure_drift(code, code, alpha).abs() < 1e-6
    assert structure_drift(code, other, alpha) > 0.5
    assert structure_drift(code, other, alpha * 0) == 0
