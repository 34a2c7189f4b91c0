"""One event file from its first byte to its last: points by tag, and what could not be read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from analyzer.model.run import Note
from analyzer.readers.naming import shown_bytes
from analyzer.readers.tensorboard.decode import Decoder
from analyzer.readers.tensorboard.disguise import disguise
from analyzer.readers.tensorboard.files import EventFile, ShrunkError
from analyzer.readers.tensorboard.framing import Gap, Record, Records
from analyzer.readers.tensorboard.points import Columns, Points
from analyzer.readers.tensorboard.wire import MalformedError

_NOTES = 50  # damages of one file that are named one by one
_ATTEMPTS = 3


@dataclass
class Content:
    """What one event file says. `first_wall` is the wall time of its first intact record."""

    points: dict[bytes, Points] = field(default_factory=dict)
    hparams: list[tuple[bytes, bytes]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    first_wall: float | None = None


def read_file(path: str | os.PathLike[str], shown: str) -> Content:
    """Return what the event file says; `shown` is how notes name it.

    Never raises for what is in the file: a file that cannot be opened, is no event file or is overwritten again
    and again gives a note of kind *unreadable*.
    """
    for _ in range(_ATTEMPTS):
        try:
            with EventFile(path) as file:
                return _content(file, shown)
        except ShrunkError:
            continue
        except OSError as error:
            why = error.strerror or str(error)
            return Content(notes=[Note("unreadable", f"{shown}: cannot be read ({why})", file=shown)])
    return Content(notes=[Note("unreadable", f"{shown}: became shorter each time it was read", file=shown)])


def _content(file: EventFile, shown: str) -> Content:
    columns, content = Columns(), Content()
    decoder, gaps, records = Decoder(columns), [], 0
    for found in Records(file).walk():
        if isinstance(found, Gap):
            gaps.append((found.start, found.stop, found.torn))
            continue
        try:
            wall = _decoded(file, found, decoder)
        except MalformedError as error:
            gaps.append((found.start - 12, found.stop + 4, False))
            del error
            continue
        records += 1
        content.first_wall = wall if content.first_wall is None else content.first_wall
    if not records and gaps and not gaps[0][2]:
        what = disguise(file.read(0, min(file.size, 512)).tobytes())
        content.notes.append(Note("unreadable", f"{shown}: {what}", file=shown, offset=0, size=file.size))
        return content
    content.points, content.hparams = columns.settle(), decoder.hparams
    content.notes = [*_gap_notes(gaps, shown), *_odd_notes(columns, shown)]
    return content


def _decoded(file: EventFile, record: Record, decoder: Decoder) -> float:
    data = file.near(record.start, record.stop - record.start)
    return decoder.add(data, 0, len(data), record.start)


def _gap_notes(gaps: list[tuple[int, int, bool]], shown: str) -> list[Note]:
    notes = [_gap_note(*gap, shown) for gap in gaps[:_NOTES]]
    if len(gaps) > _NOTES:
        rest = gaps[_NOTES:]
        lost = sum(stop - start for start, stop, _ in rest)
        text = f"{shown}: {len(rest)} more damaged places from offset {rest[0][0]} on, {lost} bytes skipped in all"
        notes.append(Note("damage", text, file=shown, offset=rest[0][0], size=lost))
    return notes


def _gap_note(start: int, stop: int, torn: bool, shown: str) -> Note:
    size = stop - start
    if torn:
        text = f"{shown}: the last record, at offset {start}, is not complete ({size} bytes so far)"
        return Note("torn-tail", text, file=shown, offset=start, size=size)
    text = f"{shown}: damaged at offset {start}, {size} bytes skipped"
    return Note("damage", text, file=shown, offset=start, size=size)


def _odd_notes(columns: Columns, shown: str) -> list[Note]:
    notes = []
    for tag, (first, count, why) in columns.odd.items():
        if columns.plugin_is_scalar(tag):
            text = f"{shown}: {shown_bytes(tag)}: {count} value(s) left out that are no scalars; the first: {why}"
            notes.append(Note("not-scalar", text, file=shown, offset=first))
    return notes
