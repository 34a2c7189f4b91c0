"""Runs whose curves are the same to the bit: one run logged or copied twice, or the same seed trained twice.

Only curves that cannot agree by chance are evidence: a loss and another loss or metric that each change their value
eight times or more, or one such curve that changes forty times. Constants, curves of zeros and a handful of points
have no digest at all. Runs that share a tag under which they differ are not the same, whatever else agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.auditing.cross_run.phrases import listed, named
from analyzer.auditing.cross_run.run_settings import differing
from analyzer.model.cross_run import Across
from analyzer.model.formatting import counted
from analyzer.model.result import Result

ALONE = 40
"""Changes of value with which one curve is evidence by itself."""

SAME_TIME = 120.0
"""Seconds that two loggers of one training may be apart at its beginning and its end."""


def duplicates(results: Sequence[Result]) -> list[Across]:
    """Return the groups of runs with the same curves, in the order of their first runs."""
    groups: dict[int, list[Result]] = {}
    first: dict[str, int] = {}
    for i, result in enumerate(results):
        digests = _digests(result)
        seen = dict.fromkeys(first[digest] for digest in digests.values() if digest in first)
        twin = next((j for j in seen if _same(_digests(results[j]), digests, results[j], result)), None)
        if twin is not None:
            groups.setdefault(twin, [results[twin]]).append(result)
        for digest in digests.values():
            first.setdefault(digest, i)
    return [_told(group) for _, group in sorted(groups.items())]


def distinct(results: Iterable[Result]) -> list[Result]:
    """Return the runs without those whose curves are all another's: a copy is no further evidence of anything."""
    seen: set[frozenset[str]] = set()
    kept = []
    for result in results:
        digests = frozenset(_digests(result).values())
        if not digests or digests not in seen:
            kept.append(result)
        seen.add(digests)
    return kept


def _digests(result: Result) -> dict[str, str]:
    """Return the digests of a run's curves by tag."""
    return {row.tag: row.digest for row in result.series if row.digest}


def _same(one: dict[str, str], other: dict[str, str], first: Result, second: Result) -> bool:
    if any(other[tag] != digest for tag, digest in one.items() if tag in other):
        return False
    shared = set(one.values()) & set(other.values())
    losses = {row.digest for result in (first, second) for row in result.series if row.role == "loss"}
    alone = any(int(digest.partition(":")[0]) >= ALONE for digest in shared)
    return alone or (len(shared) > 1 and bool(shared & losses))


def _told(group: Sequence[Result]) -> Across:
    tags = sorted(set.intersection(*(set(_digests(result)) for result in group)))
    curves = f" in {listed([f'“{tag}”' for tag in tags[:2]], len(tags))}" if tags else ""
    differ = differing(group)
    how, advice = _how(group, differ)
    names = [named(result) for result in group]
    return Across(
        "duplicates",
        "",
        f"{listed(names[:3], len(names))} have the same values to the last digit{curves}: {how}.",
        tuple(result.run for result in group),
        ("setting", *names) if differ and len(group) <= 4 else (),
        tuple((name, *values) for name, values in differ[:6]) if len(group) <= 4 else (),
        advice=(advice,),
    )


def _how(group: Sequence[Result], differ: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, str]:
    """Return what the times and settings of the runs say about why they are the same, and what to do."""
    times = [(result.started, result.ended) for result in group]
    at_once = group[0].started is not None and len(set(times)) == 1
    if differ:
        return _although([name for name, _ in differ], at_once)
    if at_once:
        return "one training, recorded or copied twice", "Keep one of them: every count has it twice."
    if len({result.source for result in group}) > 1 and _near(times):
        return "one training, kept by two loggers", "Audit one of the two places: every count has this run twice."
    settings = "" if any(result.params for result in group) else ", or with another setting that made no difference"
    return (
        f"trained more than once, from the same seed on the same data{settings}",
        f"Change the seed where {counted(len(group), 'run')} are meant to show the spread; they count as one.",
    )


def _although(differ: Sequence[str], at_once: bool) -> tuple[str, str]:
    """Return what it means that settings differ: what was logged cannot be what trained, in one run or in all."""
    names = listed(differ[:3], len(differ))
    differs, reaches, does = ("differs", "reaches", "does") if len(differ) == 1 else ("differ", "reach", "do")
    if at_once:
        return (
            f"although {names} {differs}; they began and ended at the same moments, too",
            f"If one is a copy of the other, its settings are wrong; if both were trained, {names} {does} not reach "
            "the training.",
        )
    return f"although {names} {differs}", f"Check that {names} {reaches} the training: it made no difference."


def _near(times: Iterable[tuple[float | None, float | None]]) -> bool:
    for ends in zip(*times, strict=True):
        known = [end for end in ends if end is not None]
        if len(known) < len(ends) or max(known) - min(known) > SAME_TIME:
            return False
    return True
