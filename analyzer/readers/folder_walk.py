"""The one walk through a source folder, whose listing every format is shown.

Links to folders are followed, after everything that is really there and only when they lead somewhere new: a
folder is visited once, whatever the number of its names, and a link to a folder around the source is left alone.
Special files (FIFOs, sockets, devices) and links that lead nowhere are listed by themselves: a log of that name cannot
be read. What cannot be listed is kept with its reason.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.errors import SourceError

Identity = tuple[int, int]
_GONE = (errno.ENOENT, errno.ELOOP)  # a link that leads nowhere or round in a circle, or a file that has just gone


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder: `path` relative to the source ("" is the source itself), names of its regular files, sorted.

    `special` are names of what is neither a file nor a folder: FIFOs, devices, links that lead nowhere.
    """

    path: str
    files: tuple[str, ...]
    folders: tuple[str, ...]
    special: tuple[str, ...] = ()

    def inside(self, name: str) -> str:
        """Return the path, relative to the source, of something in this folder."""
        return f"{self.path}/{name}" if self.path else name


@dataclass(frozen=True, slots=True)
class Tree:
    """All folders of a source, parents before children, and the folders that could not be listed, with why."""

    root: Path
    folders: tuple[Folder, ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The source folder's own name."""
        return self.root.resolve().name or "root"


@dataclass
class _Walk:
    root: Path
    folders: list[Folder] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    seen: set[Identity] = field(default_factory=set)
    links: deque[str] = field(default_factory=deque)

    def visit(self, start: str) -> None:
        waiting = [start]
        while waiting:
            path = waiting.pop()
            folder = self._listed(path)
            if folder is not None:
                self.folders.append(folder)
                waiting.extend(folder.inside(name) for name in reversed(folder.folders))

    def _listed(self, path: str) -> Folder | None:
        try:
            place = self.root / path
            here = place.stat()
            if (here.st_dev, here.st_ino) in self.seen:
                return None
            with os.scandir(place) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            self.unreadable.append((path, error.strerror or str(error)))
            return None
        self.seen.add((here.st_dev, here.st_ino))
        return self._sorted(path, entries)

    def _sorted(self, path: str, entries: list[os.DirEntry[str]]) -> Folder:
        files: list[str] = []
        folders: list[str] = []
        special: list[str] = []
        for entry in entries:
            inside = f"{path}/{entry.name}" if path else entry.name
            try:  # the listing itself knows the kinds: no look at each file
                if entry.is_file():
                    files.append(entry.name)
                elif entry.is_dir():
                    (self.links if entry.is_symlink() else folders).append(inside if entry.is_symlink() else entry.name)
                else:
                    special.append(entry.name)
            except OSError as error:
                if error.errno not in _GONE:
                    self.unreadable.append((inside, error.strerror or str(error)))
        return Folder(path, tuple(files), tuple(folders), tuple(special))


def walk(root: Path) -> Tree:
    """Return the listing of everything below `root`. SourceError when `root` itself cannot be listed."""
    found = _Walk(root)
    around = _identities_around(root)
    found.visit("")
    if not found.folders:
        raise SourceError(f"{root}: cannot be listed ({found.unreadable[0][1]}); check its permissions")
    while found.links:
        link = found.links.popleft()
        if _identity(root / link) not in around:
            found.visit(link)
    return Tree(root, tuple(found.folders), tuple(found.unreadable))


def _identities_around(root: Path) -> set[Identity | None]:
    here = root.resolve()
    return {None, *(_identity(folder) for folder in (here, *here.parents))}


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)
