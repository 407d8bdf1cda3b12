"""Loss terms of the relighter. Pictures are (b, c, h, w) float32, sRGB-coded unless stated; every term is a scalar."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from livelight.runtimes.torch_network import Painting, RelightNetwork, Source
from training.composite import composite

SMALLEST_FACE = 30
"""Pixels at half the picture's size; a smaller face says nothing of its light."""
DARK = 0.04
"""What is added to sRGB-coded values before their logarithm: below it lies a camera's noise."""


def masked_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference where mask (b, 1, h, w) in [0, 1] says; NVPR's ||M (I - I')||_1."""
    return ((a - b).abs() * mask).sum() / (mask.sum() * a.shape[1] + 1.0)


def best_gain(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """The gain (b, 1, 1, 1), one per picture and held constant, that brings a closest to b on the mask.

    A person's albedo and the exposure of the source cannot be told apart; this lets a term judge the light alone.
    """
    with torch.no_grad():
        top, bottom = (a * b * mask).sum((1, 2, 3)), (a * a * mask).sum((1, 2, 3))
        return (top / (bottom + 1e-3)).clamp(0.4, 2.5).view(-1, 1, 1, 1)


def gradient_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """masked_l1 of horizontal and vertical differences: edges of shadows and highlights stay sharp."""
    d = a - b
    dx, dy = d[..., :, 1:] - d[..., :, :-1], d[..., 1:, :] - d[..., :-1, :]
    mx, my = torch.minimum(mask[..., 1:], mask[..., :-1]), torch.minimum(mask[..., 1:, :], mask[..., :-1, :])
    return ((dx.abs() * mx).sum() + (dy.abs() * my).sum()) / (mask.sum() * a.shape[1] + 1.0)


def log_pictures(a: Tensor) -> Tensor:
    """log(a + DARK) of sRGB-coded values: differences of it are relative, so that dark hair and clothes count."""
    return torch.log(a.clamp(min=0) + DARK)


def level_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """How much brighter the whole person is than the truth b, per colour: |mean of log_pictures(a) - log_pictures(b)|.

    Where a single pixel is wrong by shading and level alike, masked_l1 hardly tells them apart; a mean does.
    """
    weight = mask.sum((2, 3))
    apart = ((log_pictures(a) - log_pictures(b)) * mask).sum((2, 3)) / (weight + 1.0)
    return (apart.abs() * (weight > 0)).mean()


def tint(log_a: Tensor, log_b: Tensor, mask: Tensor) -> Tensor:
    """masked_l1 of what is left of two logarithms once each pixel's mean of the colours is taken off: colour alone.

    Where a pixel is too bright by more than its colour is off, masked_l1 pushes all three colours the same way, and
    the colour of the light in the source is never taken away.
    """
    apart = log_a - log_b
    return ((apart - apart.mean(1, keepdim=True)).abs() * mask).sum() / (mask.sum() * apart.shape[1] + 1.0)


def blotches(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """gradient_l1 of log_pictures at a quarter of the size: haze and blotches that the truth b has not.

    At that size noise is averaged away, and the soft changes that a gain makes are steep.
    """
    return gradient_l1(*quartered(a, b, mask))


def quartered(a: Tensor, b: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log_pictures of a and b at a quarter of the size, where noise is averaged away, and where the mask is whole."""
    small, true = (log_pictures(F.avg_pool2d(picture, 4)) for picture in (a, b))
    return small, true, (F.avg_pool2d(mask, 4) > 0.99).float()


def light_l1(predicted: Tensor, true: Tensor, solid_angles: Tensor) -> Tensor:
    """|log(1 + L) - log(1 + L')| of light codes (b, 3, 16, 16), weighted by solid angle (256,); NVPR's light term."""
    weight = (solid_angles / solid_angles.mean()).view(1, 1, 16, 16)
    return ((torch.log1p(predicted) - torch.log1p(true)).abs() * weight).mean()


