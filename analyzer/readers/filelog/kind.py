"""What a kind of log in files offers, and what is given to it.

A kind is a module of `analyzer.readers.filelog.kinds` with `KIND`, an instance of a subclass of Kind. It names its
files, recognises them by their beginning, says which of them are one run, and turns their rows into series. Reading
bytes, damaged lines, axes, settings, stamps and object storage are written once, around it.
"""

from __future__ import annotations

import fnmatch
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Note, Series
from analyzer.readers.display_names import shown_path
from analyzer.readers.file_signature import disguise, packed_or_absent
from analyzer.readers.filelog import config_files, delimited, json_rows, labels, rows
from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.files import LARGEST, Place
from analyzer.readers.filelog.rows import Axis, Table
from analyzer.readers.folder_walk import Folder

SPECIFIC, LOOSE, GENERIC = 0, 1, 2
"""The order in which kinds are asked: those that only one writer makes, those of a convention, any table at all."""


@dataclass(frozen=True)
class Candidate:
    """A file whose name a kind asks for: its path in the source, its first bytes, and whether a path exists there.

    `named`: the user named this file, so that it is a log though its columns may be called anything.
    """

    path: str
    head: bytes
    has: Callable[[str], bool]
    named: bool = False

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path of the folder around it."""
        return self.path.rpartition("/")[0]

    def lies_beside(self, name: str) -> bool:
        """Whether there is a file of this name in its folder."""
        return self.has(f"{self.folder}/{name}" if self.folder else name)

    @cached_property
    def text(self) -> str:
        """Its beginning as text."""
        return text_of(self.head)

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The names in the first line, read as a table's header."""
        lines = (line.strip() for line in self.text.split("\n"))
        first = next((line for line in lines if line and not line.startswith("#")), "")
        separator = delimited.separator_of(first)
        cells = delimited.squeezed(first, separator).split(separator) if first else ()
        return tuple(cell.strip().strip('"') for cell in cells)

    @cached_property
    def table(self) -> Table:
        """The whole rows at its beginning, read as a table."""
        return labels.spread(delimited.parse(self.head[: self.head.rfind(b"\n") + 1], ""))

    @cached_property
    def objects(self) -> Sequence[Mapping[str, Any]]:
        """The whole objects at its beginning, read as JSON lines; none when it begins otherwise."""
        first = self.text.lstrip().split("\n", 1)[0].rstrip()
        goes_on = first[-1:] in ("{", "[", ",")  # one object over many lines is a document, several are rows
        if not first.startswith("{") or (goes_on and not json_rows.spread_out(self.text)):
            return ()
        return json_rows.rows_of(self.head, "")[0]


@dataclass(frozen=True, slots=True)
class Group:
    """One run: the folder it is named after, its files with the prefix of their series, and what lies with them.

    `sides` are files with settings, `twins` files that should repeat the run's points. `nested` are folders in which
    event files belong to this run, `around` those in which they may, and are compared with it; `reason` says why
    several files are one run.
    """

    home: str
    files: tuple[tuple[str, str], ...]
    sides: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    reason: str = ""
    key: str = ""
    """Which of the runs in a file that holds several."""


@dataclass
class Content:
    """What the files of a run say. `name` is the run's title where its log gives one."""

    series: dict[str, Series] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    declared: str | None = None
    name: str = ""


@dataclass
class Reading:
    """The files of one run, to be read by its kind; what cannot be read is kept in `notes`.

    `written` is when the youngest of them was last written to, in Unix seconds.
    """

    place: Place
    group: Group
    kind: str
    notes: list[Note] = field(default_factory=list)
    written: float | None = None

    def raw(self, path: str) -> bytes | None:
        """Return the bytes of a file; None, with a note, when it cannot be read or something else bears its name."""
        shown = shown_path(path)
        try:
            found = self.place.read(path)
        except OSError as error:
            why = error.strerror or str(error)
            self.notes.append(Note("unreadable", f"{shown}: cannot be read ({why})", shown))
            return None
        if packed_or_absent(found.data[:512]) and b"SQLite" not in found.data[:16]:
            self.notes.append(Note("unreadable", f"{shown}: {disguise(found.data[:512], 'log')}", shown))
            return None
        if found.written is not None:
            self.written = max(self.written or found.written, found.written)
        whole = found.size - found.hole
        if found.hole:
            text = f"{shown}: its last {found.hole:,} bytes were never written (a hole in a sparse file)"
            self.notes.append(Note("damage", text, shown, whole, found.hole))
        if whole > LARGEST:
            text = f"{shown}: larger than {LARGEST >> 20} MiB; {whole - LARGEST:,} bytes at its end were not read"
            self.notes.append(Note("limit", text, shown, LARGEST, whole - LARGEST))
        return found.data

    def settings(self, *names: str) -> dict[str, object]:
        """Return the flat settings of the files that bear one of the names; all files by default."""
        found: dict[str, object] = {}
        for path in self.group.sides:
            name = path.rpartition("/")[2]
            if not names or name in names:
                own = config_files.flat(self.document(path))
                found |= own
                if len(own) >= config_files.MOST_PARAMS:
                    text = f"{shown_path(path)}: only its first {config_files.MOST_PARAMS:,} settings are read"
                    self.notes.append(Note("metadata", text, shown_path(path)))
        return found

    def document(self, path: str) -> Mapping[str, Any]:
        """Return the mapping in a file of settings; an empty one, with a note, when there is none."""
        shown = shown_path(path)
        try:
            raw = self.place.read(path, config_files.LARGEST).data
        except OSError as error:
            problem: str | None = f"{shown} could not be read ({error.strerror or error})"
            found: Mapping[str, Any] = {}
        else:
            found, problem = config_files.settings_of(raw, shown)
        if problem:
            self.notes.append(Note("metadata", problem, shown))
        return found


