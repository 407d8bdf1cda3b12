"""Samplers: noise levels, and free step functions over ``denoised = model(x, sigma, condition)``.

x = clean + sigma * noise throughout (Karras et al. 2022, "variance exploding"); with the VP notation of DDPM,
x = x_t / sqrt(abar_t) and sigma_t = sqrt((1 - abar_t) / abar_t). Every step acts on each frame by itself, so that a
clip can be stepped piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TRAIN_STEPS = 1000
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]


def train_sigmas(schedule: Literal["scaled_linear", "linear"]) -> F64:
    """sigma_t for t = 0..999, rising: beta from 0.00085 to 0.012, linear in sqrt(beta) (scaled_linear) or in beta."""
    low, high = 0.00085, 0.012
    if schedule == "linear":
        betas = np.linspace(low, high, TRAIN_STEPS, dtype=np.float64)
    else:
        betas = np.linspace(low**0.5, high**0.5, TRAIN_STEPS, dtype=np.float64) ** 2
    abar = np.cumprod(1 - betas)
    return np.asarray(np.sqrt((1 - abar) / abar))


def leading_sigmas(trained: F64, steps: int) -> tuple[float, ...]:
    """ "Leading" spacing: t = (steps-1) * (1000 // steps), ..., 0, then no noise; 20 steps start at t = 950."""
    t = np.arange(steps)[::-1] * (len(trained) // steps)
    return (*(float(s) for s in trained[t]), 0.0)


def karras_sigmas(trained: F64, steps: int, rho: float = 7.0) -> tuple[float, ...]:
    """Karras et al. 2022, eq. 5, over the whole trained range, then no noise."""
    low, high = trained[0] ** (1 / rho), trained[-1] ** (1 / rho)
    return (*(float(s) for s in (high + np.linspace(0, 1, steps) * (low - high)) ** rho), 0.0)


def timestep_of(trained: F64, sigma: float) -> int:
    """The whole timestep t whose sigma_t is nearest on the log scale."""
    return round(float(np.interp(math.log(sigma), np.log(trained), np.arange(len(trained)))))


def start(noise: F32, sigma: float) -> F32:
    """x at the first level: unit noise in VP notation, noise * sqrt(1 + sigma^2) here (diffusers' init_noise_sigma)."""
    return noise * math.sqrt(1 + sigma * sigma)


def ancestral_noise(sigma: float, sigma_next: float) -> float:
    """Standard deviation of the fresh noise of a full ancestral step; DDPM's "fixed_small" posterior deviation."""
    return math.sqrt(max(sigma_next**2 * (sigma**2 - sigma_next**2), 0.0)) / sigma


def ddpm_step(x: F32, denoised: F32, previous: F32 | None, sigmas: Sequence[float], i: int, noise: F32) -> F32:
    """Ho et al. 2020, eq. 6 and 7, without clipping: mean of q(x_s | x_t, x_0) plus fixed_small noise."""
    sigma, after = sigmas[i], sigmas[i + 1]
    keep = (after / sigma) ** 2
    return denoised + keep * (x - denoised) + ancestral_noise(sigma, after) * noise


def euler_step(x: F32, denoised: F32, previous: F32 | None, sigmas: Sequence[float], i: int, noise: F32) -> F32:
    """Karras et al. 2022, algorithm 1 without churn: no fresh noise (DDIM)."""
    return denoised + sigmas[i + 1] / sigmas[i] * (x - denoised)


def dpmpp_2m_sde_step(x: F32, denoised: F32, previous: F32 | None, sigmas: Sequence[float], i: int, noise: F32) -> F32:
    """Lu et al. 2022, DPM-Solver++(2M), SDE form, midpoint; ``previous``: the clean estimate of the step before."""
    sigma, after = sigmas[i], sigmas[i + 1]
    if after == 0:
        return denoised
    h = math.log(sigma / after)
    target = denoised
    if previous is not None:
        ratio = math.log(sigmas[i - 1] / sigma) / h
        target = denoised + (denoised - previous) * (0.5 / ratio)
    shrink = -math.expm1(-2 * h)
    return after / sigma * math.exp(-h) * x + shrink * target + after * math.sqrt(shrink) * noise


Step = Callable[[F32, F32, F32 | None, Sequence[float], int, F32], F32]


@dataclass(frozen=True, slots=True)
class Sampler:
    """A step function, and whether it wants the clean estimate of the step before."""

    step: Step
    remembers: bool


SAMPLERS = {
    "ddpm": Sampler(ddpm_step, False),
    "euler": Sampler(euler_step, False),
    "dpmpp-2m-sde": Sampler(dpmpp_2m_sde_step, True),
}


def sample(
    model: Callable[[F32, float], F32],
    sampler: Sampler,
    sigmas: Sequence[float],
    noise: Callable[[int], F32],
) -> F32:
    """The whole chain in memory, for pictures and tests. noise(i): unit noise of step i; noise(0) starts."""
    x, previous = start(noise(0), sigmas[0]), None
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i])
        x = sampler.step(x, denoised, previous, sigmas, i, noise(i + 1))
        previous = denoised
    return x
