"""The runs of an audit that log one value a metric as tables: their metrics and the settings that vary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.model import summary
from analyzer.model.formatting import number
from analyzer.model.result import Result
from analyzer.model.summary import experiment
from analyzer.writers.page import page_name
from analyzer.writers.truncation import short

METRICS, SETTINGS = 6, 4
"""Columns of a table: metrics that most runs have, and settings that vary."""

ROWS, TABLES = 60, 8
"""Runs of a table, the worst first, and tables of an index: its further runs are in the list of all runs."""

NAME, VALUE = 40, 30
"""Characters of a name and of a value in a table."""

_ORDER = {"error": 0, "warning": 1, "unjudged": 2, "suppressed": 3, "healthy": 4}


@dataclass(frozen=True, slots=True)
class Line:
    """One run: its name, page, tone, symptoms, and the texts of its columns."""

    name: str
    page: str
    tone: str
    symptoms: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The runs of one experiment; `metrics` are that many of the columns, the rest are settings."""

    name: str
    columns: tuple[str, ...]
    metrics: int
    lines: tuple[Line, ...]
    runs: int


def tables(results: Iterable[Result], varying: Iterable[tuple[str, Sequence[str]]]) -> tuple[Table, ...]:
    """Return a table for each experiment with two such runs or more; `varying` are its settings that vary, by name."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        if result.pairs:
            groups.setdefault(experiment(result), []).append(result)
    settings = dict(varying)
    large = sorted(((n, g) for n, g in groups.items() if len(g) > 1), key=lambda one: (-len(one[1]), one[0]))
    return tuple(_table(name, group, settings.get(name, ())) for name, group in large[:TABLES])


def _table(name: str, group: Sequence[Result], varying: Sequence[str]) -> Table:
    tags = Counter(p.tag for result in group for p in result.pairs if p.tag is not None)
    tags.update(p.train_tag for result in group for p in result.pairs if p.train_tag is not None)
    held = {p.tag for result in group for p in result.pairs if p.tag is not None}
    shown = sorted(tags, key=lambda tag: (-tags[tag], tag not in held, tag))[:METRICS]
    chosen = tuple(varying[:SETTINGS])
    ordered = sorted(group, key=lambda result: (_ORDER.get(summary.tone(result), 2), result.run))
    lines = tuple(_line(result, shown, chosen) for result in ordered[:ROWS])
    columns = tuple(short(column, NAME) for column in (*shown, *chosen))
    return Table(short(name, NAME), columns, len(shown), lines, len(group))


def _line(result: Result, tags: Sequence[str | None], settings: Sequence[str]) -> Line:
    values = {p.tag: p.value for p in result.pairs} | {p.train_tag: p.train for p in result.pairs}
    params = dict(result.params)
    lost = {row.tag: row.last for row in result.series}
    told = [values.get(tag, lost.get(str(tag))) for tag in tags]
    cells = ["–" if value is None else number(value, 3) for value in told]
    cells += [short(str(params[name]), VALUE) if name in params else "–" for name in settings]
    symptoms = ", ".join(dict.fromkeys(f.symptom for f in result.findings if f.alarms))
    return Line(short(summary.label(result), NAME), page_name(result.run), summary.tone(result), symptoms, tuple(cells))
