"""The assembled network: its parameter names at real size, and its two norms against plain 5-D formulas."""

import pytest
import torch
from diffusers import MotionAdapter, UNet2DConditionModel
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from offline.motion_keys import to_diffusers
from offline.motion_unet import NormAcrossFrames, NormPerFrame, empty_motion_unet, filled
from tests.offline.tiny_weights import shaken, tiny_config, upstream_motion

SD15 = {
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
    "norm_num_groups": 32,
}


def test_the_real_size_takes_every_published_key():
    """686 keys of the base UNet, 560 of RelightVid: 520 of them fill the rest of 1,226 entries, 20 are computed."""
    with torch.device("meta"):
        base = UNet2DConditionModel(**SD15, in_channels=4).state_dict()
        motion = upstream_motion(MotionAdapter(use_motion_mid_block=False))
    assert (len(base), len(motion), len(base) + len(motion)) == (686, 560, 1246)
    assert sum("pos_encoder" in name for name in motion) == 40
    mapped = to_diffusers(motion)
    network = empty_motion_unet(SD15, 12)
    wanted = network.state_dict()
    tables = {name for name in wanted if name.endswith(".pe")}
    assert (len(wanted), len(mapped), len(tables)) == (1226, 520, 20)
    assert base.keys() | mapped.keys() | tables == wanted.keys()
    assert not base.keys() & mapped.keys()
    for name, tensor in (base | mapped).items():
        if name != "conv_in.weight":
            assert wanted[name].shape == tensor.shape, name
    assert wanted["conv_in.weight"].shape == (320, 12, 3, 3)


def test_the_real_size_has_45_norms_across_frames_and_20_per_frame():
    network = empty_motion_unet(SD15, 12)
    kinds = [type(m) for m in network.modules()]
    assert (kinds.count(NormAcrossFrames), kinds.count(NormPerFrame)) == (45, 20)


