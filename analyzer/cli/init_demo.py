"""How to begin: `posthoc init` writes a commented settings file, `posthoc demo` audits the bundled example logs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analyzer import api
from analyzer.cli.messages import complain, safe
from analyzer.cli.stdio import bar, deliver, wants_colour
from analyzer.errors import OutputError
from analyzer.settings import Settings, settings_inside
from analyzer.settings.starter import TEXT
from analyzer.writers import terminal

Options = argparse.Namespace

_PACKAGE = Path(__file__).resolve().parent.parent


def init(options: Options) -> int:
    """Write the settings file. OutputError when it is there already, or cannot be written."""
    path: Path = options.file
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEXT)
    except FileExistsError as error:
        raise OutputError(f"{safe(str(path))} is there already and is never overwritten; give another name") from error
    except OSError as error:
        raise OutputError(f"{safe(str(path))} cannot be written: {error.strerror or error}") from error
    sys.stdout.write(f"Settings: {safe(str(path))}, every key commented out with its default\n")
    project = path.parent / "pyproject.toml"
    if path.name == "posthoc.toml" and project.is_file() and b"tool.posthoc" in project.read_bytes():
        complain(f"{path} takes precedence over [tool.posthoc] in {project}, which is not read any more")
    if path.name != "posthoc.toml" or settings_inside(Path(), [path.parent]) is None:
        complain(f"only posthoc.toml in the working directory is found by itself; use --config {path}")
    return 0


def examples() -> Path:
    """Return where the example logs lie: inside the installed package, or beside it in the project's folder."""
    inside = _PACKAGE / "examples"
    return inside if inside.is_dir() else _PACKAGE.parent / "examples" / "logs"


def demo(options: Options) -> int:
    """Audit the example logs, with settings as they come, and print where the site is."""
    logs = examples()
    if not logs.is_dir():
        raise OutputError(f"the example logs are missing at {logs}; install posthoc again")
    with bar(not options.quiet) as progress:
        night = api.audit([logs], options.output, settings=Settings(), progress=progress)
    index = (options.output / "index.html").resolve().as_uri()
    if not options.quiet:
        sys.stdout.write(f"Ten example trainings, eight of which go wrong, from {safe(str(logs))}\n\n")
        deliver(
            lambda file: file.write(terminal.night_summary(night, index, colour=wants_colour(sys.stdout))), sys.stdout
        )
    return 0
