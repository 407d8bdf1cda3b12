"""The report that the WebRTC measurements write their parts into (docs/benchmarks/webrtc-2-cores.json)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.bench import cpu_name


def add(file: Path, part: str, figures: Any) -> None:
    """Put one part in, in place of its last; all others stay. Says when, on what, and how busy the machine was."""
    report = json.loads(file.read_text()) if file.exists() else {}
    report[part] = {
        "measured": datetime.now(UTC).date().isoformat(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "load_average_1_min": round(os.getloadavg()[0], 1),
        "figures": figures,
    }
    file.write_text(json.dumps(report, indent=1) + "\n")
