"""Sides whose runs belong to several tasks: what each task shows, and what is said over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analyzer.comparing.metric_comparison import Judged
from analyzer.comparing.request import ComparisonRequest
from analyzer.comparing.settings_diff import setting_of
from analyzer.comparing.subject import Subject
from analyzer.comparing.tasks import LEAST_TASKS, NAMES, Tasks, compared_tasks
from analyzer.model.comparison import CompareVerdict
from analyzer.model.formatting import number
from analyzer.stats.multiplicity import holm


def task_of(base: Sequence[Subject], candidate: Sequence[Subject]) -> str | None:
    """Return the setting that names the task of each run, where both sides hold the same two tasks or more."""
    for name in NAMES:
        values = [[setting_of(s, name) for s in side] for side in (base, candidate)]
        if all(None not in own for own in values) and len(set(values[0])) > 1 and set(values[0]) == set(values[1]):
            return name
    return None


def by_tasks(
    by: str, base: Sequence[Subject], candidate: Sequence[Subject], one: Judged, ask: ComparisonRequest
) -> tuple[Mapping[str, Any], CompareVerdict]:
    """Return the document's row of tasks, and the verdict over them: from five tasks on by the IQM's interval.

    With fewer tasks no single answer is given over all unless each of them gives the same one (Holm).
    """
    groups: dict[str, tuple[list[float], list[float]]] = {}
    for i, side in enumerate((base, candidate)):
        for subject in side:
            if subject.identity in one.outcomes:
                groups.setdefault(str(setting_of(subject, by)), ([], []))[i].append(one.outcomes[subject.identity])
    whole = {name: (np.array(a), np.array(b)) for name, (a, b) in groups.items() if a and b}
    found = compared_tasks(by, whole, ask.confidence)
    lower = one.choice.better == "lower"
    verdict = _over_all(found, lower=lower) if len(found.each) >= LEAST_TASKS else _each_alike(found, ask, lower=lower)
    rows = [
        {"task": name, "difference": d.difference, "standardised": z, "p_value": d.p_value, "runs": list(d.sizes)}
        for name, d, z in found.each
    ]
    row = {"by": by, "count": len(rows), "each": rows, "iqm": found.iqm, "interval": list(found.interval or ()) or None}
    return {**row, "sentence": _sentence(found, verdict, ask, lower=lower)}, verdict


def _over_all(found: Tasks, *, lower: bool) -> CompareVerdict:
    if found.interval is None or found.interval[0] <= 0 <= found.interval[1]:
        return "cannot-tell"
    return "better" if (found.interval[1] < 0) == lower else "worse"


def _each_alike(found: Tasks, ask: ComparisonRequest, *, lower: bool) -> CompareVerdict:
    p_values = [d.p_value for _, d, _ in found.each]
    if any(p is None for p in p_values):
        return "cannot-tell"
    sure = all(p < 1 - ask.confidence for p in holm([p or 0.0 for p in p_values]))
    signs = {d.difference < 0 for _, d, _ in found.each}
    if not sure or len(signs) != 1:
        return "cannot-tell"
    return "better" if signs.pop() == lower else "worse"


def _sentence(found: Tasks, verdict: CompareVerdict, ask: ComparisonRequest, *, lower: bool) -> str:
    count = len(found.each)
    ahead = sum((d.difference < 0) == lower and d.difference != 0 for _, d, _ in found.each)
    told = {
        "better": "The candidate is better",
        "worse": "The candidate is worse",
    }.get(verdict, "It is unclear whether the candidate is better")
    middle = ""
    if found.iqm is not None and found.interval is not None:
        low, high = (number(end) for end in found.interval)
        middle = f", interquartile mean {number(found.iqm)} sd of a run ({100 * ask.confidence:.4g} % {low} to {high})"
    few = f"; fewer than {LEAST_TASKS} tasks have no p-value over all" if count < LEAST_TASKS else ""
    return f"{told} over {count} tasks ({found.by}): ahead in {ahead} of them{middle}{few}."
