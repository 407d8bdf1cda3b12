"""Options of ``livelight relight`` that do nothing beside the others."""

from importlib import import_module

import pytest

from tests.clips import moving, write_clip
from tests.pipelines import with_fakes
from tests.pipelines.conftest import Run


@pytest.fixture
def livelight(in_process: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """With stand-ins for the engines."""
    import_module("pipelines.extra_outputs")  # it must not meet the fakes on its first import and keep them
    with_fakes.install(monkeypatch.setattr)
    return in_process


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--tone", "1"], "--tone 1 has no effect with --background keep; drop it, or give --background env"),
        (["--tone", ".5", "--background", "blur"], "--tone 0.5 has no effect with --background blur"),
        (["--tone", "1", "--model", "diffusion"], "--tone 1 has no effect with --background keep"),
        (
            ["--steps", "3", "--weights", "x", "--prompt", "hi"],
            "--weights, --prompt, --steps: no effect with --model live",
        ),
        (["--light-weights", "x", "--restart"], "--light-weights, --restart: no effect with --model live, only with a"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(tmp_path, livelight, given, said):
    original = write_clip(tmp_path / "in.mp4", moving(2))
    status, stderr = livelight("relight", original, "-o", tmp_path / "out.mp4", *given)
    assert status == 1
    assert stderr.startswith(f"livelight: {said}")
    assert len(stderr.splitlines()) == 1
    assert not (tmp_path / "out.mp4").exists()


def test_options_that_do_something_are_taken(tmp_path, livelight):
    original = write_clip(tmp_path / "in.mp4", moving(2))
    for background in ("env", "#406080"):
        given = ("--tone", "1", "--background", background, "--seed", "0", "-q")
        assert livelight("relight", original, "-o", tmp_path / "out.mp4", "--force", *given) == (0, "")