def group_norm_5d(x, norm, dims):
    """Group norm of (b, c, f, h, w) written out; dims: the axes of (b, g, c/g, f, h, w) that share statistics."""
    b, c, f, h, w = x.shape
    grouped = x.view(b, norm.num_groups, c // norm.num_groups, f, h, w)
    mean = grouped.mean(dims, keepdim=True)
    variance = ((grouped - mean) ** 2).mean(dims, keepdim=True)
    normed = ((grouped - mean) / (variance + norm.eps).sqrt()).view(b, c, f, h, w)
    return normed * norm.weight.view(1, c, 1, 1, 1) + norm.bias.view(1, c, 1, 1, 1)


def frames_first(x):
    """(1, c, f, h, w) -> (f, c, h, w)."""
    return x[0].transpose(0, 1)


@pytest.fixture
def clip():
    """Frames of very different brightness, where the two rules differ most: (1, 8, 5, 6, 7)."""
    x = torch.randn(1, 8, 5, 6, 7, generator=torch.Generator().manual_seed(3))
    return x * torch.tensor([0.2, 1, 3, 0.5, 2]).view(1, 1, 5, 1, 1) + torch.arange(5.0).view(1, 1, 5, 1, 1)


def test_both_norms_equal_their_5d_formulas(clip):
    across, apart = (shaken(kind(4, 8, eps=1e-5), 5) for kind in (NormAcrossFrames, NormPerFrame))
    expected = group_norm_5d(clip, across, (2, 3, 4, 5))
    torch.testing.assert_close(across(frames_first(clip)), frames_first(expected), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(apart(clip), group_norm_5d(clip, apart, (2, 4, 5)), atol=1e-5, rtol=1e-5)
    plain = nn.GroupNorm(4, 8, eps=1e-5)
    plain.load_state_dict(across.state_dict())
    assert (across(frames_first(clip)) - plain(frames_first(clip))).abs().max() > 0.1
    assert (apart(clip) - plain(clip)).abs().max() > 0.1


def resnet_5d(x, temb, block):
    """An independent inflated residual block on (1, c, f, h, w): norms as 5-D formulas, convolutions frame by frame."""

    def conv5(conv, y):
        return torch.cat([conv(y[:, :, k])[:, :, None] for k in range(y.shape[2])], 2)

    h = conv5(block.conv1, nn.functional.silu(group_norm_5d(x, block.norm1, (2, 3, 4, 5))))
    h = h + block.time_emb_proj(nn.functional.silu(temb))[:, :, None, None, None]
    h = conv5(block.conv2, nn.functional.silu(group_norm_5d(h, block.norm2, (2, 3, 4, 5))))
    shortcut = x if block.conv_shortcut is None else conv5(block.conv_shortcut, x)
    return shortcut + h


def tiny_network():
    plain = shaken(UNet2DConditionModel(**tiny_config(), in_channels=12), 1).state_dict()
    adapter = MotionAdapter((8, 16), motion_layers_per_block=1, motion_norm_num_groups=4, use_motion_mid_block=False)
    return filled(
        empty_motion_unet(tiny_config(), 12), plain | to_diffusers(upstream_motion(shaken(adapter, 2))), torch.float32
    )


def test_a_residual_block_of_the_network_equals_the_5d_one(clip):
    network = tiny_network()
    block = network.down_blocks[0].resnets[0]
    assert isinstance(block, ResnetBlock2D)
    temb = torch.randn(1, 32, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        ours = block(frames_first(clip), temb.expand(5, -1))
        expected = resnet_5d(clip, temb, block)
    torch.testing.assert_close(ours, frames_first(expected), atol=2e-5, rtol=1e-4)


def attention_5d(x, module):
    """An independent motion module on (1, c, f, h, w): a norm per frame, then each pixel's frames attend."""
    _, c, f, h, w = x.shape
    y = group_norm_5d(x, module.norm, (2, 4, 5))
    y = module.proj_in(y.permute(0, 3, 4, 2, 1).reshape(h * w, f, c))
    block = module.transformer_blocks[0]
    for norm, attn in ((block.norm1, block.attn1), (block.norm2, block.attn2)):
        z = norm(y) + position_table(f, c)
        q, k, v = (m(z).view(h * w, f, attn.heads, -1).transpose(1, 2) for m in (attn.to_q, attn.to_k, attn.to_v))
        weights = torch.softmax(q @ k.transpose(2, 3) / q.shape[3] ** 0.5, -1)
        y = y + attn.to_out[0]((weights @ v).transpose(1, 2).reshape(h * w, f, c))
    y = y + block.ff(block.norm3(y))
    return x + module.proj_out(y).view(1, h, w, f, c).permute(0, 4, 3, 1, 2)


def position_table(frames, width):
    """Sines and cosines of rising wavelength (Vaswani et al. 2017)."""
    angle = torch.arange(frames)[:, None] * 10000 ** (-torch.arange(0, width, 2) / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def test_a_motion_module_of_the_network_equals_the_5d_one(clip):
    module = tiny_network().down_blocks[0].motion_modules[0]
    with torch.no_grad():
        ours = module(frames_first(clip), num_frames=5)
        expected = attention_5d(clip, module)
    torch.testing.assert_close(ours, frames_first(expected), atol=2e-5, rtol=1e-4)


def noise_of(network, x):
    tokens = torch.ones(x.shape[2], 3, 16)
    with torch.no_grad():
        return network(x, 500, encoder_hidden_states=tokens, return_dict=False)[0]


def test_frame_5_reaches_frame_0_only_through_what_mixes_frames():
    """Changed through the norms across frames and the motion modules, and not at all once those are silenced."""
    network = tiny_network()
    x = torch.randn(1, 12, 8, 8, 8, generator=torch.Generator().manual_seed(6))
    other = x.clone()
    other[:, :, 5] += 1

    def moved():
        return (noise_of(network, x) - noise_of(network, other))[:, :, 0].abs().max()

    assert moved() > 1e-3
    for block in (*network.down_blocks, *network.up_blocks):
        for module in block.motion_modules:
            nn.init.zeros_(module.proj_out.weight)
            nn.init.zeros_(module.proj_out.bias)
    assert moved() > 1e-5  # by the norms alone
    for module in network.modules():
        if isinstance(module, NormAcrossFrames):
            module.forward = nn.GroupNorm.forward.__get__(module)
    assert moved() == 0


def test_the_two_norms_matter():
    """Without them the same weights give something else: what diffusers alone would compute."""
    x = torch.randn(1, 12, 8, 8, 8, generator=torch.Generator().manual_seed(6))
    x = x * torch.linspace(0.2, 2, 8).view(1, 1, 8, 1, 1)
    network = tiny_network()
    right = noise_of(network, x)
    for module in network.modules():
        if isinstance(module, NormAcrossFrames | NormPerFrame):
            module.forward = nn.GroupNorm.forward.__get__(module)
    assert (noise_of(network, x) - right).norm() / right.norm() > 0.01
