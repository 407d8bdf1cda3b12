"""What a batch of rendered clips costs the relighter: every term by name, and the weights they are summed with."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from livelight.runtimes.torch_network import RelightNetwork, Source
from training.composite import composite
from training.critic import Rivalry
from training.losses import (
    best_gain,
    blotches,
    gradient_l1,
    level_l1,
    light_l1,
    log_pictures,
    masked_l1,
    matte_loss,
    normal_cosine,
    quartered,
    structure_drift,
    temporal_l1,
    tint,
)

WEIGHTS = {
    "relit": 0.4,
    "level": 0.5,
    "relit_scaled": 1.0,
    "relit_edges": 1.0,
    "relit_dark": 0.2,
    "blotches": 0.4,
    "tint": 0.8,
    "offset": 0.7,
    "self": 0.4,
    "light": 0.15,
    "light_balls": 0.15,
    "shading": 0.6,
    "source_tint": 0.4,
    "target_shading": 0.6,
    "probe_shading": 0.6,
    "normals": 0.8,
    "albedo": 0.3,
    "matte": 0.3,
    "temporal": 0.7,
    "outside": 0.02,
    "structure": 0.1,
    "critic": 0.05,
    "real_matte": 0.6,
    "real_normals": 0.7,
    "real_self": 0.4,
    "real_cycle": 0.2,
    "real_print": 0.2,
    "real_prior": 0.4,
    "real_temporal": 1.5,
    "real_level": 0.5,
}
"""Weight of each loss term; 0 switches the term off for an ablation."""

GLOSSY = 0.25
"""sRGB-coded albedo below which what a surface shows of a light is its gloss: hair, black cloth."""

PER_FRAME = ("image", "target", "alpha", "normals", "albedo", "shading", "target_shading", "source_light")
"""What a batch holds for every frame."""

Batch = dict[str, Tensor]
Terms = dict[str, Tensor]


class Shown(NamedTuple):
    """One frame, relit: what the network knows of it, the picture (b, 3, h, w), and every term it costs by itself."""

    source: Source
    relit: Tensor
    terms: Terms


class FrameTerms(Protocol):
    """``frame_terms``, as it is or compiled."""

    def __call__(
        self, network: RelightNetwork, frame: Batch, state: tuple[Tensor, Tensor], target_light: Tensor,
        solid_angles: Tensor, level: Tensor | None, /,
    ) -> Shown: ...  # fmt: skip


def frame_terms(
    network: RelightNetwork, frame: Batch, state: tuple[Tensor, Tensor], target_light: Tensor, solid_angles: Tensor,
    level: Tensor | None,
) -> Shown:  # fmt: skip
    """Relight one frame of a batch of clips. level: see ``relit_terms``."""
    source = network.analyse(frame["image"], *state)
    painting = network.paint(source, target_light)
    gain, offset = network.applied(source, painting)
    relit = composite(frame["image"], frame["alpha"], gain, offset)
    terms = relit_terms(relit, gain, offset, frame, level) | source_terms(network, source, frame, solid_angles)
    terms["target_shading"] = shading_l1(painting.shading[:, :3], frame["target_shading"], frame)
    return Shown(source, relit, terms)


def clip_losses(
    network: RelightNetwork, batch: Batch, solid_angles: Tensor, rivalry: Rivalry | None = None,
    teacher: RelightNetwork | None = None, each: FrameTerms = frame_terms,
) -> tuple[Terms, Tensor]:  # fmt: skip
    """Every loss term over a batch of clips, and the last frames, relit (b, 3, h, w), for the critic to learn from.

    batch: image, target, albedo, normals, shading, target_shading (b, t, 3, h, w); alpha (b, t, 1, h, w); source_light
    (b, t, 3, 16, 16); target_light (b, 3, 16, 16); flow_bwd (b, t - 1, h, w, 2); seen (b, t - 1, 1, h, w).
    teacher: another relighter, frozen, that says how bright people come out in place of the truth ("relit", "level").
    each: ``frame_terms``, or it compiled.
    """
    b, frames, _, h, w = batch["image"].shape
    levels = None if teacher is None else shown_by(teacher, batch)
    state = network.start(b, h, w)
    terms: dict[str, list[Tensor]] = {}
    relit = torch.empty(0)
    for t in range(frames):
        frame = {name: batch[name][:, t] for name in PER_FRAME}
        before, level = relit, None if levels is None else levels[t]
        source, relit, found = each(network, frame, state, batch["target_light"], solid_angles, level)
        state = (source.state8, source.state16)
        if t > 0:
            found["temporal"] = temporal_l1(before, relit, batch["flow_bwd"][:, t - 1], batch["seen"][:, t - 1])
        for name, value in found.items():
            terms.setdefault(name, []).append(value)
    once = last_terms(network, source, relit, frame)  # these cost as much as relighting: once per clip
    once["probe_shading"] = probe_shading(network, source, batch, frame)
    if rivalry is not None:
        shown = frame["alpha"] * frame["image"], frame["alpha"] * relit
        once["critic"] = rivalry.term(*shown, batch["target_light"])
    return {name: torch.stack(values).mean() for name, values in terms.items()} | once, relit


@torch.no_grad()
def shown_by(teacher: RelightNetwork, batch: Batch) -> list[Tensor]:
    """Every frame of the clips, (b, 3, h, w), as another relighter relights it."""
    b, frames, _, h, w = batch["image"].shape
    state, relit = teacher.start(b, h, w), []
    for t in range(frames):
        image, alpha = batch["image"][:, t], batch["alpha"][:, t]
        source = teacher.analyse(image, *state)
        state = (source.state8, source.state16)
        relit.append(composite(image, alpha, *teacher.render(source, batch["target_light"])))
    return relit


def relit_terms(relit: Tensor, gain: Tensor, offset: Tensor, frame: Batch, level: Tensor | None = None) -> Terms:
    """How far one relit frame is from its truth, and what its gain and offset (b, 3, h, w) cost.

    level: a picture (b, 3, h, w) as bright as the truth is to be taken for.
    """
    target, mask = frame["target"], (frame["alpha"] > 0.02).float()
    levelled = target if level is None else target * best_gain(target, level, mask)
    scaled = relit * best_gain(relit, target, mask)
    return {
        "relit": masked_l1(relit, levelled, mask),
        "level": level_l1(relit, levelled, mask),
        "relit_scaled": masked_l1(scaled, target, mask),
        "relit_dark": masked_l1(log_pictures(scaled), log_pictures(target), mask),
        "blotches": blotches(relit, target, mask),
        "tint": tint(*quartered(relit, target, mask)),
        # An offset must earn its place: without a price it becomes a haze that hedges against a wrong exposure.
        "offset": masked_l1(offset, torch.zeros_like(offset), mask),
        "relit_edges": gradient_l1(relit, target, mask),
        "outside": masked_l1(torch.log(gain), torch.zeros_like(gain), 1 - mask),
    }


def source_terms(network: RelightNetwork, source: Source, frame: Batch, solid_angles: Tensor) -> Terms:
    """How far what the network finds in one frame is from what the renderer knows of it."""
    sure = (F.avg_pool2d(frame["alpha"], 2) > 0.9).float()
    normals = F.normalize(F.avg_pool2d(frame["normals"], 2), dim=1)
    # What matters of the source light is how it shades this person: the log of its irradiance and gloss at the
    # true normals. It teaches exposure and direction long before the panorama itself can be told.
    shadings = (network.shade(normals, light) for light in (source.source_light, frame["source_light"]))
    shading = torch.log(F.avg_pool2d(frame["shading"], 2) + 0.02)
    found = source.lit + source.shadow
    return {
        "light": light_l1(source.source_light, frame["source_light"], solid_angles),
        "light_balls": masked_l1(*shadings, sure),
        "shading": masked_l1(found, shading, sure),
        "source_tint": tint(found, shading, sure),
        "normals": normal_cosine(source.normals, normals, sure),
        "albedo": masked_l1(source.albedo, F.avg_pool2d(frame["albedo"], 2), sure),
        "matte": matte_loss(source.matte_logit, frame["alpha"]),
    }


def shading_l1(found: Tensor, true: Tensor, frame: Batch) -> Tensor:
    """How far a light's diffuse shading (b, 3, h/2, w/2), logarithm, is from the renderer's (b, 3, h, w), linear, which
    knows every shadow.

    Not where albedo is so low that what shows is gloss.
    """
    albedo = F.avg_pool2d(frame["albedo"], 2).mean(1, keepdim=True)
    mask = (F.avg_pool2d(frame["alpha"], 2) > 0.9) & (albedo > GLOSSY)
    return masked_l1(found, torch.log(F.avg_pool2d(true, 2) + 0.02), mask.float())


def probe_shading(network: RelightNetwork, source: Source, batch: Batch, frame: Batch) -> Tensor:
    """``shading_l1`` of the last frame under single lamps; see training.samples.probed."""
    lamps = zip(batch["probe_light"].unbind(1), batch["probe_shading"].unbind(1), strict=True)
    terms = [
        shading_l1(network.shaded(source.normals, source.arriving, light)[:, :3], true, frame) for light, true in lamps
    ]
    return torch.stack(terms).mean()


def last_terms(network: RelightNetwork, source: Source, relit: Tensor, frame: Batch) -> Terms:
    """self: relit to its own light, a picture is itself; structure: relit, it keeps its structure code."""
    gain, offset = network.render(source, source.source_light)
    terms = {"self": masked_l1(frame["image"] * gain + offset, frame["image"], frame["alpha"])}
    if source.structure is not None:
        again = network.structure_code(network.encode(relit.clamp(0, 1))[3])
        assert again is not None
        terms["structure"] = structure_drift(source.structure, again, frame["alpha"])
    return terms
