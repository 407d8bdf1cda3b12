"""Which input becomes which output: decided and checked before anything is decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from livelight.errors import InputError, OutputError, SettingsError
from livelight.sinks.codecs import CONTAINERS
from livelight.sources.picture import PICTURE_SUFFIXES
from pipelines.kept_files import refuse_to_replace

_OTHER_PICTURES = (".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff", ".jxl", ".exr", ".hdr", ".psd")


@dataclass(frozen=True, slots=True)
class ClipJob:
    """One file to relight: a video stays a video, a picture a picture."""

    source: Path
    target: Path

    @property
    def is_picture(self) -> bool:
        return is_picture(self.source)


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def plan_jobs(inputs: list[Path], output: str, force: bool = False, settings: BaseModel | None = None) -> list[ClipJob]:
    """One job per input.

    ``output`` names a file for a single input, and a folder (created) for several inputs, for an existing folder or
    for a name that ends in a slash. In a folder each result keeps its input's name; a second clip.mp4 becomes
    clip-2.mp4. Raises InputError for a missing input; OutputError where an output has no name, is an input or a file
    that ``settings`` name, or exists and ``force`` is not given; SettingsError for a video that should become a
    picture or the other way round.
    """
    if not output:
        raise OutputError("-o expects the name of a file or folder and an empty one came; give . for this folder.")
    for path in inputs:
        if not path.exists():
            raise InputError(f"{path} does not exist; check the name.")
    if len(inputs) == 1 and not _means_folder(output):
        jobs = [ClipJob(inputs[0], Path(output))]
    else:
        jobs = _into_folder(inputs, output)
    for job in jobs:
        _check(job, inputs, force, settings)
    return jobs


def _means_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _into_folder(inputs: list[Path], output: str) -> list[ClipJob]:
    folder = Path(output)
    if folder.suffix.lower() in (*CONTAINERS, *PICTURE_SUFFIXES) and not _means_folder(output) and not folder.exists():
        raise OutputError(
            f"{folder} is the name of a file, but {len(inputs)} inputs need a folder; give a folder with -o ({folder}/ "
            "for one of that name)."
        )
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, but {len(inputs)} inputs need a folder; give a folder with -o.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"Cannot create the folder {folder}: {exc.strerror}; choose another output.") from exc
    jobs: list[ClipJob] = []
    taken: set[str] = set()
    for path in inputs:
        name = _free_name(path, taken)
        taken.add(name.lower())
        jobs.append(ClipJob(path, folder / name))
    return jobs


def _free_name(path: Path, taken: set[str]) -> str:
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS and suffix not in PICTURE_SUFFIXES:
        suffix = ".mp4"
    name, number = path.stem + suffix, 2
    while name.lower() in taken:
        name, number = f"{path.stem}-{number}{suffix}", number + 1
    return name


def _check(job: ClipJob, inputs: list[Path], force: bool, settings: BaseModel | None) -> None:
    target = job.target
    if job.source.suffix.lower() in _OTHER_PICTURES:
        raise InputError(f"{job.source}: pictures are read as {', '.join(PICTURE_SUFFIXES)}; convert it first.")
    if is_picture(target) != job.is_picture:
        kind, wanted = ("picture", PICTURE_SUFFIXES) if job.is_picture else ("video", tuple(CONTAINERS))
        raise SettingsError(
            f"{job.source} is a {kind}, so the output must be one of {', '.join(wanted)}, not {target}."
        )
    refuse_to_replace(target, "The output", inputs, settings)
    if target.exists() and not force:
        raise OutputError(f"{target} exists already; choose another name or give --force to replace it.")
