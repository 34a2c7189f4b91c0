"""DVCLive: a table for each metric, `plots/metrics/<metric>.tsv`; `metrics.json` holds last values only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from analyzer.readers.filelog.kind import Candidate, Content, Group, Listing, TableKind
from analyzer.readers.filelog.rows import Table

_BELOW = "plots/metrics"


class DVCLive(TableKind):
    """One run for each folder with `plots/metrics`; the path of a table below it is its metric's name."""

    name = "dvclive"
    names = ("*.tsv",)
    sides = ("params.yaml",)

    def is_one(self, candidate: Candidate) -> bool:
        """Whether it lies below plots/metrics and has a step and one value."""
        own = set(candidate.header) - {"step", "timestamp"}
        return _home(candidate.path) is not None and "step" in candidate.header and len(own) == 1

    def promises(self, candidate: Candidate) -> bool:
        """Whether it lies below plots/metrics, where nothing else does."""
        return _home(candidate.path) is not None

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each folder around `plots`."""
        runs: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for candidate in listing.candidates(self):
            home = _home(candidate.path) or ""
            inner = candidate.path[len(home) :].lstrip("/").removeprefix(f"{_BELOW}/")
            runs[home].append((candidate.path, inner.removesuffix(".tsv")))
        for home, files in runs.items():
            yield Group(home, tuple(files), self.beside(home, listing))

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the rows with the value under an empty name: the prefix is the metric's whole name."""
        table = super().table(raw, shown, content)
        values = [name for name in table.columns if name not in ("step", "timestamp")]
        if len(values) == 1:
            table.columns = {"" if name == values[0] else name: column for name, column in table.columns.items()}
        return table


def _home(path: str) -> str | None:
    """Return the folder around plots/metrics, None when the path does not lie below one."""
    around, found, _ = f"/{path}".rpartition(f"/{_BELOW}/")
    return around.lstrip("/") if found else None


KIND = DVCLive()
