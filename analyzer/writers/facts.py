"""The facts of a run that stand at the top of its page: its best held-out value, and the settings asked for first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from analyzer.model.cost import HOUR, WORDS, Cost, by_kind
from analyzer.model.formatting import duration, number, step
from analyzer.model.result import Result, SeriesRow
from analyzer.model.roles import words_of
from analyzer.writers.truncation import NAME, short

COLUMN = 40
"""Characters of a tag in the index."""

HELD_OUT = ("validation", "test")
ASKED_FIRST = (
    ("learning rate", ("lr", "learningrate")),
    ("batch size", ("batchsize", "trainbatchsize", "perdevicetrainbatchsize", "bs")),
    ("optimizer", ("optimizer", "optimizername", "optim", "opt")),
)
"""What a setting is called on the page, and its names in logs, joined without their separators."""


def facts(result: Result) -> tuple[str, ...]:
    """Return the facts as short texts, the best held-out value first; nothing that the log does not hold."""
    found = [_best(row) for row in _held_out(result)[:1]]
    found += [in_words([result.cost])] if result.cost is not None else []
    found += [f"{name} {value}" for name, value in _settings(result)]
    return tuple(found)


def in_words(costs: Sequence[Cost]) -> str:
    """Return what was lost, by kind, and its price where every hour has one; "" for nothing."""
    summed = by_kind(costs)
    told = ", ".join(f"{duration(HOUR * one.hours)} {WORDS[one.kind]}" for one in summed)
    priced = [one.money for one in summed if one.money is not None]
    money = f" ({math.fsum(priced):,.2f} {summed[0].currency})" if summed and len(priced) == len(summed) else ""
    return told + money


def best_of(result: Result) -> str:
    """Return the best value of the main held-out series with its tag, as short as a column wants it; "" without one."""
    rows = _held_out(result)
    return f"{number(rows[0].best or 0.0)} {short(rows[0].tag, COLUMN)}" if rows else ""


def _held_out(result: Result) -> list[SeriesRow]:
    """Return the held-out losses and metrics that have a best value after the first step, the main one first.

    A run's checkpoints are chosen by them; a training loss names no checkpoint.
    """
    rows = [row for row in result.series if row.split in HELD_OUT and row.best_step is not None and row.points > 1]
    judged = [row for row in rows if row.role == "loss" or (row.role == "metric" and row.direction is not None)]
    return sorted(judged, key=lambda row: (row.tag != result.main_tag, row.role != "loss", row.split != "validation"))


def _best(row: SeriesRow) -> str:
    return f"best {short(row.tag, NAME)} {number(row.best or 0.0)} at step {step(row.best_step or 0)}"


def _settings(result: Result) -> Iterable[tuple[str, str]]:
    own = {"".join(words_of(str(name).rpartition("/")[2].rpartition(".")[2])): value for name, value in result.params}
    for name, spellings in ASKED_FIRST:
        value = next((own[one] for one in spellings if own.get(one) not in (None, "", "None")), None)
        if value is not None:
            yield name, short(str(value), NAME)
        elif name == "learning rate" and result.peak_rate:
            yield "largest learning rate", number(result.peak_rate)
