"""NVPR's adversarial critic: a Wasserstein critic that sees source, relit picture and light together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from livelight.runtimes.light_ball import CODE

CLAMP, RATE = 0.01, 5e-5
"""Bound of the critic's weights, and its learning rate (RMSprop), as in Arjovsky et al. 2017 and NVPR."""
WIDTHS = (32, 64, 128, 128)


class Critic(nn.Module):
    """(source, relit, light) -> how real the pair looks, one number per sample (n,); higher is more real.

    DCGAN-shaped: convolutions of stride 2 with batch normalisation. Pictures (n, 3, h, w) sRGB-coded [0, 1], h and w
    multiples of 16; light (n, 3, 16, 16) linear.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 6
        for k, width in enumerate(WIDTHS):
            layers.append(nn.Conv2d(before, width, 4, 2, 1, bias=k == 0))
            layers += [nn.BatchNorm2d(width)] if k else []
            layers.append(nn.LeakyReLU(0.2))
            before = width
        self.pictures = nn.Sequential(*layers)
        self.light = nn.Linear(3 * CODE * CODE, before)
        self.score = nn.Sequential(nn.Conv2d(2 * before, before, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(before, 1, 1))

    def forward(self, source: Tensor, relit: Tensor, light: Tensor) -> Tensor:
        seen = self.pictures(torch.cat([source, relit], 1) * 2 - 1)
        under = self.light(torch.log1p(light).flatten(1))[:, :, None, None].expand(-1, -1, *seen.shape[2:])
        return self.score(torch.cat([seen, under], 1)).mean((1, 2, 3))


class Rivalry:
    """The critic and its optimiser: ``term`` is what the relighter pays, ``learn`` is the critic's own step."""

    def __init__(self, device: torch.device) -> None:
        self.critic = Critic().to(device)
        self.optimizer = torch.optim.RMSprop(self.critic.parameters(), lr=RATE)

    def term(self, source: Tensor, relit: Tensor, light: Tensor) -> Tensor:
        """-D(source, relit, light), a scalar: low where the critic takes the relit picture for a real one."""
        return -self.critic(source, relit, light).mean()

    def learn(self, source: Tensor, relit: Tensor, truth: Tensor, light: Tensor) -> float:
        """One step of the critic on pictures under their light; returns D(truth) - D(relit), the distance it sees."""
        distance = (self.critic(source, truth, light) - self.critic(source, relit.detach(), light)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (-distance).backward()
        self.optimizer.step()
        with torch.no_grad():
            for weight in self.critic.parameters():
                weight.clamp_(-CLAMP, CLAMP)
        return distance.item()
