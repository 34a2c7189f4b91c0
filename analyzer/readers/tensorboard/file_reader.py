"""One event file from its first byte to its last: points by tag, and what could not be read.

The file goes by in windows. Where headers are good, records are taken many at once (prediction, templates); around
damage, at the first record and for records longer than a window, they are taken one by one (framing). Both ways give
the same points and the same gaps.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from analyzer.model.run import Note
from analyzer.readers.display_names import shown_bytes
from analyzer.readers.file_signature import disguise
from analyzer.readers.object_store import Object
from analyzer.readers.tensorboard.batch import Batches
from analyzer.readers.tensorboard.corrupt_ranges import Gaps
from analyzer.readers.tensorboard.decode import Decoder
from analyzer.readers.tensorboard.files import SPARE, Bytes, EventFile, ShrunkError
from analyzer.readers.tensorboard.framing import FOOTER, HEADER, Gap, Record, Records
from analyzer.readers.tensorboard.points import Columns, Curve
from analyzer.readers.tensorboard.prediction import Framer, Run
from analyzer.readers.tensorboard.remote_files import opened
from analyzer.readers.tensorboard.resume_marks import FileMark
from analyzer.readers.tensorboard.small_records import Pool
from analyzer.readers.tensorboard.wire import MalformedError

WINDOW = 1 << 22
_CALM = 8  # intact records in a row after which damage counts as over
_ATTEMPTS = 3
LONGEST_EVENT = 1 << 28  # bytes; a longer one is verified and not looked into, to keep memory small


@dataclass
class Content:
    """What one event file says. `first_wall` is the wall time of its first intact record.

    `since`: only what was appended to what an earlier reading knew is in here. `mark` is for the next reading.
    """

    points: dict[bytes, Curve] = field(default_factory=dict)
    hparams: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    first_wall: float | None = None
    mark: FileMark | None = None
    since: bool = False


def read_file(path: str | os.PathLike[str] | Object, shown: str, mark: FileMark | None = None) -> Content:
    """Return what the event file says, or what has been appended to it since `mark`; `shown` is how notes name it.

    Never raises for what is in the file: a file that cannot be opened, is no event file or is overwritten again
    and again gives a note of kind *unreadable*.
    """
    for _ in range(_ATTEMPTS):
        try:
            with opened(path) as file:
                known = mark if mark and mark.change(file) != "rewritten" else None
                before = FileMark.of(file, file.size)
                content = _content(file, known, shown)
                if before.change(file.again()) != "rewritten":
                    return content
        except ShrunkError:
            continue
        except OSError as error:
            why = error.strerror or str(error)
            return Content(notes=[Note("unreadable", f"{shown}: cannot be read ({why})", file=shown)])
    return Content(notes=[Note("unreadable", f"{shown}: was rewritten each time it was read", file=shown)])


def _content(file: EventFile, known: FileMark | None, shown: str) -> Content:
    """Read on where `known` ends; from the beginning when what has come changes what was read before."""
    reading = _Reading(file, known)
    content = reading.content(shown)
    return _Reading(file, None).content(shown) if reading.settles_the_past() else content


class _Reading:
    def __init__(self, file: EventFile, mark: FileMark | None) -> None:
        self._file, self._records, self._framer = file, Records(file), Framer()
        self._mark, self._gaps = mark, Gaps()
        self._columns = Columns(mark.standings if mark else None)
        self._decoder = Decoder(self._columns)
        self._batches = Batches(self._decoder, self._gaps, self._within)
        self._pool = Pool(self._batches)
        self._first_wall = mark.first_wall if mark else None
        self._too_long: list[tuple[int, int]] = []

    def content(self, shown: str) -> Content:
        """Read the file from the mark, or its beginning, to its end."""
        start = self._mark.offset if self._mark else 0
        self._all_from(start)
        if not self._batches.intact and self._gaps.damaged and not start:
            what = disguise(self._file.read(0, min(self._file.size, 512)).tobytes())
            return Content(notes=[Note("unreadable", f"{shown}: {what}", file=shown, offset=0, size=self._file.size)])
        points = self._columns.curves()
        notes = [*self._gaps.notes(shown), *_odd_notes(self._columns, shown)]
        notes += [_limit_note(at, size, shown) for at, size in self._too_long[:10]]
        end = self._gaps.clean_end(self._file.size)
        mark = FileMark.of(self._file, end, self._first_wall, self._columns.standings())
        return Content(points, sorted(self._decoder.hparams), notes, self._first_wall, mark, bool(self._mark))

    def settles_the_past(self) -> bool:
        """Whether points that an earlier reading gave would be none, or the other way round, by what is known now."""
        return self._columns.settles_the_past()

    def _all_from(self, start: int) -> None:
        at = self._one_by_one(start, 1)
        buffer = np.empty(max(0, min(WINDOW, self._file.size - at)) + SPARE, np.uint8)
        while at < self._file.size:
            count = min(buffer.size - SPARE, self._file.size - at)
            self._file.read_into(buffer[:count], at)
            at = self._through(buffer, count, at)
        self._pool.empty()

    def _through(self, buffer: Bytes, count: int, base: int) -> int:
        """Take in what lies in a window that begins at `base` of the file; return where to go on."""
        at = 0
        while at < count:
            run = self._framer.run(buffer[:count], at)
            kept = run.headers.size
            if kept and base + run.stop < self._file.size:
                kept -= 1  # should its payload be damaged, what follows it decides where to go on
            go_on = int(run.headers[kept]) if kept < run.headers.size else run.stop
            self._take(buffer, run, kept, base)
            if run.whole and go_on:
                return base + go_on
            at = self._one_by_one(base + go_on, 1 if run.whole else _CALM) - base
        return base + at

    def _take(self, buffer: Bytes, run: Run, count: int, base: int) -> None:
        starts, lengths = run.headers[:count] + HEADER, run.lengths[:count]
        self._pool.take(buffer, starts, lengths, starts + base)

    def _one_by_one(self, at: int, calm: int) -> int:
        """Take records one by one until `calm` of them in a row are intact; return where to go on."""
        intact = 0
        while intact < calm and at < self._file.size:
            at, good = self._step(at)
            intact = intact + 1 if good else 0
        return at

    def _within(self, start: int, stop: int) -> None:
        """Look for intact records inside of a damaged one: it may have been torn, and others written behind it."""
        while start < stop:
            start = self._step(start)[0]

    def _step(self, at: int) -> tuple[int, bool]:
        """Take what begins at `at`; return where to go on, and whether it was an intact record."""
        found = self._records.step(at)
        if isinstance(found, Gap):
            self._gaps.add(found.start, found.stop, torn=found.torn)
            return found.stop, False
        return found.stop + FOOTER, self._decoded(found)

    def _decoded(self, record: Record) -> bool:
        size = record.stop - record.start
        if size > LONGEST_EVENT:
            self._too_long.append((record.start - HEADER, size))
            return True
        data = self._file.near(record.start, size)
        try:
            wall = self._decoder.add(data, 0, len(data), record.start)
        except MalformedError:
            self._gaps.add(record.start - HEADER, record.stop + FOOTER)
            return False
        self._batches.intact += 1
        self._first_wall = wall if self._first_wall is None else self._first_wall
        return True


def _limit_note(at: int, size: int, shown: str) -> Note:
    text = f"{shown}: the record at offset {at} is longer than {LONGEST_EVENT} bytes and was not looked into"
    return Note("limit", text, file=shown, offset=at, size=size)


def _odd_notes(columns: Columns, shown: str) -> list[Note]:
    notes = []
    for tag, (first, count, why) in columns.odd.items():
        if columns.standing(tag) == "scalar":
            text = f"{shown}: {shown_bytes(tag)}: {count} value(s) left out that are not scalars; the first: {why}"
            notes.append(Note("not-scalar", text, file=shown, offset=first))
    return notes
