"""``livelight doctor``: all findings, for people or as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from pipelines.doctor.cameras import camera_findings
from pipelines.doctor.computing import gpu_findings, processor_findings
from pipelines.doctor.finding import Finding
from pipelines.doctor.machine import Machine, ThisMachine
from pipelines.doctor.packages import package_findings
from pipelines.doctor.virtual_camera import virtual_camera_findings

PROBES = (package_findings, processor_findings, gpu_findings, camera_findings, virtual_camera_findings)

_COLOURS = {"ok": "32", "note": "33", "problem": "31"}


def findings_of(machine: Machine) -> list[Finding]:
    """What all probes find, in their order."""
    return [finding for probe in PROBES for finding in probe(machine)]


def doctor(as_json: bool, machine: Machine | None = None) -> int:
    """Print the findings of ``machine`` (None: this one); 1 if there is a problem among them, else 0."""
    findings = findings_of(machine or ThisMachine())
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        _print(findings, sys.stdout.isatty())
    return int(any(finding.level == "problem" for finding in findings))


def _print(findings: list[Finding], colours: bool) -> None:
    width = max(len(finding.area) for finding in findings)
    for finding in findings:
        level = f"{finding.level:8}"
        if colours:
            level = f"\x1b[{_COLOURS[finding.level]}m{level}\x1b[0m"
        print(f"{level} {finding.area:{width}}  {finding.what}")
        if finding.mend:
            print(f"{'':8} {'':{width}}  -> {finding.mend}")
    count = sum(finding.level == "problem" for finding in findings)
    print(f"{count} problem{'' if count == 1 else 's'}." if count else "No problem found.")