class Listing:
    """The folders of a source, whose files are looked into only when a kind asks for their names.

    `any_name`: files count by their content alone, because the user named the file. `recognised` are, by path, the
    kinds of files whose beginning is known from earlier.
    """

    def __init__(
        self,
        folders: Sequence[Folder],
        place: Place,
        head: Callable[[str], bytes],
        has: Callable[[str], bool],
        *,
        any_name: bool = False,
        recognised: Mapping[str, Sequence[str]] | None = None,
        remember: Callable[[str, Sequence[str], Callable[[], str]], str] = lambda what, paths, find: find(),
    ) -> None:
        """`head` returns the first bytes of a file, `has` whether there is one; paths are relative to the source.

        `remember` returns what a function finds in files, or found in them when they were the same.
        """
        self.folders = folders
        self.place = place
        self.taken: set[str] = set()
        self.has = has
        self.any_name = any_name
        self.remember = remember
        self._recognised = recognised or {}
        self._head = head
        self._candidates: dict[str, Candidate] = {}

    def candidates(self, kind: Kind) -> Iterator[Candidate]:
        """Yield the files that the kind asks for by name, recognises by content, and that no other kind has."""
        for folder in self.folders:
            for name in folder.files:
                asked = kind.asks_for(name)
                if (asked or self.any_name) and folder.inside(name) not in self.taken:
                    candidate = self._candidate(folder.inside(name))
                    if (asked and kind.certain) or self._recognises(kind, candidate) or kind.misses(candidate):
                        yield candidate

    def _recognises(self, kind: Kind, candidate: Candidate) -> bool:
        known = self._recognised.get(candidate.path)
        if known is not None:
            return kind.name in known
        return bool(candidate.head) and kind.is_one(candidate)

    def _candidate(self, path: str) -> Candidate:
        if path not in self._candidates:
            self._candidates[path] = Candidate(path, self._head(path), self.has, self.any_name)
        return self._candidates[path]


