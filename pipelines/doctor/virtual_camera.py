"""Can other programs see what we make?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.doctor.finding import Finding, note, ok, problem
from pipelines.doctor.machine import Machine

AREA = "virtual camera"
LOAD = "sudo modprobe v4l2loopback card_label=LiveLight exclusive_caps=1"
RELOAD = f"close the programs that use it, then: sudo modprobe -r v4l2loopback && {LOAD}"

_INSTALL = {
    "debian": "sudo apt install v4l2loopback-dkms",
    "ubuntu": "sudo apt install v4l2loopback-dkms",
    "fedora": "sudo dnf install v4l2loopback (from RPM Fusion)",
    "arch": "sudo pacman -S v4l2loopback-dkms",
    "opensuse": "sudo zypper install v4l2loopback-kmp-default",
}
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_OBS_CLASS = r"HKLM\SOFTWARE\Classes\CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
"""What OBS registers for its virtual camera on Windows."""
_OBS_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"


@dataclass(frozen=True)
class Loopback:
    """A v4l2loopback device. exclusive: None where the driver does not say."""

    device: str
    label: str
    exclusive: bool | None


def virtual_camera_findings(machine: Machine) -> Iterator[Finding]:
    """Of the way that this system has: v4l2loopback, or the camera of OBS."""
    if machine.system == "Linux":
        yield from _loopback_findings(machine)
    else:
        yield from _obs_findings(machine)


def _loopback_findings(machine: Machine) -> Iterator[Finding]:
    if "v4l2loopback" not in machine.names("/sys/module"):
        yield _not_loaded(machine)
        return
    version = (machine.text("/sys/module/v4l2loopback/version") or "of unknown version").strip()
    found = loopbacks(machine)
    if not found:
        yield problem(AREA, f"v4l2loopback {version} is loaded, but has made no device.", RELOAD)
    for loopback in found:
        yield from _device_findings(machine, loopback, version)


def _not_loaded(machine: Machine) -> Finding:
    about = machine.run("modinfo", "v4l2loopback")
    if about is None:
        system = (machine.text("/etc/os-release") or "").lower()
        install = next((words for name, words in _INSTALL.items() if re.search(rf"id(_like)?=.*{name}", system)), None)
        install = install or "install the package v4l2loopback of your system"
        return problem(AREA, "v4l2loopback, the kernel's virtual camera, is not installed.", f"{install}, then: {LOAD}")
    if secure_boot(machine) and not re.search(r"^signer:\s*\S", about, re.MULTILINE):
        mend = "sudo mokutil --import /var/lib/dkms/mok.pub, restart, choose Enroll MOK; or switch Secure Boot off"
        return problem(AREA, "v4l2loopback is installed, but not signed, and Secure Boot refuses it.", mend)
    return problem(AREA, "v4l2loopback is installed, but not loaded.", LOAD)


def secure_boot(machine: Machine) -> bool:
    """Whether the firmware admits signed modules alone: the last byte of its variable, or what mokutil says."""
    said = machine.run("mokutil", "--sb-state")
    if said is not None:
        return "enabled" in said.lower()
    return (machine.text(_SECURE_BOOT) or "").endswith("\x01")


def loopbacks(machine: Machine) -> list[Loopback]:
    """The devices of v4l2loopback, by number. The driver keeps exclusive_caps as a list in the order of making."""
    names = [n for n in machine.names("/sys/devices/virtual/video4linux") if re.fullmatch(r"video\d+", n)]
    names.sort(key=lambda name: int(name.removeprefix("video")))
    flags = (machine.text("/sys/module/v4l2loopback/parameters/exclusive_caps") or "").strip().split(",")
    found = []
    for index, name in enumerate(names):
        label = (machine.text(f"/sys/devices/virtual/video4linux/{name}/name") or name).strip()
        flag = flags[index] if index < len(flags) else ""
        found.append(Loopback(f"/dev/{name}", label, {"Y": True, "1": True, "N": False, "0": False}.get(flag)))
    return found


def _device_findings(machine: Machine, loopback: Loopback, version: str) -> Iterator[Finding]:
    named = f"{loopback.label} ({loopback.device})"
    if not machine.usable(loopback.device):
        mend = "sudo usermod -aG video $USER, then log in again"
        yield problem(AREA, f"{named} may not be written by this user.", mend)
    if loopback.exclusive is False:
        what = f"{named} has exclusive_caps=0, and Chrome and Zoom do not list such a device."
        yield problem(AREA, what, RELOAD)
    elif machine.usable(loopback.device):
        yield ok(AREA, f"{named}, v4l2loopback {version}")
    if not _shown_by_pipewire(machine, loopback.device):
        what = f"PipeWire does not show {loopback.device}: programs that take cameras through it will not see it."
        yield note(AREA, what, "start livelight run, then: systemctl --user restart wireplumber")


def _shown_by_pipewire(machine: Machine, device: str) -> bool:
    """True also where PipeWire does not run or cannot be asked."""
    try:
        nodes = json.loads(machine.run("pw-dump") or "[]")
    except json.JSONDecodeError:
        return True
    properties = [(node.get("info") or {}).get("props") or {} for node in nodes]
    return not nodes or any(device in (p.get("api.v4l2.path"), p.get("object.path", "")[5:]) for p in properties)


def _obs_findings(machine: Machine) -> Iterator[Finding]:
    if machine.system == "Windows":
        there = machine.run("reg", "query", _OBS_CLASS) is not None
        mend = "winget install OBSProject.OBSStudio, then in OBS: Start Virtual Camera, once"
        yield (
            ok(AREA, "OBS's virtual camera") if there else problem(AREA, "OBS's virtual camera is not installed.", mend)
        )
    else:
        yield _obs_on_mac(machine)
    if machine.package("pyvirtualcam") is None:
        what = "The package pyvirtualcam, which writes into OBS's virtual camera, is not installed."
        yield problem(AREA, what, "pip install 'livelight[vcam]'")


def _obs_on_mac(machine: Machine) -> Finding:
    if "OBS.app" not in machine.names("/Applications"):
        return problem(AREA, "OBS, whose virtual camera is used, is not installed.", "brew install --cask obs")
    lines = (machine.run("systemextensionsctl", "list") or "").splitlines()
    states = [line for line in lines if _OBS_EXTENSION in line]
    if any("activated enabled" in line for line in states):
        return ok(AREA, "OBS's virtual camera")
    if any("waiting for user" in line for line in states):
        mend = "System Settings, General, Login Items & Extensions, Camera Extensions: switch OBS on"
        return problem(AREA, "OBS's virtual camera waits for your consent.", mend)
    what = "OBS is installed, but its virtual camera was never started, or OBS is older than version 30."
    return problem(AREA, what, "in OBS 30 or newer: Start Virtual Camera, once")
