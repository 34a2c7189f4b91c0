"""The only code that knows a log format; every format is a package in this folder.

The contract of a good reader
=============================
1. Every intact point is there, in the order written, with its value, step and wall time unchanged; NaN and ±inf
   are data. No point is ever invented: what a checksum or a grammar refuses is dropped.
2. Everything that could not be read is said, in one sentence with file, offset and bytes (analyzer.model.run.Note).
   A torn tail is work in progress, no damage.
3. A run that cannot be read costs that run only: read() returns a Run without series and a note *unreadable*.
4. Logs are untrusted. No length, count or path from the data is believed before it was compared with what is
   there; only regular files are opened; paths come from the walk through the source, never from data; nothing is
   executed, no pickle, no address followed. Work stays linear in the bytes read.
5. Finding runs is cheap and says how many there are; reading is done one run at a time, in any process.
6. Nothing in the source is changed, created or locked.
7. Secrets are masked before a Run leaves the reader.

A format joins by offering `FORMAT` (analyzer.readers.formats.Format) in a package of this folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from analyzer.errors import NoRunsError, SeveralRunsError, SourceError, UsageError
from analyzer.model.formatting import counted
from analyzer.model.redaction import mask_text
from analyzer.model.run import Note, Run
from analyzer.readers import formats, object_store
from analyzer.readers.display_names import shown_path
from analyzer.readers.file_signature import disguise, packed_or_absent
from analyzer.readers.file_urls import local_path
from analyzer.readers.folder_walk import Tree, walk
from analyzer.readers.formats import EVERY, Choice, Format, Memo, Request
from analyzer.readers.run_ref import Discovery, RunRef, Update, VerdictPayload
from analyzer.readers.sanitize import clean_name, distinct, encodable
from analyzer.readers.unsupported import unread_kinds

__all__ = [
    "EVERY",
    "Choice",
    "Discovery",
    "Format",
    "Memo",
    "Request",
    "RunRef",
    "Update",
    "VerdictPayload",
    "discover",
    "local_path",
    "open_source",
]

_NO_FILE = "no event file, no table or lines of a training"
_UNKNOWN = "addresses of this kind are not read"
LEAST_PREFIX = 6  # characters of an id that nobody types whole
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]+:/")


def open_source(
    source: str, *, run: str | None = None, tracking_uri: str | None = None, choice: Choice = EVERY
) -> Iterator[Run]:
    """Yield the runs of a source lazily, one at a time; with `run`, the one of that id, its beginning, or name.

    SourceError or NoRunsError as discover(); NoRunsError too when there is no run of that id or name, and
    SeveralRunsError when several bear the name.
    """
    for ref in _wanted(discover(source, tracking_uri=tracking_uri, choice=choice), run, source):
        yield ref.read()


def discover(
    source: str, *, tracking_uri: str | None = None, choice: Choice = EVERY, memo: Memo | None = None
) -> Discovery:
    """Return references to all runs of a source (folder, file or address) without reading their points.

    Ids are unique within the source and come in a stable order. SourceError when the source is absent, cannot be
    read as a whole or is of a kind that is not read; NoRunsError, saying what was found instead, when it has no run.
    UsageError for a choice that the source does not understand. `memo` keeps what had to be read, from call to call.
    """
    request = Request(local_path(str(source)), tracking_uri, choice, memo)
    in_bucket = object_store.is_address(request.source)
    if not in_bucket and _ADDRESS.match(request.source):
        return Discovery(_distinct(_at_address(request)))
    if choice.filter is not None:
        what = "--filter is put to a tracking server and to nothing else; leave it out here, or give --experiment"
        raise UsageError(f"{mask_text(request.source)}: {what}")
    if in_bucket:
        return _in_bucket(request)
    path = Path(request.source)
    try:
        if path.is_dir():
            return _in_folder(path, request)
        if path.is_file():
            return Discovery(_distinct(_in_file(path, request)))
        exists = path.exists() or path.is_symlink()
    except (OSError, ValueError) as error:
        raise SourceError(f"{shown_path(path)}: cannot be looked at ({error})") from error
    if exists:
        raise SourceError(f"{shown_path(path)}: neither a folder nor a regular file; give a log folder or a log file")
    raise SourceError(f"{shown_path(path)}: does not exist; give a log folder, a log file or a database")


def _in_folder(path: Path, request: Request) -> Discovery:
    tree = walk(path)
    refs = _distinct(
        _united([ref for one in _asked(request) for ref in one.in_tree(tree, request)], tree.name, request.memo)
    )
    notes = unread_kinds(
        tree.folders,
        _logs_of(refs),
        has_rows=lambda path: _has_rows(tree.root, path),
        tables=not request.choice.experiments,
    ) + tuple(
        Note("unreadable", f"{shown_path(place)}: this folder cannot be listed ({why})", file=shown_path(place))
        for place, why in tree.unreadable
    )
    if not refs:
        raise NoRunsError(_nothing_in(tree, notes))
    return Discovery(refs, notes)


def _in_bucket(request: Request) -> Discovery:
    found = object_store.listed(request.source)
    refs = _distinct(
        _united([ref for one in _asked(request) for ref in one.in_bucket(found, request)], found.name, request.memo)
    )
    tables = not request.choice.experiments
    notes = unread_kinds(found.folders, _logs_of(refs), tables=tables) + object_store.unread(found)
    if not refs:
        reasons = "".join(f"; {note.message}" for note in notes[:5])
        there = counted(len(found.looks), "other object")
        raise NoRunsError(f"{found.address}: no run found ({_NO_FILE}; {there}){reasons}")
    return Discovery(refs, notes)


def _united(refs: list[RunRef], name: str, memo: Memo | None) -> list[RunRef]:
    from analyzer.readers.merge_formats import united  # noqa: PLC0415 - it knows the formats, which know this package

    return united(refs, name, memo)


def _logs_of(refs: tuple[RunRef, ...]) -> frozenset[str]:
    from analyzer.readers.merge_formats import logs_of  # noqa: PLC0415 - as above

    return logs_of(refs)


def _has_rows(root: Path, path: str) -> bool:
    from analyzer.readers.filelog.unread import has_rows  # noqa: PLC0415 - as above

    return has_rows(root, path)


def _asked(request: Request) -> list[Format]:
    """Return the formats that can hold what is wanted: where experiments are named, only those that know any."""
    return [one for one in formats.known() if one.has_experiments or not request.choice.experiments]


def _nothing_in(tree: Tree, notes: tuple[Note, ...]) -> str:
    files = sum(len(folder.files) for folder in tree.folders)
    there = f"{files} other file{'s' * (files != 1)}" if files else "no file at all"
    reasons = "".join(f"; {note.message}" for note in notes[:5])
    return f"{shown_path(tree.root)}: no run found ({_NO_FILE}, no MLflow store or database; {there}){reasons}"


def _in_file(path: Path, request: Request) -> list[RunRef]:
    for one in _asked(request):
        refs = one.in_file(path, request)
        if refs is not None:
            return list(refs)
    raise NoRunsError(f"{shown_path(path)}: not a log that is read ({_instead(path)})")


def _instead(path: Path) -> str:
    """Return what a file is that no format knows, as far as its beginning shows."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        return error.strerror or str(error)
    if not head.strip():
        return "it is empty"
    if packed_or_absent(head):
        return disguise(head, "log")
    return "no event file, no table or lines with columns of a training, no database of MLflow or Trackio"


