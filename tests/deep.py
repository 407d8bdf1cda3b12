"""Weights for livelight.runtimes.depth, whose layers begin by changing nothing."""

from __future__ import annotations

import torch

from livelight.runtimes.depth import Depth


def rouse(depth: Depth) -> None:
    """Give one last layer at each place random weights, so that what it does shows."""
    for last in (depth.whole.out, depth.eighth[0].b, depth.quarter[0].b, depth.lit[0].b):
        torch.nn.init.normal_(last.weight, std=0.1)
