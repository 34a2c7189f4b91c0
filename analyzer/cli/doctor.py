"""What `posthoc doctor` says: is this installation whole, and does it read a source as other libraries do?"""

from __future__ import annotations

import argparse
import importlib.metadata as packages
import locale
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from analyzer import __version__, api
from analyzer.cli.messages import safe
from analyzer.cli.stdio import wants_colour
from analyzer.errors import PosthocError
from analyzer.model.formatting import counted
from analyzer.readers import discover, local_path
from analyzer.readers.reference_readers import Checkup, Reading, checkup, event_files
from analyzer.settings import Settings, load_settings

Options = argparse.Namespace

DIFFERS, COULD_NOT_READ = 1, 2
"""Exit codes: another library has a point that posthoc lacks; the source could not be read."""

_OPTIONAL = frozenset({"dev", "peers"})  # extras for work on posthoc itself
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?.*?;.*extra == ['\"]([\w-]+)['\"]")
_BASE = ("numpy", "scipy", "jinja2", "tensorboard", "protobuf", "google-crc32c", "pyyaml", "rich")


def examine(options: Options) -> int:
    """Print what is installed and, of a source, what each library reads; return the exit code."""
    for line in (*_installation(), *_terminal(), *_settings(options.config)):
        sys.stdout.write(f"{line}\n")
    return _source(options) if options.source is not None else 0


def _installation() -> Iterator[str]:
    yield f"posthoc {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield "packages: " + ", ".join(f"{name} {_version(name) or 'missing'}" for name in _BASE)
    for extra, needed in sorted(_extras().items()):
        missing = [name for name in needed if _version(name) is None]
        how = f"missing {', '.join(missing)}; pip install 'posthoc[{extra}]'" if missing else "installed"
        yield f"extra {extra}: {how}"


def _extras() -> dict[str, list[str]]:
    """Return the packages of each extra that is for users; none for a checkout that was never installed."""
    found: dict[str, list[str]] = {}
    try:
        requirements = packages.requires("posthoc") or []
    except packages.PackageNotFoundError:
        return {}
    for match in filter(None, map(_REQUIREMENT.match, requirements)):
        if match[2] not in _OPTIONAL:
            found.setdefault(match[2], []).append(match[1])
    return found


def _version(name: str) -> str | None:
    try:
        return packages.version(name)
    except packages.PackageNotFoundError:
        return None


def _terminal() -> Iterator[str]:
    size = shutil.get_terminal_size()
    kind = f"{size.columns} columns" if sys.stdout.isatty() else "not a terminal"
    colour = "colours" if wants_colour(sys.stdout) else "no colours"
    said = [f"{name}={os.environ[name]}" for name in ("TERM", "NO_COLOR", "FORCE_COLOR") if name in os.environ]
    encoding = getattr(sys.stdout, "encoding", None) or "unknown encoding"
    yield safe(f"terminal: {kind}, {colour}, {encoding}, locale {locale.setlocale(locale.LC_CTYPE)}, {' '.join(said)}")


def _settings(config: Path | None) -> Iterator[str]:
    try:
        settings = load_settings(config, api.vocabulary(), Path())
    except PosthocError as error:
        yield f"settings: {safe(str(error))}"
    else:
        changed = settings != Settings()
        yield f"settings: {'valid, and not the defaults' if changed else 'the defaults'}"


def _source(options: Options) -> int:
    found = discover(options.source, tracking_uri=options.tracking_uri)
    kinds = sorted({ref.source for ref in found.refs})
    sys.stdout.write(safe(f"source: {options.source}: {counted(len(found.refs), 'run')} ({', '.join(kinds)})") + "\n")
    for note in found.notes:
        sys.stdout.write(f"  note: {safe(note.message)}\n")
    files = event_files(Path(local_path(options.source)))
    if not files:
        sys.stdout.write("  no event files: no other library here reads this kind, so there is nothing to compare\n")
        return _readable(options)
    code = 0
    for file in files:
        one = checkup(file)
        sys.stdout.writelines(f"{line}\n" for line in _lines(one))
        code = max(code, DIFFERS if any(reading.only_there for reading in one.readings) else 0)
    return code


def _readable(options: Options) -> int:
    read = False
    for run in api.open_runs(options.source, tracking_uri=options.tracking_uri):
        read = read or run.could_be_read
        points = sum(series.points for series in run.series.values())
        sys.stdout.write(f"  {safe(run.id)}: {counted(points, 'point')} in {len(run.series):,} series\n")
        sys.stdout.writelines(f"    note: {safe(note.message)}\n" for note in run.notes)
    return 0 if read else COULD_NOT_READ


def _lines(one: Checkup) -> Iterable[str]:
    yield f"  {safe(str(one.file))}"
    yield f"    posthoc: {counted(one.points, 'scalar point')}"
    for reading in one.readings:
        yield f"    {reading.library}: {_said(reading)}"
    yield from (f"    note: {safe(note)}" for note in one.notes)


def _said(reading: Reading) -> str:
    if reading.fault:
        return safe(reading.fault)
    if not (reading.only_here or reading.only_there):
        return f"{counted(reading.points, 'point')}, all equal"
    parts = [f"{counted(reading.points, 'point')}, {reading.equal:,} equal"]
    parts += [f"{reading.only_here:,} only posthoc has"] if reading.only_here else []
    if reading.only_there:
        parts.append(f"{reading.only_there:,} that posthoc lacks, as in {safe(reading.example)}; please report this")
    return "; ".join(parts)
