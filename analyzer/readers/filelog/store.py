"""Runs in plain files: found by the kinds of `kinds`, read by the kind that found them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from analyzer.model.run import Note, Run
from analyzer.readers.display_names import shown_path
from analyzer.readers.filelog import kinds
from analyzer.readers.filelog.files import HEAD, Place
from analyzer.readers.filelog.kind import Candidate, Group, Kind, Listing, Reading
from analyzer.readers.folder_walk import Folder, Tree
from analyzer.readers.formats import Memo, Request, remembered
from analyzer.readers.merge_records import merged
from analyzer.readers.object_store import Bucket
from analyzer.readers.run_ref import RunRef, Update

_OURS = ".posthoc-"
"""Begins the name of a file in each folder that posthoc wrote: nothing in it is a log."""
_NO_LOGS = frozenset({".git", "site-packages", "node_modules", "__pycache__"})


@dataclass(frozen=True)
class FileRun(RunRef):
    """A run in the files of `group`, whose kind is called `source`."""

    place: Place
    group: Group
    listed: str | None = None

    alone: ClassVar[bool] = True

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run, always all of it, with what only a twin of its files has."""
        run = self._run(self.group)
        if kinds.known()[self.source].equal_twins:
            run = replace(run, notes=(*_twin_notes(self.group), *run.notes))
        else:
            for twin in self.group.twins:
                run = merged(run, self._run(Group(self.group.home, ((twin, ""),))), shown_path(twin))
        return Update(run, {}, whole=True)

    def _run(self, group: Group) -> Run:
        reading = Reading(self.place, group, self.source)
        content = kinds.known()[self.source].read(reading)
        notes = [Note("layout", group.reason)] if group.reason else []
        return Run(
            self.id,
            content.name or self.name,
            self.source,
            self.location,
            content.series,
            content.params,
            content.tags,
            (*notes, *reading.notes, *content.notes),
            content.declared,
            written=reading.written,
        )

    def stamp(self) -> str | None:
        """Return what changes with the run's files; a listing of objects says it without further questions."""
        if self.place.store is not None:
            return self.listed
        return self.place.stamp([*(path for path, _ in self.group.files), *self.group.sides, *self.group.twins])

    def lies_in(self) -> tuple[str, ...]:
        """Return the folders of its files, and the one that it is named after."""
        folders = [path.rpartition("/")[0] for path, _ in self.group.files]
        return tuple(dict.fromkeys([self.group.home, *folders]))


def _twin_notes(group: Group) -> Iterator[Note]:
    if group.twins:
        twins = ", ".join(map(shown_path, group.twins))
        read = ", ".join(shown_path(path) for path, _ in group.files)
        yield Note("layout", f"{twins} repeat{'s' * (len(group.twins) == 1)} the points of {read}; read once")


class FileLogs:
    """Finds runs in plain files (analyzer.readers.formats.Format)."""

    name = "files"
    has_experiments = False

    def in_tree(self, tree: Tree, request: Request) -> Iterable[RunRef]:
        """Return the runs that the files of a tree make."""
        place = Place(str(tree.root))
        names = {folder.path: frozenset(folder.files) for folder in tree.folders}

        def has(path: str) -> bool:
            folder, _, name = path.rpartition("/")
            return name in names.get(folder, ())

        def remember(what: str, paths: Sequence[str], find: Callable[[], str]) -> str:
            return remembered(request.memo, f"{tree.root.absolute()} {what}", place.stamp(paths), find)

        listing = Listing(_looked_at(tree.folders), place, place.head, has, remember=remember)
        return _refs(listing, place, tree.name, shown_path(tree.root))

    def in_file(self, path: Path, request: Request) -> Sequence[RunRef] | None:
        """Return the runs in one file: of the first kind that asks for its name, or else knows its content."""
        place, folder = Place(str(path.parent)), Folder("", (path.name,), ())
        for any_name in (False, True):
            listing = Listing(
                [folder], place, place.head, lambda inside: place.path(inside).is_file(), any_name=any_name
            )
            refs = _refs(listing, place, path.name, shown_path(path.parent), named=path.name)
            if refs:
                return refs
        return None

    def in_bucket(self, bucket: Bucket, request: Request) -> Iterable[RunRef]:
        """Return the runs that objects make; of beginnings that the memo does not know, all are fetched at one go."""
        folders, kinds_known = _looked_at(bucket.folders), kinds.known().values()
        asked = {
            folder.inside(name): [kind for kind in kinds_known if kind.asks_for(name)]
            for folder in folders
            for name in folder.files
            if any(kind.asks_for(name) for kind in kinds_known)
        }
        place = Place(bucket.root, bucket.store)

        def remember(what: str, paths: Sequence[str], find: Callable[[], str]) -> str:
            return remembered(request.memo, f"{bucket.address} {what}", bucket.stamp(paths), find)

        def has(path: str) -> bool:
            return path in bucket.looks

        recognised = _recognised(bucket, asked, has, request.memo)
        listing = Listing(folders, place, lambda path: b"", has, recognised=recognised, remember=remember)
        return _refs(listing, place, bucket.name, bucket.address, bucket=bucket)

    def at_address(self, request: Request) -> Sequence[RunRef] | None:
        """Plain files have no addresses."""
        return None


