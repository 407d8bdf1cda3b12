"""What mattes are measured by."""

import numpy as np
import pytest

from training.mattes import figures_of


def disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[:64, :64] - 31.5
    return np.clip(radius - np.hypot(x, y) + 0.5, 0, 1).astype(np.float32)


def test_the_truth_is_right_and_a_thick_outline_is_wrong_at_edges() -> None:
    alpha = disc(20)
    assert figures_of(alpha, alpha) == {"overlap": 1.0, "error": 0.0, "at edges": 0.0}
    thick = figures_of(disc(22), alpha)
    assert thick["overlap"] == pytest.approx(20**2 / 22**2, abs=0.02)
    assert thick["at edges"] > 3 * thick["error"]


def test_a_thing_far_from_the_person_is_no_matter_of_edges() -> None:
    alpha, wrong = disc(10), disc(10)
    wrong[:8, :8] = 1
    found = figures_of(wrong, alpha)
    assert found["at edges"] == 0
    assert found["error"] == pytest.approx(64 / 64**2)
