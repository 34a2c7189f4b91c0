"""A log of one file, read as one kind of log would read it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from analyzer.model.run import Run
from analyzer.readers.filelog.files import Place
from analyzer.readers.filelog.kind import Candidate, Content, Group, Reading
from analyzer.readers.filelog.kinds import known
from tests.fuzz.laws import sound


def read_as(kind: str, name: Path, raw: bytes) -> Content:
    """Return what a kind makes of a file of this name and these bytes, which were recognised or not before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        known()[kind].is_one(Candidate(str(name), raw[: 1 << 14], lambda _: False))
        reading = Reading(Place(folder), Group("", ((str(name), ""),)), kind)
        content = known()[kind].read(reading)
    notes = (*reading.notes, *content.notes)
    sound(Run(kind, content.name, kind, "", content.series, content.params, content.tags, notes, content.declared))
    return content