def _at_address(request: Request) -> list[RunRef]:
    for one in formats.known():
        refs = one.at_address(request)
        if refs:
            return list(refs)
        if refs is not None:
            raise NoRunsError(f"{mask_text(request.source)}: no run found there")
    elsewhere = request.source.lower().startswith("file:")
    why = "this file is on another machine; file:///… reads one of this machine" if elsewhere else _UNKNOWN
    raise SourceError(f"{mask_text(request.source)}: {why}")


def _distinct(refs: list[RunRef]) -> tuple[RunRef, ...]:
    """Mask secrets in the runs' names, and give runs whose ids clash a number behind until each has its own."""
    taken: set[str] = set()
    result = []
    for ref in refs:
        own = distinct(clean_name(ref.id), taken)
        taken.add(own)
        result.append(replace(ref, id=own, name=clean_name(ref.name), location=mask_text(encodable(ref.location))))
    return tuple(result)


def _wanted(found: Discovery, run: str | None, source: str) -> tuple[RunRef, ...]:
    if run is None:
        return found.refs
    chosen = [ref for ref in found.refs if ref.id == run] or [ref for ref in found.refs if ref.name == run]
    if not chosen and len(run) >= LEAST_PREFIX:
        chosen = [ref for ref in found.refs if ref.id.startswith(run)]
    if not chosen:
        names = ", ".join(ref.id for ref in found.refs[:10]) + (", …" if len(found.refs) > 10 else "")
        raise NoRunsError(f"{mask_text(source)}: no run is called {run!r}; there are {names}")
    if len(chosen) > 1:
        ids = tuple(ref.id for ref in chosen)
        raise SeveralRunsError(
            f"{mask_text(source)}: {len(ids)} runs are called {run!r}; give one of {', '.join(ids)}", ids
        )
    return tuple(chosen)
