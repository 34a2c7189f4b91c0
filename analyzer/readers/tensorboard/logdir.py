"""Runs in folders with event files: which files make a run, and how their series are named and put together.

A file counts by its name: it contains `tfevents`, whatever stands before and behind (`.v2`, `.profile-empty`, a host
name with dots, nothing). A Unity `.meta` beside the file it describes does not. A single file given as SOURCE counts by
its content.

Files of one folder are put one behind the other in the order of their first record's wall time (else the time in
their name, else the name): that is the order written. Series of a sub-folder are called `<sub-folder>/<tag>`. What
several files, and the steps within one, mean is told by analyzer.readers.tensorboard.axes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from analyzer.model.run import Note, Run, Series
from analyzer.readers.display_names import shown_bytes, shown_path
from analyzer.readers.folder_walk import Folder, Tree
from analyzer.readers.formats import Request
from analyzer.readers.object_store import Bucket, Object, Store
from analyzer.readers.run_ref import RunRef, Update
from analyzer.readers.sanitize import add_series
from analyzer.readers.tensorboard import axes
from analyzer.readers.tensorboard.epoch_folders import Ends, ends_of
from analyzer.readers.tensorboard.file_reader import Content, read_file
from analyzer.readers.tensorboard.hparams import params_of
from analyzer.readers.tensorboard.layout import Group, grouped
from analyzer.readers.tensorboard.points import Curve
from analyzer.readers.tensorboard.remote_heads import DiscoveryNotes
from analyzer.readers.tensorboard.resume_marks import FileMark
from analyzer.readers.tensorboard.sniff import begins_records, peeked

NAME = "tensorboard"
_MARK = "tfevents"
OWN_FILE = ".posthoc"
"""How the name of an event file ends that posthoc wrote: a text about a run, and no run."""

_TIME_IN_NAME = re.compile(r"tfevents\.(\d{1,15})")


Folders = tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class EventRun(RunRef):
    """A run in event files: `root` is the source folder, `folders` are (path inside root, prefix of series, files)."""

    root: str
    folders: Folders
    reasons: tuple[str, ...] = ()

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the points that were appended to the files since `marks`; all when a known file changed otherwise."""
        known = {inside: FileMark.parsed(text) for inside, text in marks.items()}
        together: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for path, prefix, names in self.folders:  # the pieces of one training have one prefix
            together.setdefault(prefix, []).append((path, names))
        parts = [self._read_folders(prefix, folders, known) for prefix, folders in together.items()]
        read = {inside: content for part in parts for inside, content in part.contents.items()}
        stays = all(inside in read and read[inside].since for inside in known)
        if known and not (stays and all(part.goes_on(known) for part in parts)):
            return self.load({})
        run = self._run(parts)
        found = {inside: content.mark.text() for inside, content in read.items() if content.mark}
        return Update(run, found, whole=not known)

    def _run(self, parts: list[_Part]) -> Run:
        series: dict[str, Series] = {}
        clashes: list[Note] = []
        for part in parts:
            for one in part.series.values():
                add_series(series, one, clashes)
        params, problems = params_of([entry for part in parts for entry in part.hparams])
        notes = [Note("layout", reason) for reason in self.reasons]
        notes += [note for part in parts for note in part.notes] + clashes
        notes += axes.series_notes(series)
        notes += [Note("metadata", problem) for problem in problems]
        return Run(self.id, self.name, self.source, self.location, series, params, notes=tuple(notes))

    def stamp(self) -> str | None:
        """Return a digest of names, sizes, times and inodes of the run's files; None when one cannot be looked at."""
        digest = hashlib.sha256()
        for path, _, names in self.folders:
            for name in names:
                found = _looked_at(Path(self.root) / path / name)
                if found is None:
                    return None
                mark = (path, name, found.st_size, found.st_mtime_ns, found.st_ino)
                digest.update(repr(mark).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def lies_in(self) -> tuple[str, ...]:
        """Return the folders of its files, relative to the source."""
        return tuple(path for path, _, _ in self.folders)

    def _file(self, inside: str) -> Path | Object:
        return Path(self.root) / inside

    def _read_folders(
        self, prefix: str, folders: list[tuple[str, tuple[str, ...]]], known: Mapping[str, FileMark | None]
    ) -> _Part:
        contents = {}
        for path, names in folders:
            for name in names:
                inside = f"{path}/{name}" if path else name
                contents[inside] = read_file(self._file(inside), shown_path(inside), known.get(inside))
        path = folders[0][0] if len(folders) == 1 else folders[0][0].rpartition("/")[0]
        return _part(dict(sorted(contents.items(), key=_order)), prefix, path)


@dataclass(frozen=True, kw_only=True)
class ObjectRun(EventRun):
    """A run in event files of object storage: `root` is the path inside the store, `listed` its stamp."""

    alone: ClassVar[bool] = True

    store: Store
    listed: str | None

    def stamp(self) -> str | None:
        """Return what the listing said when the run was found: no more questions are asked."""
        return self.listed

    def _file(self, inside: str) -> Path | Object:
        return Object(self.store, f"{self.root}/{inside}" if self.root else inside)


def _looked_at(file: Path) -> os.stat_result | None:
    """Return what is known of a file, or of a link that leads nowhere; None where there is nothing any more."""
    for look in (file.stat, file.lstat):
        with suppress(OSError):
            return look()
    return None


@dataclass
class _Part:
    contents: dict[str, Content]
    series: dict[str, Series]
    hparams: list[tuple[int, bytes, bytes]]
    notes: list[Note]

    def goes_on(self, known: Container[str]) -> bool:
        """Whether all its points were written after those that known files of the folder gave before."""
        last = max((place for place, inside in enumerate(self.contents) if inside in known), default=0)
        return not any(content.points for content in [*self.contents.values()][:last])


def _order(item: tuple[str, Content]) -> tuple[float, str]:
    name, content = item
    wall = content.first_wall
    if wall is None or not np.isfinite(wall) or wall <= 0:
        stamp = _TIME_IN_NAME.search(name)
        wall = float(stamp[1]) if stamp else 0.0
    return wall, name


def _part(contents: dict[str, Content], prefix: str, path: str) -> _Part:
    pieces: dict[bytes, list[Curve]] = {}
    for content in contents.values():
        for tag, points in content.points.items():
            pieces.setdefault(tag, []).append(points)
    series: dict[str, Series] = {}
    clashes: list[Note] = []
    for tag, parts in pieces.items():
        add_series(series, _series(prefix + shown_bytes(tag), parts), clashes)
    filled = sum(bool(content.points) for content in contents.values())
    together = axes.files_note(filled, path, shared=any(len(parts) > 1 for parts in pieces.values()))
    notes = [together] if together else []
    notes += [note for content in contents.values() for note in content.notes] + clashes
    hparams = [entry for content in contents.values() for entry in content.hparams]
    return _Part(contents, series, hparams, notes)


def _series(name: str, parts: list[Curve]) -> Series:
    if len(parts) == 1:
        return Series(name, parts[0].steps, parts[0].values, parts[0].wall_times)
    return Series(
        name,
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.wall_times for part in parts]),
    )


