"""The whole live path of one frame as one torch graph: bytes in, bytes out, everything between on the device.

This is livelight.relight.Relighter.step after its person segmenter, statement for statement: resize, steadying and
guided edges of the matte (livelight.segment), network, continuation and recombination at full resolution
(livelight.recombine, maps, tiles). Only the rounding to 8 bits between the steps is left out. Pictures inside are
float32 (n, c, h, w), sRGB-coded, 0..255 unless said otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from livelight.recombine import BRIGHTENED, MOST_LIGHT, NOISE_BELOW, NOISE_FROM, REACH
from livelight.runtimes.live_inputs import INPUTS, PICTURE, PLANES, STATES, Knob
from livelight.runtimes.torch_network import RelightNetwork
from livelight.segment import NOBODY, SOMEBODY
from livelight.steadying import MOVED, SLOWEST
from trt_engines.planes import i420


class States(NamedTuple):
    """What goes from frame to frame: the network's two states, the steady matte and luma (n, 1, h, w) in [0, 1], and
    the steadied gain and offset (n, 6, h, w)."""

    state8: Tensor
    state16: Tensor
    matte: Tensor
    luma: Tensor
    change: Tensor


def grey(rgb: Tensor) -> Tensor:
    """Rec.601 luma (n, 1, h, w) of sRGB-coded (n, 3, h, w), on the same scale (cv2.COLOR_RGB2GRAY)."""
    return 0.299 * rgb[:, 0:1] + 0.587 * rgb[:, 1:2] + 0.114 * rgb[:, 2:3]


def resize(x: Tensor, height: int, width: int) -> Tensor:
    """Bilinear, not antialiased (cv2.INTER_LINEAR)."""
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)


def box(x: Tensor, radius: int, border: str) -> Tensor:
    """Mean over (2 radius + 1)^2 pixels; border "reflect" (cv2's default, the edge not doubled) or "replicate"."""
    k = 2 * radius + 1
    x = F.pad(x, (radius, radius, radius, radius), mode=border)
    return F.avg_pool2d(F.avg_pool2d(x, (1, k), 1), (k, 1), 1)


def steady(matte: Tensor, luma: Tensor, states: States, fresh: Tensor) -> Tensor:
    """livelight.segment.steady; all (n, 1, h, w) in [0, 1]. fresh: (n, 1, 1, 1), 1 takes the matte as it comes."""
    moved = box((luma - states.luma).abs(), 2, "reflect") * (1 / 0.06)
    jumped = (matte - states.matte).abs() * 2
    rate = torch.maximum(torch.maximum(moved, jumped).clamp(0.25, 1.0), fresh)
    return states.matte + rate * (matte - states.matte)


def steadied(change: Tensor, luma: Tensor, states: States, least: Tensor) -> Tensor:
    """livelight.steadying.steadied; change: gain and offset (n, 6, h, w). least: rate at least, (n, 1, 1, 1)."""
    moved = box((luma - states.luma).abs(), 2, "reflect") * (1 / MOVED)
    rate = torch.maximum(moved.clamp(SLOWEST, 1.0), least)
    return states.change + rate * (change - states.change)


def edges(matte: Tensor, luma: Tensor, full_luma: Tensor) -> Tensor:
    """livelight.segment.MatteEdges: alpha (n, 1, H, W) in [0, 1]. luma in [0, 1], full_luma (n, 1, H, W) 0..255."""
    m_luma, m_matte = box(luma, 2, "replicate"), box(matte, 2, "replicate")
    covariance = box(luma * matte, 2, "replicate") - m_luma * m_matte
    variance = box(luma * luma, 2, "replicate") - m_luma * m_luma
    slope = covariance / (variance + 1e-3)
    base = box(m_matte - slope * m_luma, 2, "replicate")
    height, width = full_luma.shape[2:]
    fit = resize(torch.cat([box(slope, 2, "replicate"), base], 1), height, width)
    alpha = fit[:, 0:1] * full_luma * (1 / 255) + fit[:, 1:2]
    return ((alpha - NOBODY) * (1 / (SOMEBODY - NOBODY))).clamp(0.0, 1.0)


def calmed(gain: Tensor, offset: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
    """What livelight.maps does about noise (livelight.recombine.noisy); luma (n, 1, h, w) in [0, 1]."""
    dark = (NOISE_FROM - box(luma, 2, "reflect")) * (1 / (NOISE_FROM - NOISE_BELOW))
    brighter = (gain.mean(1, keepdim=True) - 1) * (1 / BRIGHTENED)
    moved = (gain - 1) * (dark.clamp(0, 1) * brighter.clamp(0, 1))
    return gain - moved, offset + moved * luma


def room_luma(luma: Tensor, matte: Tensor) -> Tensor:
    """livelight.recombine.room_luma, on the scale of luma (n, 1, h, w)."""
    return mean_where(1 - matte, luma)


def mean_where(weight: Tensor, picture: Tensor) -> Tensor:
    """livelight.recombine.mean_where; weight (n, 1, h, w), picture (n, c, h, w)."""
    seen = weight * weight + 1e-4
    both = box(torch.cat([picture * seen, seen], 1), REACH, "reflect")
    return both[:, :-1] / both[:, -1:]


def without_room(full: Tensor, alpha: Tensor, small: Tensor, matte: Tensor) -> Tensor:
    """The person without the old room, as in livelight.tiles.relight_rows; full (n, 3, H, W), small in [0, 1]."""
    colours = torch.cat([mean_where(matte, small), mean_where(1 - matte, small)], 1) * 255
    colours = resize(colours, full.shape[2], full.shape[3])
    person, room = colours[:, :3], colours[:, 3:]
    return (alpha * full + (1 - alpha) * (person + alpha * (person - room))).clamp(0, 255)


def light_share(luma: Tensor, alpha: Tensor, room: Tensor) -> Tensor:
    """The share in livelight.tiles.relight_rows; all (n, 1, H, W), luma and room 0..255."""
    share = 1 - (1 - alpha) * room / luma.clamp(min=1)
    return torch.minimum(share.clamp(min=0), MOST_LIGHT * alpha)


def effective_change(gain: Tensor, offset: Tensor, matte: Tensor, knobs: Tensor) -> Tensor:
    """livelight.maps.gain_change, offset_change: gain - 1 and offset (0..255), (n, 6, h, w), past the person, too."""
    intensity = knobs[:, Knob.INTENSITY, None, None, None]
    by = knobs[:, Knob.TONE_R : Knob.TONE_B + 1, None, None] * intensity
    change = torch.cat([gain * by - intensity, offset * (255 * by)], 1)
    near = box(torch.cat([change * matte, matte], 1), REACH, "reflect")
    near = near[:, :6] / (near[:, 6:] + 1e-3)
    return near + matte * (change - near)


def gaussian(length: int, sigma: Tensor) -> Tensor:
    """Blur as a matrix (n, length, length), rows sum to 1, ends reflected as in cv2. sigma: (n, 1, 1), pixels."""
    i = torch.arange(length, dtype=torch.float32, device=sigma.device)
    to, origin = i[:, None], i[None, :]
    scale = -0.5 / (sigma * sigma)

    def weight(at: Tensor) -> Tensor:
        return torch.exp((to - at) ** 2 * scale)

    inside = (origin > 0).to(torch.float32), (origin < length - 1).to(torch.float32)
    matrix = weight(origin) + inside[0] * weight(-origin) + inside[1] * weight(2 * (length - 1) - origin)
    return matrix / matrix.sum(-1, keepdim=True)


def blur_room(picture: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """livelight.recombine.blur_room: the own room out of focus, without the person's colours. sigma: (n, 1, 1)."""
    height, width = picture.shape[2:]
    h, w = max(height // 4, 1), max(width // 4, 1)
    both = torch.cat([picture, alpha], 1)
    if (4 * h, 4 * w) != (height, width):
        both = resize(both, 4 * h, 4 * w)
    both = F.avg_pool2d(both, 4)
    room = (1 - both[:, 3:]) ** 2 + 1e-6
    weighted = torch.cat([both[:, :3] * room, room], 1)
    down, across = gaussian(h, sigma)[:, None], gaussian(w, sigma)[:, None]
    weighted = down @ weighted @ across.transpose(-1, -2)
    blurred = (weighted[:, :3] / weighted[:, 3:]).clamp(0, 255)
    return F.interpolate(blurred, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 255)


class LiveGraph(nn.Module):
    """One step for n streams of frames of one size.

    height, width: of the frame. small: (height, width) of the network's picture, multiples of 16. blur: whether the
    room is the frame's own, blurred; then ``backdrop`` is no input.
    """

    def __init__(
        self,
        network: RelightNetwork,
        height: int,
        width: int,
        small: tuple[int, int],
        blur: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.size, self.small = (height, width), small
        self.blur = blur

    def example(self, n: int) -> tuple[Tensor, ...]:
        """Inputs of the right shapes and types, all zero, in the order of ``inputs``."""
        (height, width), (h, w) = self.size, self.small
        network = self.network
        shapes = {
            "coarse": (n, h, w),
            "light": (n, 16, 16, 3),
            "knobs": (n, len(Knob)),
            "state8": (n, network.gru8.c, h // 8, w // 8),
            "state16": (n, network.gru16.c, h // 16, w // 16),
            "matte_state": (n, 1, h, w),
            "luma_state": (n, 1, h, w),
            "change_state": (n, 6, h, w),
        }
        picture = torch.zeros(n, height, width, 3, dtype=torch.uint8)
        return tuple(
            picture.clone() if name in ("frame", "backdrop") else torch.zeros(shapes[name]) for name in self.inputs
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(name for name in (*INPUTS, *STATES) if not (self.blur and name == "backdrop"))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return (PICTURE, *([PLANES] if self.even else []), *STATES.values())

    @property
    def even(self) -> bool:
        """Whether the frame has even sides, which I420 needs."""
        return not (self.size[0] % 2 or self.size[1] % 2)

    def forward(self, frame: Tensor, coarse: Tensor, light: Tensor, knobs: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """frame uint8 (n, H, W, 3); coarse (n, h, w) in [0, 1], the segmenter's matte on the network's grid; light
        (n, 16, 16, 3) linear; knobs (n, 8), see Knob; rest: backdrop uint8 (n, H, W, 3) unless the graph blurs, and
        the States. Returns the relit picture uint8 (n, H, W, 3), its planes if it is ``even``, and the new States.
        """
        backdrop, before = (None, States(*rest)) if self.blur else (rest[0], States(*rest[1:]))
        fresh = knobs[:, Knob.FRESH, None, None, None]
        before = States(*(torch.where(fresh > 0.5, torch.zeros_like(x), x) for x in before))
        full = frame.to(torch.float32).permute(0, 3, 1, 2)
        height, width = self.size
        small = resize(resize(full, max(height // 2, 1), max(width // 2, 1)), *self.small) * (1 / 255)
        luma = grey(small)
        matte = steady(coarse[:, None], luma, before, fresh)
        full_luma = grey(full)
        alpha = edges(matte, luma, full_luma)
        source = self.network.analyse(small, before.state8, before.state16)
        rendered = torch.cat(self.network.render(source, light.permute(0, 3, 1, 2)), 1)
        rendered = steadied(rendered, luma, before, torch.maximum(fresh, knobs[:, Knob.SUDDEN, None, None, None]))
        change = effective_change(*calmed(rendered[:, :3], rendered[:, 3:], luma), matte, knobs)
        room, own = self.room(full, alpha, backdrop, knobs)
        behind = resize(room_luma(luma, matte) * 255, height, width)
        weight = torch.where(own > 0.5, light_share(full_luma, alpha, behind), alpha)
        person = torch.where(own > 0.5, full, without_room(full, alpha, small, matte))
        relit = composite(person, resize(change, height, width), weight, room, own)
        pictures = [relit.permute(0, 2, 3, 1).round().to(torch.uint8), *([i420(relit)] if self.even else [])]
        return (*pictures, source.state8, source.state16, matte, luma, rendered)

    def room(self, full: Tensor, alpha: Tensor, backdrop: Tensor | None, knobs: Tensor) -> tuple[Tensor, Tensor]:
        """What stands behind the person (n, 3, H, W), and (n, 1, 1, 1): 1 where that is the frame itself."""
        if backdrop is None:
            blurred = blur_room(full, alpha, knobs[:, Knob.BLUR_SIGMA, None, None])
            return blurred, torch.zeros_like(knobs[:, :1, None, None])
        own = knobs[:, Knob.OWN_ROOM, None, None, None]
        return torch.where(own > 0.5, full, backdrop.to(torch.float32).permute(0, 3, 1, 2)), own


def composite(person: Tensor, change: Tensor, weight: Tensor, room: Tensor, own: Tensor) -> Tensor:
    """Person by its weight over room, (n, 3, H, W), 0..255. Before the own room the change is weighed, then clipped."""
    relit = person * (1 + change[:, :3]) + change[:, 3:]
    relit = torch.where(own > 0.5, relit, relit.clamp(0, 255))
    return (room + weight * (relit - room)).clamp(0, 255)
