"""The doctor on machines that are broken in known ways."""

from __future__ import annotations

import json
import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from livelight.sources.camera_list import Camera, CameraMode
from pipelines.doctor.cameras import camera_findings
from pipelines.doctor.computing import gpu_findings, processor_findings
from pipelines.doctor.machine import Machine, ThisMachine
from pipelines.doctor.packages import EXTRAS, package_findings
from pipelines.doctor.report import doctor, findings_of
from pipelines.doctor.virtual_camera import virtual_camera_findings
from tests.doctor.broken import FULL, FakeMachine, cpu, loopback, nvidia
from trt_engines.spec import Card, EngineSpec, GraphSpec
from trt_engines.store import Entry

HEALTHY = {
    "texts": loopback() | cpu("avx2 avx512f"),
    "commands": {"gst-inspect-1.0 --version": "gst-inspect-1.0 version 1.22.0\n", "gst-inspect-1.0 pipewiresink": "x"},
}


def only(findings):
    found = list(findings)
    assert len(found) == 1, found
    return found[0]


def test_a_healthy_machine_has_nothing_to_mend(capsys):
    assert doctor(as_json=False, machine=FakeMachine(**HEALTHY)) == 0
    out = capsys.readouterr().out
    assert "->" not in out
    assert "No problem found." in out


def test_a_problem_sets_the_exit_status_and_json_says_all(capsys):
    assert doctor(as_json=True, machine=FakeMachine()) == 1
    found = json.loads(capsys.readouterr().out)
    assert [set(finding) for finding in found] == [{"area", "level", "what", "mend"}] * len(found)
    assert [f["area"] for f in found if f["level"] == "problem"] == ["virtual camera"]
    assert all(f["mend"] for f in found if f["level"] != "ok")


@pytest.mark.parametrize(
    ("texts", "commands", "what", "mend"),
    [
        ({"/etc/os-release": "ID=fedora\n"}, {}, "is not installed", "sudo dnf install v4l2loopback"),
        (
            {"/etc/os-release": "ID=mint\nID_LIKE=ubuntu\n"},
            {},
            "is not installed",
            "sudo apt install v4l2loopback-dkms",
        ),
        ({}, {}, "is not installed", "install the package v4l2loopback"),
        ({}, {"modinfo v4l2loopback": "filename: x\n"}, "not loaded", "sudo modprobe v4l2loopback"),
        (
            {},
            {"modinfo v4l2loopback": "filename: x\n", "mokutil --sb-state": "SecureBoot enabled\n"},
            "Secure Boot refuses",
            "mokutil --import",
        ),
        (
            {"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\x06\0\0\0\x01"},
            {"modinfo v4l2loopback": "filename: x\nsigner: \n"},
            "Secure Boot refuses",
            "mokutil --import",
        ),
        (
            {},
            {"modinfo v4l2loopback": "signer: DKMS key\n", "mokutil --sb-state": "SecureBoot enabled\n"},
            "not loaded",
            "sudo modprobe v4l2loopback",
        ),
        ({"/sys/module/v4l2loopback/version": "0.12.7\n"}, {}, "has made no device", "modprobe -r"),
        (loopback("N"), {}, "exclusive_caps=0", "modprobe -r v4l2loopback && sudo modprobe"),
    ],
)
def test_v4l2loopback_that_is_not_right(texts, commands, what, mend):
    finding = only(virtual_camera_findings(FakeMachine(texts=texts, commands=commands)))
    assert finding.level == "problem"
    assert what in finding.what
    assert mend in finding.mend


def test_a_loopback_that_may_not_be_written():
    finding = only(virtual_camera_findings(FakeMachine(texts=loopback(), refused=("/dev/video10",))))
    assert (finding.level, finding.mend) == ("problem", "sudo usermod -aG video $USER, then log in again")


def test_a_loopback_that_pipewire_does_not_show():
    webcam = {"info": {"props": {"api.v4l2.path": "/dev/video0"}}}
    ours = {"info": {"props": {"object.path": "v4l2:/dev/video10"}}}
    hidden = FakeMachine(texts=loopback(), commands={"pw-dump": json.dumps([{"info": None}, webcam])})
    assert [f.level for f in virtual_camera_findings(hidden)] == ["ok", "note"]
    assert "wireplumber" in list(virtual_camera_findings(hidden))[1].mend
    shown = FakeMachine(texts=loopback(), commands={"pw-dump": json.dumps([webcam, ours])})
    assert [f.level for f in virtual_camera_findings(shown)] == ["ok"]


@pytest.mark.parametrize(
    ("apps", "extensions", "level", "said"),
    [
        ([], "", "problem", "brew install"),
        (["OBS.app"], "", "problem", "Start Virtual Camera"),
        (
            ["OBS.app"],
            "com.obsproject.obs-studio.mac-camera-extension [activated waiting for user]",
            "problem",
            "switch",
        ),
        (["OBS.app"], "* * X com.obsproject.obs-studio.mac-camera-extension (1.0) [activated enabled]", "ok", ""),
    ],
)
def test_obs_on_a_mac(apps, extensions, level, said):
    machine = FakeMachine(
        system="Darwin",
        texts={f"/Applications/{app}/x": "" for app in apps},
        commands={"systemextensionsctl list": extensions},
    )
    finding = only(virtual_camera_findings(machine))
    assert finding.level == level
    assert said in finding.mend


