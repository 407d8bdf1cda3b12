"""More layers where they cost least: at 1/16 of the picture, where all of a person is seen at once, at 1/8 and at 1/4.

A pixel at 1/16 is a two hundred and fifty-sixth of the arithmetic of one at full size, so what must be known of the
whole picture (which light this is, which way a face is turned) may take many weights there. The layers at 1/16 are
those of Liu et al., A ConvNet for the 2020s (CVPR 2022), without normalisation, with the picture's mean beside.
"""

from __future__ import annotations

from torch import Tensor, nn

from livelight.runtimes.layers import Block

TRUNK, INNER, MIXES = 128, 384, 6
"""Channels at 1/16, inside a mix, and mixes."""
EIGHTH, QUARTER, LIT = 3, 2, 2
"""Blocks at 1/8 and 1/4 of what is seen, and at 1/8 under the target light."""


class Mix(nn.Module):
    """One of them at 1/16: 7x7 of each channel, the picture's mean, then all channels together; residual."""

    def __init__(self, c: int, inner: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(c, c, 7, 1, 3, groups=c)
        self.far = nn.Conv2d(c, c, 1)
        self.a, self.b = nn.Conv2d(c, inner, 1), nn.Conv2d(inner, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.near(x) + self.far(x.mean((2, 3), keepdim=True))
        return x + self.b(self.a(seen).relu())


class Whole(nn.Module):
    """Features at 1/16 (n, c, h, w), with what many layers make of them added."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.into, self.out = nn.Conv2d(c, TRUNK, 1), nn.Conv2d(TRUNK, c, 1)
        self.layers = nn.Sequential(*(Mix(TRUNK, INNER) for _ in range(MIXES)))

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.out(self.layers(self.into(x)).relu())
        return x + added


class Depth(nn.Module):
    """whole (1/16), eighth (1/8), quarter (1/4), lit (1/8): each takes features and gives as many."""

    def __init__(self, c4: int, c8: int, c16: int) -> None:
        super().__init__()
        self.whole = Whole(c16)
        self.eighth = nn.Sequential(*(Block(c8) for _ in range(EIGHTH)))
        self.quarter = nn.Sequential(*(Block(c4) for _ in range(QUARTER)))
        self.lit = nn.Sequential(*(Block(c8) for _ in range(LIT)))

    def begin(self) -> None:
        """Change nothing yet: the last weights of everything that is added are zero."""
        nn.init.zeros_(self.whole.out.weight)
        for mix in self.whole.layers:
            assert isinstance(mix, Mix)
            mix.b.weight.data.mul_(0.3)
        for blocks in (self.eighth, self.quarter, self.lit):
            for block in blocks:
                assert isinstance(block, Block)
                nn.init.zeros_(block.b.weight)
