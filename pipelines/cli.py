"""The composition root: the console script ``livelight``.

Every command is declared here in a few lines and does its work in a file of its own, imported when it runs:
``livelight --help`` must not wait for OpenCV or an inference engine.

Exit status: 0 done; 1 could not be done (one sentence on stderr); 2 wrong use; 130 Ctrl-C; 143 SIGTERM.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from livelight.errors import LiveLightError
from pipelines.clip_settings import ClipSettings
from pipelines.options import with_settings

app = typer.Typer(
    name="livelight",
    help="Relight the person in a video, live or recorded, as if they sat in an environment of your choice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the start-up time
    add_completion=False,
)

EPILOG = (
    "A video stays a video (.mp4 .mov .mkv .webm), a picture a picture (.png .jpg .webp). Sound, subtitles, chapters "
    "and tags are copied. Ctrl-C, or an input that breaks off, leaves what is done in OUT.partial.EXT."
)


@app.callback()
def livelight() -> None:
    """Keeps sub-commands even while there is one only."""


@app.command(epilog=EPILOG)
@with_settings(ClipSettings)
def relight(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Videos or pictures.", show_default=False)],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="OUT", help="Output file; a folder for several inputs (created).")
    ],
    settings: ClipSettings,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only errors.")] = False,
) -> None:
    """Relight recorded clips and pictures."""
    from livelight.light_program import build_lighting

    from livelight.relight import build_relighter
    from pipelines.clip import relight_all
    from pipelines.clip_job import plan_jobs

    jobs = plan_jobs(inputs, output, settings.force)
    relighter = build_relighter(settings)
    failed = relight_all(jobs, settings, relighter, lambda duration_s: build_lighting(settings, duration_s), quiet)
    if failed:
        raise typer.Exit(1)


def main() -> NoReturn:
    """Run the command line; never returns, never shows a traceback for bad input."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except LiveLightError as exc:
        print(f"livelight: {exc}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def _terminate(signum: int, frame: Any) -> NoReturn:
    sys.exit(128 + signum)  # unwinds the stack, so that temporary files go