class TensorBoard:
    """Finds runs in event files (analyzer.readers.formats.Format)."""

    name = NAME
    has_experiments = False

    def in_tree(self, tree: Tree, request: Request) -> Iterable[RunRef]:
        """Return the runs that the tree's event files make; see analyzer.readers.tensorboard.layout."""
        files = {folder.path: event_files(folder) for folder in tree.folders}
        files = {path: names for path, names in files.items() if names}

        def look(path: str) -> Mapping[bytes, Ends]:
            place = tree.root / path / files[path][0]
            return ends_of(place, place.stat().st_size) if len(files[path]) == 1 and place.is_file() else {}

        groups = grouped(files, lambda path: peeked([tree.root / path / name for name in files[path]]), look)
        lost = {folder.path: named_as_events(folder.special) for folder in tree.folders if folder.special}
        return [
            _ref(tree, group, {path: (*names, *lost.get(path, ())) for path, names in files.items()})
            for group in groups
        ]

    def in_file(self, path: Path, request: Request) -> Sequence[RunRef] | None:
        """Return the file as a run when it is named like an event file or begins like one."""
        if _MARK not in path.name and not begins_records(path):
            return None
        shown = shown_path(path.name)
        folder = ("", "", (path.name,))
        return [EventRun(shown, shown, NAME, shown_path(path), str(path.parent), (folder,))]

    def in_bucket(self, bucket: Bucket, request: Request) -> Iterable[RunRef]:
        """Return the runs that event files among the objects make; their beginnings are fetched once, by the memo."""
        files = {folder.path: event_files(folder) for folder in bucket.folders}
        files = {path: names for path, names in files.items() if names}
        glimpses = DiscoveryNotes(bucket, files, request.memo)
        groups = grouped(files, glimpses.peek, glimpses.look)
        return [_object_run(bucket, group, files) for group in groups]

    def at_address(self, request: Request) -> Sequence[RunRef] | None:
        """Event files have no addresses."""
        return None


def event_files(folder: Folder) -> tuple[str, ...]:
    """Return the names of a folder's event files, sorted."""
    return named_as_events(folder.files)


def named_as_events(names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the names that are an event file's."""
    described = {f"{name}.meta" for name in names}
    ours = {name for name in names if name.endswith(OWN_FILE)}
    return tuple(name for name in names if _MARK in name and name not in described | ours)


def _ref(tree: Tree, group: Group, files: dict[str, tuple[str, ...]]) -> EventRun:
    run_id = shown_path(group.home or tree.name)
    name, location = run_id.rpartition("/")[2], shown_path(tree.root / group.place)
    return EventRun(run_id, name, NAME, location, str(tree.root), *_parts(group, files))


def _object_run(bucket: Bucket, group: Group, files: dict[str, tuple[str, ...]]) -> ObjectRun:
    run_id = shown_path(group.home or bucket.name)
    name, location = run_id.rpartition("/")[2], shown_path(f"{bucket.address}/{group.place}".rstrip("/"))
    objects = [f"{path}/{file}" if path else file for path in group.members for file in files[path]]
    folders, reasons = _parts(group, files)
    return ObjectRun(
        run_id, name, NAME, location, bucket.root, folders, reasons, store=bucket.store, listed=bucket.stamp(objects)
    )


def _parts(group: Group, files: dict[str, tuple[str, ...]]) -> tuple[Folders, tuple[str, ...]]:
    folders = tuple((path, _prefix(group.inner(path)), files[path]) for path in group.members)
    return folders, tuple(_reason(why, inner) for why, inner in group.reasons.items())


def _prefix(inner: str) -> str:
    return f"{shown_path(inner)}/" if inner else ""


def _reason(why: str, folders: list[str]) -> str:
    named = ", ".join(f"{shown_path(folder)}/" for folder in folders[:10])
    return f"{named}{f' and {len(folders) - 10} more' * (len(folders) > 10)} read as {why}"
