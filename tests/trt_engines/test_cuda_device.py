"""What a user without a usable GPU is told. Nothing here needs one; the calls of CudaDevice itself do."""

from __future__ import annotations

import enum
import re
import sys
import types

import pytest
import typer

from livelight.errors import MissingExtra, RuntimeFailure
from livelight.runtimes.cuda_device import OLDEST_DRIVER, checked, driver_sentence, open_cuda
from pipelines.cli import app

CODES = {"Success": 0, "ErrorMemoryAllocation": 2, "ErrorInsufficientDriver": 35, "ErrorNoDevice": 100}
Error = enum.IntEnum("Error", {f"cuda{name}": code for name, code in {**CODES, "ErrorLaunchFailure": 719}.items()})


def cuda(driver: int) -> types.SimpleNamespace:
    """The module cuda.bindings.runtime with a driver for CUDA ``driver`` (0: none)."""
    return types.SimpleNamespace(
        cudaError_t=Error,
        cudaDriverGetVersion=lambda: (Error.cudaSuccess, driver),
        cudaGetErrorString=lambda error: (Error.cudaSuccess, b"unspecified launch failure"),
    )


@pytest.mark.parametrize(
    ("driver", "word"),
    [
        (0, "no NVIDIA driver"),
        (12040, "too old: it supports CUDA 12.4, expected 13.0"),
        (OLDEST_DRIVER, "no NVIDIA GPU"),
    ],
)
def test_no_usable_gpu_is_a_sentence(driver: int, word: str) -> None:
    assert word in driver_sentence(cuda(driver))
    with pytest.raises(RuntimeFailure, match=word):
        checked(cuda(driver), (Error.cudaErrorNoDevice, None), "counting the GPUs")


@pytest.mark.parametrize("driver", [0, OLDEST_DRIVER])
def test_the_way_out_names_commands_that_have_the_option(driver: int) -> None:
    """livelight engine, which says it too, has no --runtime."""
    named = re.search(r"livelight ([\w, ]+) use the CPU with (--\w+) auto$", driver_sentence(cuda(driver)))
    assert named is not None
    commands = typer.main.get_command(app)
    assert isinstance(commands, typer.core.TyperGroup)
    for name in re.split(r", | and ", named[1]):
        assert named[2] in {option for p in commands.commands[name].params for option in p.opts}


def test_values_come_out_and_errors_become_sentences() -> None:
    assert checked(cuda(13000), (Error.cudaSuccess, 7), "counting") == 7
    with pytest.raises(RuntimeFailure, match="not enough free memory for 9 MB"):
        checked(cuda(13000), (Error.cudaErrorMemoryAllocation, None), "9 MB of pictures")
    with pytest.raises(RuntimeFailure, match=r"failed in the upload \(unspecified launch failure\)"):
        checked(cuda(13000), (Error.cudaErrorLaunchFailure,), "the upload")


def test_a_missing_package_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    with pytest.raises(MissingExtra, match="cuda-bindings"):
        open_cuda()


def test_this_machine_without_a_gpu() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="pip install cuda-bindings")
    error, count = runtime.cudaGetDeviceCount()
    if error == runtime.cudaError_t.cudaSuccess and count:
        pytest.skip("this machine has a GPU")
    with pytest.raises(RuntimeFailure, match="NVIDIA"):
        open_cuda()
