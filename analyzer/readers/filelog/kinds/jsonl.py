"""JSON lines by hand (also `log.txt` of DETR, MAE and their kin), recognised by what their keys mean."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.readers.filelog.json_rows import table_of
from analyzer.readers.filelog.kind import GENERIC, Candidate, Group, LineKind, Listing
from analyzer.readers.filelog.kinds.csv import is_training


class JsonLines(LineKind):
    """Any JSON lines with the keys of a training."""

    name = "jsonl"
    names = ("*.jsonl", "*.ndjson", "*log.txt", "*.log", "metrics.json", "log.json", "*_log.json", "stats.json")
    rank = GENERIC
    own_folder = False
    skip = frozenset({"config", "args", "hparams", "params"})

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the first objects have numbers, under keys of a training."""
        rows = list(candidate.objects)
        return bool(rows) and is_training(table_of(rows, [], self.skip), named=candidate.named)

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each file, or for each name that its rows give to runs."""
        for candidate in listing.candidates(self):
            head = table_of(list(candidate.objects), [], self.skip)
            yield from self.several(candidate, head, listing) or (Group(candidate.folder, ((candidate.path, ""),)),)


KIND = JsonLines()
