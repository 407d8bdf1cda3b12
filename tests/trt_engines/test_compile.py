"""Every live graph passes the checkers, and TensorRT-RTX compiles it without a GPU for every card family."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

pytest.importorskip("torch", reason="the live graph is made with torch: pip install torch")

from livelight.errors import RuntimeFailure
from livelight.relight import model_path
from offline.own_model import weights_folder
from tests.trt_engines.graphs import graph, graph_bytes
from tests.trt_engines.scene import HEIGHT, WIDTH
from trt_engines.build import build_engine, version_of
from trt_engines.export import export
from trt_engines.spec import Card, EngineSpec, GraphSpec
from trt_engines.turing import GEMM_FROM, without_gemm

CAPABILITIES = [(7, 5), (8, 6), (8, 9), (12, 0)]
VARIANTS = [("fp32", False), ("fp16", False), ("fp16", True), ("bf16", False), ("int8", False), ("fp8", False)]
"""Precision, and whether the room is blurred."""

COMPILED = [
    *(((8, 9), v) for v in VARIANTS),
    *(((7, 5), v) for v in (("fp16", True), ("bf16", False), ("int8", False), ("fp8", False))),
    *(((12, 0), v) for v in (("int8", False), ("fp8", False))),
]
"""Each variant once, what is other on Turing, and 8 bits on the newest; the shipped relighter is compiled for all."""

DENOISER = {
    "x": (2, 3, 32, 48),
    "sigma": (1,),
    "image": (2, 3, 64, 96),
    "matte": (2, 1, 32, 48),
    "light": (2, 3, 16, 16),
    "state8": (2, 20, 8, 12),
    "state16": (2, 32, 4, 6),
}
"""Inputs of the diffusion model."""


@functools.cache
def shipped(graph: GraphSpec, turing: bool) -> bytes:
    """The shipped relighter's graph: the same for all cards but Turing's."""
    return export(model_path("live"), graph, (7, 5) if turing else (8, 9))


@pytest.fixture
def rtx():
    return pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed: pip install tensorrt-rtx")


def spec(capability: tuple[int, int], variant: tuple[str, bool]) -> EngineSpec:
    made = GraphSpec(WIDTH, HEIGHT, *variant)  # type: ignore[arg-type]
    card = Card(f"a card of {capability[0]}.{capability[1]}", capability)
    return EngineSpec(made, "0" * 64, "tensorrt-rtx", version_of("tensorrt-rtx"), card)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: ".".join(map(str, v)))
def test_the_checker_passes(variant: tuple[str, bool]) -> None:
    model = graph(*variant)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18 if variant[0] in ("fp32", "fp16") else 22)]
    assert {n.domain for n in model.graph.node} == {""}


@pytest.mark.parametrize(("capability", "variant"), COMPILED, ids=lambda v: ".".join(map(str, v)))
def test_every_variant_compiles(rtx, capability: tuple[int, int], variant: tuple[str, bool]) -> None:
    content = graph_bytes(*variant)
    if capability < GEMM_FROM:
        if variant[0] in ("bf16", "fp8"):
            with pytest.raises(RuntimeFailure, match=r"no bfloat16|no 8-bit floats"):
                build_engine(content, spec(capability, variant))
            return
        content = without_gemm(graph(*variant)).SerializeToString()
    steps: list[tuple[str, int, int]] = []
    engine = build_engine(content, spec(capability, variant), lambda *step: steps.append(step))
    assert len(engine) > 1_000_000
    assert steps, "the build must say how far it is"
    assert all(0 <= done <= total for _, done, total in steps)


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"{c[0]}.{c[1]}")
def test_the_shipped_relighter_compiles(rtx, capability: tuple[int, int]) -> None:
    if not model_path("live").is_file():
        pytest.skip("livelight/models/relighter.onnx, the trained relighter, is not in this checkout")
    made = replace(spec(capability, ("fp16", False)), graph=GraphSpec(320, 180))
    assert len(build_engine(shipped(made.graph, capability < GEMM_FROM), made)) > 1_000_000


@functools.cache
def denoiser() -> onnx.ModelProto:
    """The shipped diffusion model for windows of 2 frames of 96x64."""
    model = onnx.load(weights_folder() / "diffusion.onnx")
    for tensor in model.graph.input:
        shape = DENOISER[tensor.name]
        for axis, length in zip(tensor.type.tensor_type.shape.dim, shape, strict=True):
            axis.dim_value = length
    return model


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"{c[0]}.{c[1]}")
def test_the_shipped_diffusion_model_compiles(rtx, capability: tuple[int, int]) -> None:
    model = denoiser()
    if capability < GEMM_FROM:
        model = without_gemm(model)
    made = replace(spec(capability, ("fp32", False)), graph=GraphSpec(96, 64, "fp32"))
    assert len(build_engine(model.SerializeToString(), made)) > 1_000_000


def test_turing_needs_its_own_graph(rtx) -> None:
    """When this fails, TensorRT-RTX has learnt float32 products on Turing and trt_engines/turing.py can go."""
    with pytest.raises(RuntimeFailure, match="GEMM"):
        build_engine(graph_bytes("fp16"), spec((7, 5), ("fp16", False)))


def test_a_graph_that_the_parser_refuses_is_named(rtx) -> None:
    node = onnx.helper.make_node("NonZero", ["x"], ["y"], name="the_culprit")
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 4])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT64, [2, "k"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", [x], [y]), opset_imports=[onnx.helper.make_opsetid("", 18)]
    )
    with pytest.raises(RuntimeFailure, match=r"TensorRT|tensorrt-rtx"):
        build_engine(model.SerializeToString(), spec((8, 9), ("fp16", False)))


def test_polygraphy_finds_no_fault(tmp_path: Path) -> None:
    for package in ("polygraphy", "onnx_graphsurgeon"):
        pytest.importorskip(package, reason="Polygraphy is not installed: pip install polygraphy onnx-graphsurgeon")
    path = tmp_path / "live.onnx"
    path.write_bytes(graph_bytes("fp16"))
    environment = {**os.environ, "POLYGRAPHY_AUTOINSTALL_DEPS": "0", "OMP_NUM_THREADS": "1"}
    start = "import sys; from polygraphy.tools._main import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "check", "lint", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
