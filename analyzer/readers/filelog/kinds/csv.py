"""Tables by hand, recognised by what their columns mean; a name alone says nothing.

A table with a column such as `fold` or `run` holds several runs, as does an export with the runs side by side. Tables
in one folder whose names differ in the split only (`train_performance.csv`, `val_performance.csv`) are one run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from analyzer.model.roles import read_role
from analyzer.readers.filelog.kind import GENERIC, Candidate, Group, Listing, TableKind
from analyzer.readers.filelog.rows import AXES, INDEXES, Table

_SPLIT = re.compile(r"(?<![a-z])(train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?)(?![a-z])", re.IGNORECASE)
_SPLIT_TAGS = {"tr": "train", "va": "val", "te": "test", "ev": "eval"}
OF_TRAINING = frozenset({"loss", "metric", "learning-rate", "gradient-norm"})
_EPOCHS = frozenset({"epoch", "epochs"})
_LEAST_METRICS = 2  # without an axis and a loss, one column called accuracy may be anything


def is_training(table: Table, *, named: bool = False) -> bool:
    """Whether a table's columns are those of a training: an axis and something learnt, or a loss among numbers.

    Of a file that the user `named`, an axis and any numbers are enough.
    """
    names = {name.lower() for name in table.columns}
    axes = names & {*AXES}
    roles = [read_role(name).role for name in table.columns if name.lower() not in axes.union(INDEXES)]
    learnt = sum(role in OF_TRAINING for role in roles)
    if axes & _EPOCHS or (axes and named):
        return bool(roles)
    if axes:
        return learnt > 0
    return not table.texts and ("loss" in roles or learnt >= _LEAST_METRICS) and learnt * 2 >= len(roles)


class Csv(TableKind):
    """Any table with the columns of a training."""

    name = "csv"
    names = ("*.csv", "*.tsv", "*.log", "*log.txt", "*metrics.txt", "progress.txt")
    rank = GENERIC
    own_folder = False

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the table at the beginning of the file has rows, and columns of a training."""
        return (
            len(candidate.header) > 0
            and candidate.table.size > 0
            and is_training(candidate.table, named=candidate.named)
        )

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each table, and one for tables of several splits."""
        together: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for candidate in listing.candidates(self):
            several = self.several(candidate, candidate.table, listing)
            if several:
                yield from several
                continue
            split = _SPLIT.search(candidate.name)
            rest = (
                candidate.name
                if split is None
                else f"{candidate.name[: split.start()]}*{candidate.name[split.end() :]}"
            )
            word = _SPLIT_TAGS[split[0][:2].lower()] if split else ""
            together[candidate.folder, rest.lower()].append((candidate.path, word))
        for (folder, _), files in together.items():
            if len(files) == 1:
                yield Group(folder, ((files[0][0], ""),))
            else:
                names = ", ".join(path.rpartition("/")[2] for path, _ in files)
                yield Group(
                    folder,
                    tuple((path, f"{word}/" if word else "") for path, word in files),
                    reason=f"{names} are read as splits of one run",
                )


KIND = Csv()
