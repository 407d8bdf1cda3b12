import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler

from offline.brightnesses import brightnesses
from offline.guidance import ensemble, guided
from offline.samplers import (
    SAMPLERS,
    ancestral_noise,
    karras_sigmas,
    leading_sigmas,
    sample,
    timestep_of,
    train_sigmas,
)


def noises(count, shape=(1, 4, 5, 5)):
    return [torch.randn(shape, generator=torch.Generator().manual_seed(k)) for k in range(count)]


def toy(x, t):
    """A stand-in for a network's predicted noise, in VP notation."""
    return 0.6 * x + 0.3 * torch.sin(3 * x + t / 200)


def ours(sampler, sigmas, trained, drawn):
    def model(x, sigma):
        return x - sigma * toy(x / (1 + sigma**2) ** 0.5, timestep_of(trained, sigma))

    return sample(model, SAMPLERS[sampler], sigmas, lambda i: drawn[i])


def test_ddpm_is_relightvids_scheduler(monkeypatch):
    """20 leading steps from t = 950, fixed_small variance, no clipping: diffusers' own chain, noise for noise."""
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, timestep_spacing="leading"
    )
    scheduler.set_timesteps(20)
    assert scheduler.timesteps[0] == 950
    drawn = noises(21)
    fresh = iter(drawn[1:])
    monkeypatch.setattr("diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *a, **k: next(fresh))
    x = drawn[0]
    for t in scheduler.timesteps:
        x = scheduler.step(toy(x, int(t)), t, x).prev_sample
    trained = train_sigmas("scaled_linear")
    torch.testing.assert_close(ours("ddpm", leading_sigmas(trained, 20), trained, drawn), x, atol=2e-4, rtol=1e-4)


def test_dpmpp_is_ic_lights_scheduler():
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        algorithm_type="sde-dpmsolver++",
        use_karras_sigmas=True,
        steps_offset=1,
    )
    scheduler.set_timesteps(20)
    trained = train_sigmas("linear")
    sigmas = karras_sigmas(trained, 20)
    np.testing.assert_allclose(sigmas, scheduler.sigmas, rtol=1e-4)
    assert [timestep_of(trained, s) for s in sigmas[:-1]] == scheduler.timesteps.tolist()
    drawn = noises(21)
    x = drawn[0]
    for i, t in enumerate(scheduler.timesteps):
        x = scheduler.step(toy(x, int(t)), t, x, variance_noise=drawn[i + 1]).prev_sample
    torch.testing.assert_close(ours("dpmpp-2m-sde", sigmas, trained, drawn), x, atol=5e-4, rtol=1e-3)


def test_guidance_is_the_written_formula():
    e1, e2, e3, e4 = noises(4)
    torch.testing.assert_close(guided([e1, e2, e3], [1.2, 7.5]), e1 + 1.2 * (e2 - e1) + 7.5 * (e3 - e2))
    four = guided([e1, e2, e3, e4], [1.2, 7.5, 1.5])
    torch.testing.assert_close(four, e1 + 1.2 * (e2 - e1) + 7.5 * (e3 - e2) + 1.5 * (e4 - e3))


def test_iie_with_one_picture_is_the_baseline():
    assert brightnesses(1) == (1.0,)
    assert brightnesses(5) == (0.5, 0.75, 1.0, 1.25, 1.5)
    answer = noises(1)[0]
    assert ensemble(lambda k: answer, 1) is answer


@pytest.mark.parametrize("n", [1, 3, 5])
def test_iie_keeps_the_noise_level_whatever_n(n):
    """Fresh noise of one step, over many draws: the sampler's own deviation; averaging after the step shrinks it."""
    sigmas = leading_sigmas(train_sigmas("scaled_linear"), 20)
    step, x = SAMPLERS["ddpm"].step, torch.zeros(200_000)
    fresh = [torch.randn(200_000, generator=torch.Generator().manual_seed(k)) for k in range(n)]
    expected = ancestral_noise(sigmas[5], sigmas[6])
    right = step(x, x - sigmas[5] * ensemble(lambda k: x + 0.1 * k, n), None, sigmas, 5, fresh[0])
    assert float(right.std()) == pytest.approx(expected, rel=0.01)
    wrong = sum(step(x, x, None, sigmas, 5, noise) for noise in fresh) / n
    assert float(wrong.std()) == pytest.approx(expected / n**0.5, rel=0.01)
