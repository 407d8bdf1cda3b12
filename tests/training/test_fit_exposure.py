"""Least squares with one weight that is kept between nothing and all."""

import pytest
import torch

from training.fit_exposure import trusting


@pytest.mark.parametrize(("true", "found"), [(-0.7, 0.0), (0.4, 0.4), (1.8, 1.0)])
def test_the_trust_stays_between_nothing_and_all_and_the_rest_makes_up_for_it(true: float, found: float) -> None:
    """Where the trust is cut off, the other weights are the best ones for the trust that is left."""
    torch.manual_seed(0)
    x = torch.randn(200, 4, dtype=torch.float64)
    x[:, 0] += x[:, -1]
    y = x @ torch.tensor([1.0, -2.0, 0.5, true], dtype=torch.float64)
    weights = trusting(x.T @ x, x.T @ y)
    assert weights[-1] == pytest.approx(found)
    rest = torch.linalg.lstsq(x[:, :-1], (y - found * x[:, -1])[:, None]).solution[:, 0]
    torch.testing.assert_close(weights[:-1], rest)