class Kind(ABC):
    """A kind of log in files. By default a file is a run, and its folder, where it is the only one, gives it its name.

    `names` are globs; `sides` names of files with settings in its folder; `rank` the order in which kinds are asked.
    `own_folder`: the folder is the run, whatever else lies there. `certain`: whatever has the name is of this kind,
    and a run that cannot be read when it is damaged.
    """

    name: str
    names: tuple[str, ...]
    sides: tuple[str, ...] = ()
    rank: int = SPECIFIC
    own_folder: bool = True
    certain: bool = False
    owns_events: bool = False
    """Whether the framework always writes event files with its tables, so that the run of both bears this name."""
    leads: bool = False
    """Whether it says more of a run than event files that lie with it."""
    equal_twins: bool = False
    """Whether twins were compared when the runs were found, and need no reading."""

    @cached_property
    def _asked(self) -> re.Pattern[str]:
        return re.compile("|".join(fnmatch.translate(name) for name in self.names), re.IGNORECASE)

    def asks_for(self, name: str) -> bool:
        """Whether a file of this name is worth a look."""
        return self._asked.match(name) is not None

    def misses(self, candidate: Candidate) -> bool:
        """Whether a log of this kind should be here by its name, and a pointer, an archive or nothing at all is."""
        if self.rank != SPECIFIC or not self.promises(candidate):
            return False
        if candidate.head.strip():
            return packed_or_absent(candidate.head)
        return any(candidate.lies_beside(name) for name in self.sides)

    def promises(self, candidate: Candidate) -> bool:
        """Whether the path alone says that this is a log of this kind; an ending alone, as in `*.csv`, does not."""
        return any(fnmatch.fnmatchcase(candidate.name, name) for name in self.names if not name.startswith("*."))

    @abstractmethod
    def is_one(self, candidate: Candidate) -> bool:
        """Whether a file that is not empty is of this kind, by its content."""

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield the runs of this kind."""
        for candidate in listing.candidates(self):
            yield Group(candidate.folder, ((candidate.path, ""),), self.beside(candidate.folder, listing))

    def beside(self, folder: str, listing: Listing) -> tuple[str, ...]:
        """Return the paths of the files with settings in a folder."""
        paths = (f"{folder}/{name}" if folder else name for name in self.sides)
        return tuple(path for path in paths if listing.has(path))

    @abstractmethod
    def read(self, reading: Reading) -> Content:
        """Return what the files of one run say. Never raises for what they hold."""


class RowKind(Kind):
    """A kind whose files hold rows of numbers: `axes` are the columns that count, `clocks` those that tell the time."""

    axes: tuple[str, ...] = rows.AXES
    clocks: tuple[str, ...] = rows.CLOCKS
    without: frozenset[str] = frozenset()
    """Columns that do not become series."""

    def read(self, reading: Reading) -> Content:
        """Return the series of all files, one behind the other where their prefixes are the same."""
        parts = []
        content = Content(params=self.params(reading))
        for path, prefix in reading.group.files:
            raw = reading.raw(path)
            if raw is None:
                continue
            if reading.group.key:
                table = _by_run(self, raw, shown_path(path)).get(reading.group.key, Table())
            else:
                table = self.table(raw, shown_path(path), content)
            content.notes += table.notes
            if table.size:
                parts.append(self._series(table, shown_path(path), prefix, content))
        content.series = rows.joined(parts)
        return content

    def several(self, candidate: Candidate, head: Table, listing: Listing) -> list[Group]:
        """Return a run for each name that the rows or columns of a file give to runs; none where it holds one run.

        `head` is the table at its beginning: only where it has a column for such names the whole file is looked at.
        """
        if not labels.may_hold_runs(head):
            return []

        def named() -> str:
            try:
                raw = listing.place.read(candidate.path).data
            except OSError:
                return "[]"
            return json.dumps(list(_by_run(self, raw, shown_path(candidate.path))))

        keys = json.loads(listing.remember("runs of a table", [candidate.path], named))
        return [Group(candidate.path, ((candidate.path, ""),), key=key) for key in keys]

    def params(self, reading: Reading) -> dict[str, object]:
        """Return the settings of the run."""
        return reading.settings()

    @abstractmethod
    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the rows of a file; settings and status that it holds go into `content`."""

    def axis(self, table: Table) -> Axis:
        """Return where the rows stand."""
        return rows.chosen_axis(table, self.axes)

    def walls(self, table: Table) -> tuple[NDArray[np.float64], frozenset[str]]:
        """Return the wall time of each row, and the columns that say it."""
        return rows.clock_of(table, self.clocks)

    def _series(self, table: Table, shown: str, prefix: str, content: Content) -> dict[str, Series]:
        axis = self.axis(table)
        if axis.note:
            content.notes.append(Note("layout", f"{shown}: {axis.note}", shown))
        walls, clock = self.walls(table)
        return rows.series_of(table, axis, walls, prefix=prefix, without=self.without | clock)


@lru_cache(maxsize=1)  # the runs of one file are read one after the other
def _by_run(kind: RowKind, raw: bytes, shown: str) -> dict[str, Table]:
    return labels.by_run(kind.table(raw, shown, Content()))


class TableKind(RowKind):
    """A kind whose files are tables with a separator."""

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the rows of a table."""
        table = labels.spread(delimited.parse(raw, shown))
        left = ", ".join(f"“{rows.shown_name(name)}”" for name in labels.unused(table))
        if left:
            text = f"{shown}: columns of words that say nothing of their rows were left out: {left}"
            table.notes.append(Note("not-scalar", text, shown))
        return table


class LineKind(RowKind):
    """A kind whose files hold a JSON object a line; `skip` are keys of objects whose numbers were not measured."""

    skip: frozenset[str] = frozenset()

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the numbers of the objects."""
        found, notes = json_rows.rows_of(raw, shown)
        return json_rows.table_of(self.kept(found, content), notes, self.skip)

    def kept(self, found: list[Mapping[str, Any]], content: Content) -> list[Mapping[str, Any]]:
        """Return the objects that are rows; what the others say may go into `content`."""
        return found
