"""Scalars downloaded from TensorBoard: a table `Wall time, Step, Value` a tag, named `run-RUN-tag-TAG.csv`.

The files of one folder are one run where their runs differ in the split only, else a run each.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from analyzer.readers.filelog.kind import Candidate, Content, Group, Listing, TableKind
from analyzer.readers.filelog.rows import Table
from analyzer.readers.sanitize import distinct

_HEADER = ("Wall time", "Step", "Value")
_NAME = re.compile(r"(?:run-(?P<run>.*?)-tag-)?(?P<tag>.+?)(?: ?\(\d+\))?\.csv", re.IGNORECASE | re.DOTALL)
_SPLIT = re.compile(r"(?:^|[_.-])(train|training|validation|valid|val|eval|test)$", re.IGNORECASE)


class TensorBoardCsv(TableKind):
    """The downloads of one run in a folder."""

    name = "tensorboard-csv"
    names = ("*.csv",)
    axes = ("step",)
    own_folder = False

    def is_one(self, candidate: Candidate) -> bool:
        """Whether it has TensorBoard's three columns."""
        return candidate.header == _HEADER

    def promises(self, candidate: Candidate) -> bool:
        """Whether it is named as TensorBoard names a download."""
        found = _NAME.fullmatch(candidate.name)
        return found is not None and found["run"] is not None

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each name of a run, splits taken together."""
        found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for candidate in listing.candidates(self):
            name = _NAME.fullmatch(candidate.name)
            run, tag = (name["run"] or "", name["tag"]) if name else ("", candidate.name)
            split = _SPLIT.search(run)
            prefix = f"{split[1]}/" if split else ""
            files = found[candidate.folder, run[: split.start()] if split else run]
            files.append((candidate.path, distinct(f"{prefix}{tag}", {tag for _, tag in files})))
        for (folder, run), files in found.items():
            alone = sum(own == folder for own, _ in found) == 1
            home = folder if alone or run in ("", ".") else f"{folder}/{run}" if folder else run
            names = f"{len(files)} tables of one tag each are read as one run" if len(files) > 1 else ""
            yield Group(home, tuple(files), reason=names)

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the rows; the name of the file gives the tag, which stands in the prefix."""
        table = super().table(raw, shown, content)
        table.columns = {"" if name == "Value" else name: column for name, column in table.columns.items()}
        return table


KIND = TensorBoardCsv()
