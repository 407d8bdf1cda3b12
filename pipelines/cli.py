"""The composition root: the command line of ``livelight``, which pipelines.__main__ starts.

Every command is declared here in a few lines and does its work in a file of its own, imported when it runs:
``livelight --help`` must not wait for OpenCV or an inference engine.

Exit status: 0 done; 1 could not be done (one sentence on stderr); 2 wrong use; 130 Ctrl-C; 143 SIGTERM.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from livelight.config import RelightSettings
from livelight.errors import LiveLightError
from pipelines.clip_settings import ClipSettings
from pipelines.engine import app as engine
from pipelines.options import with_settings
from pipelines.preset import app as preset
from pipelines.run_settings import RunSettings
from pipelines.service import app as service
from pipelines.webrtc.serve_settings import ServeSettings

app = typer.Typer(
    name="livelight",
    help="Relight the person in a video, live or recorded, as if they sat in an environment of your choice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the start-up time
    add_completion=False,
)

app.add_typer(engine, name="engine")
app.add_typer(preset, name="preset")
app.add_typer(service, name="service")

EPILOG = (
    "A video stays a video (.mp4 .mov .mkv .webm), a picture a picture (.png .jpg .webp). Sound, subtitles, chapters "
    "and tags are copied. Ctrl-C, SIGTERM or an input that breaks off leaves what is done in OUT.partial.EXT."
)


@app.command(epilog=EPILOG)
@with_settings(ClipSettings)
def relight(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN", help="Videos or pictures.", show_default=False)],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="OUT", help="Output file; a folder for several inputs (created).")
    ],
    settings: ClipSettings,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Relight recorded clips and pictures."""
    from livelight.light_program import build_lighting
    from offline.settings import is_diffusion
    from pipelines.clip import relight_all
    from pipelines.clip_job import plan_jobs
    from pipelines.engine import open_relighter
    from pipelines.extra_outputs import check_extras, write_extras

    jobs = plan_jobs(inputs, output, settings.force, settings)
    check_extras(jobs, settings)
    if is_diffusion(settings.model):
        from pipelines.diffusion_clip import diffuse_all

        failed = diffuse_all(jobs, settings, quiet)
    else:
        with open_relighter(settings, planes=True) as relighter:
            failed = relight_all(
                jobs, settings, relighter, lambda duration_s: build_lighting(settings, duration_s), quiet
            )
    if settings.extra:
        failed += write_extras(jobs, settings, quiet)
    if failed:
        raise typer.Exit(1)


@app.command()
@with_settings(RunSettings, configured="run")
def run(
    settings: RunSettings,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Relight a camera live into a virtual camera; while it runs, ? shows the keys."""
    from pipelines.run import run as run_command

    raise typer.Exit(run_command(settings, quiet))


@app.command()
def cameras() -> None:
    """List the cameras: formats, sizes, frames per second."""
    from pipelines.cameras import cameras_command

    cameras_command()


@app.command()
def envs(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders to list in place of the presets.", show_default=False)
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw a contact sheet: panorama, balls, a relit face."),
    ] = None,
    copy: Annotated[
        tuple[str, Path] | None, typer.Option(metavar="NAME FILE", help="Write a preset into a file, to be edited.")
    ] = None,
    face: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture or clip of the person on the sheet.")
    ] = None,
) -> None:
    """List the environments, or draw them."""
    from pipelines.envs import envs_command

    envs_command(paths or [], sheet, copy, face)


@app.command()
@with_settings(RelightSettings)
def bench(
    settings: RelightSettings,
    clip: Annotated[
        Path | None, typer.Argument(metavar="CLIP", help="Clip to measure on, else the demo clip.", show_default=False)
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH[,WxH...]", help="Scale the clip to this size, or to each of these.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames to measure.")] = 300,
    levels: Annotated[
        bool, typer.Option("--levels", help="Each level that is taken when frames come too fast.")
    ] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures as JSON too.")] = None,
) -> None:
    """Measure every stage on this machine: milliseconds, frames per second, memory."""
    from pipelines.bench import bench as measure

    measure(clip, size, frames, levels, json, settings)


@app.command()
@with_settings(ServeSettings, configured="serve")
def serve(settings: ServeSettings) -> None:
    """Serve the page for browsers, and WHIP and WHEP for every other WebRTC program."""
    from pipelines.webrtc.serve import serve as run_serve

    raise typer.Exit(run_serve(settings))


@app.command()
def metrics(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The clip or picture to judge.", show_default=False)],
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What it should look like: PSNR, SSIM, RMSE against it.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What it was made from: warp error, detail, identity.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Measure the whole picture, not the person alone.")] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures as JSON too.")] = None,
) -> None:
    """Measure a relit clip: against the truth or any other clip, against its source, and by itself."""
    from pipelines.clip import say
    from pipelines.metrics import metrics_command

    metrics_command(output, truth, source, whole, json, say)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the results go (created).")] = Path("demo_out"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Relight the clip that comes with LiveLight under three lights."""
    from pipelines.demo import demo as run_demo

    run_demo(out, quiet)


@app.command()
def doctor(json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Look over this machine: cameras, virtual camera, GPU, packages; with the command that mends what is wrong."""
    from pipelines.doctor.report import doctor as examine

    if status := examine(json):
        raise typer.Exit(status)


@app.command()
def gstreamer() -> None:
    """Print what lets GStreamer find the element livelightrelight: eval "$(livelight gstreamer)"."""
    from pipelines.gstreamer.environment import gstreamer_command

    gstreamer_command()


def main() -> NoReturn:
    """Run the command line; never returns, never shows a traceback for bad input."""
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would print its settings
    try:
        app()
    except LiveLightError as exc:
        print(f"livelight: {exc}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except OSError as exc:
        if exc.errno != errno.ENAMETOOLONG:
            raise
        print(f"livelight: {_too_long(exc)}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def _too_long(exc: OSError) -> str:
    """Any question about such a file raises, so it is told here, once for all files of all commands."""
    name = os.fsdecode(exc.filename or "")
    part = max(name.split(os.sep), key=len)
    short = f"{part[:40]}..." if len(part) > 40 else part
    length = len(os.fsencode(name))
    return f"The file name {short} is longer than the system allows (the path has {length} bytes); give a shorter one."


def _terminate(signum: int, frame: Any) -> NoReturn:
    sys.exit(128 + signum)  # unwinds the stack, so that what is done is kept and temporary files go
