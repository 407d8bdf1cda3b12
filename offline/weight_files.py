"""Weights that the user points at: a file, a folder, or a hub id; found, opened, and told apart."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from livelight.errors import RuntimeFailure

KINDS_BY_CHANNELS = {4: "plain Stable Diffusion", 8: "IC-Light fc or fcon", 12: "IC-Light fbc"}


def located(place: str, names: tuple[str, ...], what: str) -> Path:
    """The file called one of ``names`` in ``place``: the file itself, a folder, or a hub id (OWNER/NAME, downloaded).

    Raises RuntimeFailure that says what was expected where.
    """
    path = Path(place).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                return path / name
        raise RuntimeFailure(f"{path} lacks {what}; expected a file {' or '.join(names)} in it.")
    if path.is_absolute() or place.count("/") != 1 or place.startswith((".", "~")):
        raise RuntimeFailure(f"{place} does not exist; expected {what}: a file, a folder, or a hub id OWNER/NAME.")
    return _downloaded(place, names, what)


def _downloaded(hub_id: str, names: tuple[str, ...], what: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    reason = "no such file there"
    for name in names:
        subfolder, _, file = name.rpartition("/")
        try:
            return Path(hf_hub_download(hub_id, file, subfolder=subfolder or None))
        except LocalEntryNotFoundError as exc:
            raise RuntimeFailure(
                f"{what} of {hub_id} is not on this machine and the hub cannot be reached; go online, or give the path "
                "of a file or folder."
            ) from exc
        except EntryNotFoundError:
            continue
        except HFValidationError as exc:
            raise RuntimeFailure(f"{hub_id} is no file, no folder and no hub id; expected {what}.") from exc
        except (HfHubHTTPError, OSError) as exc:
            reason = str(exc).splitlines()[0]
    raise RuntimeFailure(f"{hub_id} gives no {what} ({' or '.join(names)}): {reason}; check the id or give a path.")


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a .safetensors, .pth, .pt, .bin or .ckpt file, on the CPU. Never runs code from the file."""
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as exc:
        reason = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise RuntimeFailure(f"{path} cannot be read as weights ({reason}); download it again.") from exc
    for wrapper in ("state_dict", "module"):
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
    if not isinstance(loaded, dict) or not all(isinstance(t, Tensor) for t in loaded.values()):
        raise RuntimeFailure(f"{path} holds no table of weights; expected a .safetensors or .pth state dict.")
    return loaded


def check_channels(weights: Mapping[str, Tensor], wanted: int, path: Path) -> None:
    """Raise RuntimeFailure if an IC-Light file's conv_in takes another number of channels than the model to build."""
    if "conv_in.weight" not in weights:
        raise RuntimeFailure(f"{path} has no conv_in.weight; expected an IC-Light UNet file.")
    got = int(weights["conv_in.weight"].shape[1])
    if got != wanted:
        other = {8: "foreground only", 12: "foreground and background"}.get(got, "something else")
        raise RuntimeFailure(
            f"{path} takes {got} input channels ({KINDS_BY_CHANNELS.get(got, 'unknown')}: {other}), but this model "
            f"needs {wanted} ({KINDS_BY_CHANNELS.get(wanted, 'unknown')}); give the matching file."
        )


def with_ic_light(base: Mapping[str, Tensor], deltas: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """IC-Light's published offsets added to every UNet weight, in float32; conv_in first widened by zeros.

    Channels of conv_in: noise 4, foreground 4, and for fbc background 4.
    """
    if base.keys() != deltas.keys():
        odd = sorted(base.keys() ^ deltas.keys())
        raise RuntimeFailure(
            f"{path} does not match the base UNet: {len(odd)} of {len(base)} names differ (such as {odd[0]}); expected "
            "IC-Light's offsets for Stable Diffusion 1.5."
        )
    summed = {}
    for name, weight in base.items():
        wide = weight.float()
        if name == "conv_in.weight":
            extra = deltas[name].shape[1] - wide.shape[1]
            wide = torch.cat([wide, wide.new_zeros(wide.shape[0], extra, *wide.shape[2:])], 1)
        summed[name] = wide + deltas[name].float()
    return summed


def fingerprint(paths: list[Path]) -> str:
    """Short hash of files by their sizes and their first and last megabyte: tells other weights from these."""
    digest = hashlib.sha256()
    for path in paths:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest.update(size.to_bytes(8, "little") + file.read(1 << 20))
            file.seek(max(size - (1 << 20), 0))
            digest.update(file.read(1 << 20))
    return digest.hexdigest()[:16]
