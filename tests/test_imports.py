"""Imports point one way, and the live core needs neither torch nor any engine to be imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "livelight": {"livelight"},
    "trt_engines": {"livelight", "trt_engines"},
    "offline": {"livelight", "trt_engines", "offline"},
    "pipelines": {"livelight", "trt_engines", "offline", "pipelines"},
}
OURS = {*MAY_IMPORT, "training"}


def imported(path: Path) -> set[str]:
    """Top-level names of every import statement in a file, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        assert imported(path) & OURS <= MAY_IMPORT[package], path


def test_only_the_torch_runtime_knows_torch() -> None:
    knows = {p.name for p in (ROOT / "livelight").rglob("*.py") if "torch" in imported(p)}
    network = {"torch_network.py", "person_gain.py", "occlusion.py", "depth.py", "light_ball.py", "layers.py"}
    assert knows == {"torch_runtime.py", *network}


@pytest.mark.parametrize("module", ["livelight", "livelight.relight", "livelight.session", "pipelines.cli"])
def test_import_without_engines(module: str) -> None:
    blocked = ("torch", "openvino", "onnxruntime", "mediapipe", "aiortc", "tensorrt", "numba")
    code = f"import sys\nfor name in {blocked}: sys.modules[name] = None\nimport {module}\nprint('imported')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout == "imported\n", done.stderr