def test_obs_on_windows():
    query = r"reg query HKLM\SOFTWARE\Classes\CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
    assert only(virtual_camera_findings(FakeMachine(system="Windows", commands={query: "x"}))).level == "ok"
    bare = list(virtual_camera_findings(FakeMachine(system="Windows", packages={})))
    assert [f.level for f in bare] == ["problem", "problem"]
    assert "livelight[vcam]" in bare[1].mend


def test_cameras():
    modes = (CameraMode("YUYV", 640, 480, (Fraction(30),)), CameraMode("MJPG", 1280, 720, (Fraction(60), Fraction(30))))
    good = only(camera_findings(FakeMachine(found_cameras=[Camera(0, "Cam", "/dev/video0", modes=modes)])))
    assert good.what == "Cam (/dev/video0), up to 1280x720 at 60 fps as MJPG"
    closed = Camera(0, "video0", "/dev/video0", problem="/dev/video0 may not be opened; ...")
    finding = only(camera_findings(FakeMachine(found_cameras=[closed], refused=("/dev/video0",))))
    assert (finding.level, finding.mend) == ("problem", "sudo usermod -aG video $USER, then log in again")
    busy = Camera(0, "video0", "/dev/video0", problem="/dev/video0 cannot be opened: Device or resource busy.")
    assert "close the program" in only(camera_findings(FakeMachine(found_cameras=[busy]))).mend


def test_no_camera():
    virtual = Camera(10, "LiveLight", "/dev/video10", virtual=True)
    assert only(camera_findings(FakeMachine(found_cameras=[virtual]))).level == "note"
    usb = FakeMachine(found_cameras=[], commands={"lsusb": "Bus 001 Device 002: ID 046d:0825 Logitech Webcam C270\n"})
    assert "uvcvideo" in only(camera_findings(usb)).mend
    assert "Privacy" in only(camera_findings(FakeMachine(system="Darwin", found_cameras=[]))).mend


@pytest.mark.parametrize(
    ("flags", "level", "word"),
    [
        ("avx2 amx_bf16", "ok", "AMX"),
        ("avx2 avx512f", "ok", "AVX-512"),
        ("avx2", "ok", "AVX2"),
        ("sse4_2", "note", "no"),
    ],
)
def test_processor(flags, level, word):
    finding = only(processor_findings(FakeMachine(texts=cpu(flags))))
    assert finding.level == level
    assert word in finding.what


def test_a_card_without_driver_and_with_an_old_one():
    pci = {
        "/sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
        "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
    }
    assert "driver is not installed" in only(gpu_findings(FakeMachine(texts=pci))).what
    old = next(gpu_findings(FakeMachine(commands=nvidia(driver="550.54"))))
    assert (old.level, "580" in old.what) == ("note", True)
    assert only(gpu_findings(FakeMachine())).what == "no NVIDIA GPU; the CPU is used"


@pytest.mark.parametrize(("card", "flavour"), [("NVIDIA GeForce RTX 4070", "tensorrt-rtx"), ("NVIDIA L4", "tensorrt")])
def test_the_flavour_of_tensorrt_follows_the_card(card, flavour):
    _, missing = gpu_findings(FakeMachine(commands=nvidia(card)))
    assert (missing.level, missing.mend) == ("note", f"pip install 'livelight[{flavour}]'")
    packages = {flavour: "1.7.0", "cuda-bindings": "13.0"}
    assert [f.level for f in gpu_findings(FakeMachine(commands=nvidia(card), packages=packages))] == ["ok", "ok"]


def test_engines():
    spec = EngineSpec(GraphSpec(1280, 720), "w", "tensorrt-rtx", "1.7.0", Card("NVIDIA GeForce RTX 4070", (8, 9)))
    damaged = Entry(Path("a.engine"), None, 1, 0.0, False, "its checksum is wrong")
    good, unverified = (Entry(Path("b.engine"), spec, 1, 1.0, verified) for verified in (True, False))
    machine = FakeMachine(found_engines=[damaged, good, unverified])
    _, *levels = [(f.level, f.mend) for f in gpu_findings(machine)]
    assert levels == [("problem", "livelight engine clear"), ("note", "livelight engine verify"), ("ok", "")]
    newer = FakeMachine(found_engines=[good], packages={"tensorrt-rtx": "1.7.1"})
    assert "now it is 1.7.1" in list(gpu_findings(newer))[1].what


def test_packages_that_are_missing_or_collide():
    bare = list(package_findings(FakeMachine(packages={}, system="Windows")))
    assert [f.level for f in bare] == ["ok", "problem", *["note"] * len(EXTRAS)]
    two = FakeMachine(packages=FULL | {"opencv-python": "4.9"}, system="Windows")
    (clash,) = [f for f in package_findings(two) if f.level != "ok"]
    assert "overwrite each other" in clash.what


def test_the_extras_are_those_of_the_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    offered = project["optional-dependencies"]
    for extra, (packages, _) in EXTRAS.items():
        assert all(any(line.startswith(package) for line in offered[extra]) for package in packages)


def test_this_machine_can_be_asked():
    machine: Machine = ThisMachine()
    assert machine.text("/no/such/file") is None
    assert machine.run("no-such-program") is None
    assert machine.names("/no/such/folder") == []
    assert machine.package("pytest")
    assert {finding.area for finding in findings_of(machine)} >= {"Python", "packages", "processor", "virtual camera"}