def normal_cosine(predicted: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """1 - cos of the angle between unit normals, where mask says."""
    return ((1 - (predicted * true).sum(1, keepdim=True)) * mask).sum() / (mask.sum() + 1.0)


def structure_drift(a: Tensor, b: Tensor, alpha: Tensor) -> Tensor:
    """NVPR's latent term: half the squared distance of two unit structure codes (b, c, h/16, w/16) on the person."""
    return normal_cosine(a, b, F.avg_pool2d(alpha, 16))


def matte_loss(logit: Tensor, alpha: Tensor) -> Tensor:
    """Binary cross-entropy with soft labels plus L1 (NVPR's parsing term and the edge)."""
    return F.binary_cross_entropy_with_logits(logit, alpha) + (torch.sigmoid(logit) - alpha).abs().mean()


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Fetch image (b, c, h, w) at each pixel + flow (b, h, w, 2), pixels, x right, y down."""
    _, _, h, w = image.shape
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    at = torch.stack([x, y], -1).to(flow) + flow
    grid = (at + 0.5) * 2 / torch.tensor([w, h]).to(flow) - 1
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)


def temporal_l1(before: Tensor, after: Tensor, flow_bwd: Tensor, mask: Tensor) -> Tensor:
    """NVPR's conjugate temporal term: relit frames t and t + 1 agree along the exact flow.

    flow_bwd (b, h, w, 2) leads from t + 1 back to t; mask (b, 1, h, w) is 1 where a point is seen in both.
    """
    return masked_l1(warp(before, flow_bwd), after, mask)


def shading_prior(source: Source, painting: Painting) -> Tensor:
    """Log gain (b, 3, h, w) that the shadings alone would give, held constant.

    The gain for the whole person is left out: what it is told of real people is unlike all that taught it.
    """
    ratio = (painting.shading[:, :3] - source.lit - source.shadow).clamp(-4.0, 4.0) / 2.4
    return F.interpolate(ratio, scale_factor=2.0, mode="bilinear", align_corners=False).detach()


def srgb_to_linear(code: Tensor) -> Tensor:
    """Linear light of sRGB-coded values in [0, 1]."""
    return torch.where(code <= 0.04045, code / 12.92, ((code.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def unexplained(network: RelightNetwork, image: Tensor, source: Source, where: Tensor) -> Tensor:
    """How far a real face is from found albedo times found light: |mean over it of the logarithms|, per colour.

    Of the two it is the albedo that the network finds well on real people, so the source light alone is taught; the
    face's gloss counts as light. image (n, 3, h, w), sRGB-coded; where (n, 1, h/2, w/2), 1 on the face.
    """
    small = F.avg_pool2d(image, 2)
    arriving = None if source.arriving is None else source.arriving.detach()
    lit = network.shaded(source.normals.detach(), arriving, source.source_light)[:, :3]
    found = srgb_to_linear(source.albedo.detach()) * torch.exp(lit + source.shadow.detach())
    apart = torch.log(srgb_to_linear(small) + 0.02) - torch.log(found + 0.02)
    weight = where * ((small > 0.15) & (small < 0.97)).all(1, keepdim=True)
    count = weight.sum((2, 3))
    return (((apart * weight).sum((2, 3)) / (count + 1.0)).abs() * (count > SMALLEST_FACE)).mean()


def real_losses(network: RelightNetwork, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """What real clips without truth teach (training.real_clips.RealSamples, batched): every term a scalar.

    real_matte: MediaPipe's matte; real_normals: the face mesh; real_self: the picture relit to the light found in it is
    itself; real_cycle: relit and back again it is itself; real_temporal: relit frames agree along the flow; real_print:
    a print on the clothes does not change the gain; real_prior: the gain is what the shadings say, more or less;
    real_level: the light found explains how bright the face is.
    """
    b, frames, _, h, w = batch["image"].shape
    state = network.start(b, h, w)
    names = ("matte", "normals", "temporal", "prior", "level")
    terms: dict[str, list[Tensor]] = {f"real_{name}": [] for name in names}
    before = None
    for t in range(frames):
        image, alpha = batch["image"][:, t], batch["alpha"][:, t]
        source, entered = network.analyse(image, *state), state
        state = (source.state8, source.state16)
        painting = network.paint(source, batch["target_light"])
        gain, offset = network.applied(source, painting)
        relit = composite(image, alpha, gain, offset)
        terms["real_prior"].append(masked_l1(torch.log(gain), shading_prior(source, painting), alpha))
        face = (F.avg_pool2d(batch["face"][:, t], 2) > 0.99).float()
        normals = F.normalize(F.avg_pool2d(batch["normals"][:, t], 2), dim=1)
        terms["real_matte"].append(matte_loss(source.matte_logit, alpha))
        terms["real_normals"].append(normal_cosine(source.normals, normals, face))
        terms["real_level"].append(unexplained(network, image, source, face))
        if before is not None:
            seen = batch["seen"][:, t - 1] * (alpha > 0.5)
            terms["real_temporal"].append(temporal_l1(before, relit, batch["flow_bwd"][:, t - 1], seen))
        before = relit
    own_gain, own_offset = network.render(source, source.source_light)
    again = network.analyse(relit.clamp(0, 1), *network.start(b, h, w))
    back_gain, back_offset = network.render(again, source.source_light)
    # Where the picture is black or white, nothing comes back. Not where the relit one is: cloth that is hard to bring
    # back would be made black to be left out.
    kept = alpha * ((image > 0.03) & (image < 0.97)).all(1, keepdim=True)
    inked = network.analyse(image * (1 + alpha * (batch["ink"] - 1)), *entered)
    inked_gain, _ = network.render(inked, batch["target_light"])
    once = {
        "real_print": masked_l1(torch.log(inked_gain), torch.log(gain).detach(), alpha),
        "real_self": masked_l1(image * own_gain + own_offset, image, alpha),
        "real_cycle": masked_l1(relit.clamp(0, 1) * back_gain + back_offset, image, kept),
    }
    return {name: torch.stack(values).mean() for name, values in terms.items()} | once
