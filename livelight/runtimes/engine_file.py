"""An engine file: what it was made for, a checksum, and the bytes of a TensorRT flavour.

First the line MAGIC; then one line of JSON with "spec", "sha256" and "size" (bytes) of the rest, and "build_s"; then
the serialized engine.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from livelight.errors import RuntimeFailure

MAGIC = b"LIVELIGHT ENGINE 1\n"
AGAIN = "remove it with: livelight engine clear, and build again"


@dataclass(frozen=True)
class EngineFile:
    """spec: one line of JSON (trt_engines.spec.EngineSpec.text). build_s: seconds that the build took."""

    spec: str
    engine: bytes
    build_s: float

    def to_bytes(self) -> bytes:
        """The file's content."""
        about = {
            "spec": json.loads(self.spec),
            "sha256": hashlib.sha256(self.engine).hexdigest(),
            "size": len(self.engine),
            "build_s": round(self.build_s, 3),
        }
        return MAGIC + json.dumps(about, sort_keys=True).encode() + b"\n" + self.engine


def read_engine(path: Path) -> EngineFile:
    """Read and check; raises RuntimeFailure for a file that is absent, foreign, cut short or altered."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise RuntimeFailure(f"the engine {path} cannot be read ({exc.strerror})") from exc
    if not content.startswith(MAGIC):
        raise RuntimeFailure(
            f"{path} is no LiveLight engine: it does not begin with {MAGIC.decode().strip()!r}; {AGAIN}"
        )
    head, newline, engine = content[len(MAGIC) :].partition(b"\n")
    try:
        about = json.loads(head)
        spec, size, sha256 = json.dumps(about["spec"], sort_keys=True), int(about["size"]), str(about["sha256"])
        build_s = float(about["build_s"])
    except (ValueError, KeyError, TypeError) as exc:
        raise RuntimeFailure(f"the engine {path} has a damaged head; {AGAIN}") from exc
    if not newline or len(engine) != size:
        raise RuntimeFailure(f"the engine {path} is cut short: expected {size} bytes, got {len(engine)}; {AGAIN}")
    if hashlib.sha256(engine).hexdigest() != sha256:
        raise RuntimeFailure(f"the engine {path} was altered: its checksum does not fit; {AGAIN}")
    return EngineFile(spec, engine, build_s)
