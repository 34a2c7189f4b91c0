"""CatBoost's `catboost_info`: event files in `learn/` and `test/`, and tables that repeat them with more digits."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from analyzer.readers.filelog.files import HEAD
from analyzer.readers.filelog.kind import Candidate, Group, Listing, Reading, TableKind

_TABLE = re.compile(r"(learn|test)(?:_\d+)?_error(?:_\d+)?\.tsv")
_TRAINING = "catboost_training.json"
_PLANNED = re.compile(rb'"iteration_count"\s*:\s*(\d{1,12})')


class CatBoost(TableKind):
    """One run a folder: the errors on the training set under `learn/`, those on test sets under `test/`."""

    name = "catboost"
    names = ("learn*_error*.tsv", "test*_error*.tsv")
    sides = (_TRAINING,)
    axes = ("iter",)
    owns_events = True

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the table counts iterations under one of CatBoost's names."""
        return _TABLE.fullmatch(candidate.name) is not None and candidate.header[:1] == ("iter",)

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each folder."""
        folders: dict[str, list[str]] = defaultdict(list)
        for candidate in listing.candidates(self):
            folders[candidate.folder].append(candidate.path)
        for folder, paths in folders.items():
            files = tuple((path, f"{path.rpartition('/')[2].partition('_error')[0]}/") for path in paths)
            nested = tuple(f"{folder}/{part}" if folder else part for part in ("learn", "test"))
            yield Group(folder, files, self.beside(folder, listing), nested=nested)

    def params(self, reading: Reading) -> dict[str, object]:
        """Return the planned number of iterations, which stands at the beginning of a long document."""
        for path in reading.group.sides:
            planned = _PLANNED.search(reading.place.head(path)[:HEAD])
            if planned:
                return {"iterations": int(planned[1])}
        return {}


KIND = CatBoost()
