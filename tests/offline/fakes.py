"""Small denoisers and tiny networks for the tests of offline/."""

from __future__ import annotations

import numpy as np


class Identity:
    """Calls every noised picture clean."""

    max_frames = 32

    def __call__(self, x, sigma, condition):
        return x


class Mixing:
    """Mixes the frames of its window with each other and with a condition, so that windows matter."""

    max_frames = 32

    def __init__(self, fail_after=None):
        self.calls, self._fail_after = 0, fail_after

    def __call__(self, x, sigma, condition):
        if self.calls == self._fail_after:
            raise KeyboardInterrupt
        self.calls += 1
        pull = np.tanh(x.mean(0, keepdims=True) + condition["tint"])
        return 0.3 * x / (1 + sigma**2) ** 0.5 + pull * np.float32(1 + np.arange(len(x)).reshape(-1, 1, 1, 1) / len(x))