def _recognised(
    bucket: Bucket, asked: Mapping[str, Sequence[Kind]], has: Callable[[str], bool], memo: Memo | None
) -> dict[str, Sequence[str]]:
    """Return, by path, the names of the kinds that recognise an object's beginning."""
    found: dict[str, Sequence[str]] = {}
    stamps = {path: bucket.stamp([path]) for path in asked}
    names = ",".join(kinds.known())  # a kind that is new may recognise what none did before
    places = {path: _digest(f"{bucket.address}/{path} {names}") for path in asked}
    for path, stamp in stamps.items():
        known = memo.known(places[path], stamp) if memo and stamp else None
        if known is not None:
            found[path] = json.loads(known)
    unknown = [path for path in asked if path not in found]
    for path, head in bucket.heads(unknown, HEAD) if unknown else ():
        candidate = Candidate(path, head or b"", has)
        found[path] = [kind.name for kind in asked[path] if (head and kind.is_one(candidate)) or kind.misses(candidate)]
        if memo and (stamp := stamps[path]) and head is not None:
            memo.keep(places[path], stamp, json.dumps(found[path]))
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _looked_at(folders: Iterable[Folder]) -> list[Folder]:
    """Return the folders that may hold logs, with the files whose names some kind asks for.

    Folders of posthoc's own sites, of packages and of version control hold none.
    """
    left: list[str] = []
    kept = []
    for folder in folders:
        name = folder.path.rpartition("/")[2]
        if name in _NO_LOGS or any(file.startswith(_OURS) for file in folder.files):
            left.append(f"{folder.path}/" if folder.path else "")
        elif not any(folder.path.startswith(path) for path in left):
            names = tuple(filter(kinds.asked_for, folder.files))
            if names:
                kept.append(Folder(folder.path, names, folder.folders))
    return kept


def _refs(
    listing: Listing, place: Place, name: str, shown: str, *, bucket: Bucket | None = None, named: str = ""
) -> list[RunRef]:
    """Return a reference to each run; `named` is the file that the user named, which then gives the run its name."""
    found: list[tuple[Kind, Group]] = []
    for kind in kinds.known().values():
        for group in kind.groups(listing):
            found.append((kind, group))
            listing.taken.update(path for path, _ in group.files)
            listing.taken.update(group.twins)
    homes = Counter(group.home for _, group in found)
    owners: set[str] = set()
    refs: list[RunRef] = []
    for kind, group in found:
        alone = homes[group.home] == 1 or (kind.own_folder and group.home not in owners)
        owners.add(group.home)
        inside = named or (group.home if alone else group.files[0][0])
        run_id = shown_path(inside or name)
        if group.key:
            run_id = f"{inside}/{group.key}"
        files = [*(path for path, _ in group.files), *group.sides, *group.twins]
        stamp = bucket.stamp(files) if bucket else None
        title = group.key or run_id.rpartition("/")[2]
        refs.append(FileRun(run_id, title, kind.name, _below(shown, inside), place, group, stamp))
    return refs


def _below(shown: str, inside: str) -> str:
    return f"{shown}/{shown_path(inside)}" if inside else shown
