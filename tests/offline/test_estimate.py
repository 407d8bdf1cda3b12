import pytest
import torch
from diffusers import UNet2DConditionModel

from offline.estimate import estimate
from offline.motion_unet import empty_motion_unet
from offline.speed import forward_flops, speed_of
from tests.offline.test_models import opened
from tests.offline.test_motion_unet import SD15


def test_the_real_size_costs_what_is_known_of_it():
    """A 16-frame window of RelightVid is about 1.14 PFLOP in all: 20 steps of 3 passes over 16 frames."""
    unet = empty_motion_unet(SD15, 12)
    forward = forward_flops(unet, 16, 64, 64, 77)
    assert 0.7e12 < forward / 16 < 1.4e12
    assert forward * 3 * 20 == pytest.approx(1.14e15, rel=0.35)
    with torch.device("meta"):
        image = UNet2DConditionModel(**SD15, in_channels=12)
    assert forward_flops(image, 1, 64, 64, 77) < forward / 16


def test_an_estimate_counts_windows_passes_and_disk(tiny):
    one, three = (estimate(opened("relightvid", tiny, iie=n), 36, 64, 64) for n in (1, 3))
    assert one.windows == 20 * 3
    assert three.flops == 3 * one.flops > 0
    assert one.disk_bytes == 36 * 4 * 4 * (2 + 1 + 1) * 64
    assert one.memory_bytes > 0
    assert three.disk_bytes == 36 * 4 * 4 * (2 + 3 + 1) * 64
    assert "36 frames" in one.sentence("clip.mp4")
    assert speed_of("cpu", torch.float32) > 1e6
