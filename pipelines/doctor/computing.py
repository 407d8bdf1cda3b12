"""What computes: the processor, the GPU and its driver, TensorRT and its engines."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.doctor.finding import Finding, note, ok, problem
from pipelines.doctor.machine import Machine

OLDEST_DRIVER = 580
"""First NVIDIA driver for CUDA 13, which the TensorRT wheels are built for."""

_NVIDIA = "0x10de"


def processor_findings(machine: Machine) -> Iterator[Finding]:
    """Which arithmetic the processor has, as far as it matters."""
    area = "processor"
    if machine.system != "Linux" or machine.processor not in ("x86_64", "AMD64"):
        yield ok(area, machine.processor)
        return
    about = machine.text("/proc/cpuinfo") or ""
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in about.splitlines())}
    flags = set(fields.get("flags", "").split())
    name = fields.get("model name", machine.processor)
    if "amx_bf16" in flags:
        yield ok(area, f"{name}, bfloat16 in AMX")
    elif "avx2" in flags:
        yield ok(area, f"{name}, float32 in {'AVX-512' if 'avx512f' in flags else 'AVX2'}")
    else:
        yield note(area, f"{name} has no AVX2: relighting will be slow.", "take a smaller --size, or an NVIDIA GPU")


def gpu_findings(machine: Machine) -> Iterator[Finding]:
    """The NVIDIA cards, their driver, and the TensorRT that fits them; then the engines."""
    area = "GPU"
    asked = machine.run("nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")
    cards = [tuple(part.strip() for part in line.split(",")) for line in (asked or "").splitlines() if line.strip()]
    cards = [card for card in cards if len(card) == 3]
    if not cards:
        yield _no_driver(machine, area)
    for name, driver, capability in cards:
        major = int(driver.split(".")[0]) if driver.split(".")[0].isdigit() else 0
        if major < OLDEST_DRIVER:
            what = f"{name}: driver {driver} is too old for TensorRT, expected {OLDEST_DRIVER} or newer."
            yield note(area, what, "update the NVIDIA driver; until then the CPU is used")
        else:
            yield ok(area, f"{name}, driver {driver}, compute capability {capability}")
        yield _flavour(machine, name)
    yield from engine_findings(machine)


def _no_driver(machine: Machine, area: str) -> Finding:
    devices = machine.names("/sys/bus/pci/devices")
    for device in devices:
        folder = f"/sys/bus/pci/devices/{device}"
        display = (machine.text(f"{folder}/class") or "").startswith("0x03")
        if display and (machine.text(f"{folder}/vendor") or "").strip() == _NVIDIA:
            what = "An NVIDIA GPU is there, but its driver is not installed or does not run."
            return note(area, what, "sudo apt install nvidia-driver (Debian), or: sudo ubuntu-drivers install")
    return ok(area, "no NVIDIA GPU; the CPU is used")


def _flavour(machine: Machine, card: str) -> Finding:
    flavour = "tensorrt-rtx" if "RTX" in card else "tensorrt"
    version, bindings = machine.package(flavour), machine.package("cuda-bindings")
    if version is None or bindings is None:
        missing = flavour if version is None else "cuda-bindings"
        what = f"The package {missing} is not installed; without it {card} is not used."
        return note("TensorRT", what, f"pip install 'livelight[{flavour}]'")
    return ok("TensorRT", f"{flavour} {version}")


def engine_findings(machine: Machine) -> Iterator[Finding]:
    """Of the engines in the cache: damaged ones, those of another TensorRT, and how many are good."""
    area, good = "engines", 0
    for entry in machine.engines():
        if entry.spec is None:
            yield problem(area, f"{entry.path} cannot be used: {entry.fault}", "livelight engine clear")
            continue
        installed = machine.package(entry.spec.flavour)
        if installed is not None and installed != entry.spec.version:
            what = f"{entry.path.name} was built by {entry.spec.flavour} {entry.spec.version}, now it is {installed}."
            yield note(area, what, "livelight engine clear (new ones are built when they are needed)")
        elif entry.verified:
            good += 1
        else:
            yield note(area, f"{entry.path.name} was never verified.", "livelight engine verify")
    if good:
        yield ok(area, f"{good} verified")
