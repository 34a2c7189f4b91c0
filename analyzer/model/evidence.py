"""What a detector says: evidence with its measures, or why it could not judge; and the one comparison with a limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Measure:
    """One number a detector measured, whether bad or fine.

    `limit` names a field of the detector's Limits (empty: told as evidence, compared with nothing); the
    measure speaks for the symptom when the value is above it (`fires="above"`) or below it.
    """

    name: str
    value: float
    limit: str = ""
    fires: Literal["above", "below"] = "above"
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn into the chart of a tag so that the picture alone convinces.

    `region`: two steps, a shaded band · `step`: one step, an upright line · `level`: one value, a level line ·
    `line`: steps and values, a curve of its own (trend, fit, fold) · `band`: steps and two values each, all lower ones
    first, a shaded stripe along a curve.
    """

    kind: Literal["region", "step", "level", "line", "band"]
    tag: str
    label: str
    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """Something in the log that supports a finding or its cause: an id in kebab-case, a tag, and its numbers."""

    id: str
    tag: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Veto:
    """Something in the log that overrules the measures: evidence with a veto makes no finding."""

    id: str
    tag: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """Evidence in English, made after judging: `signs` has a sentence for each sign of the evidence, in order."""

    summary: str
    cause: str | None = None
    signs: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a detector saw in one set of tags: all measures beyond their limits together make the finding.

    `p_value` is raw (one test); the diagnosis corrects it for the number of tests in the run. `signs` support the
    finding or its cause; any of the `vetoes` overrules it. `cause` is the id of the cause, None where the log does not
    show one. `facts` is what the detector's `describe` needs besides to make the sentences. `explained_by` is
    `event:<kind>@<step>` when something ordinary in the run (a restart, a schedule) accounts for what is seen.
    `also` names further tags that show the same.

    A detector without `describe` gives its sentences here: `summary`, `cause`, `speaks_for`, `advice`.
    """

    tags: tuple[str, ...]
    measures: tuple[Measure, ...]
    severity: Severity
    summary: str = ""
    first_step: int | None = None
    last_step: int | None = None
    cause: str | None = None
    speaks_for: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    p_value: float | None = None
    marks: tuple[Mark, ...] = ()
    explained_by: str | None = None
    also: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    facts: Any = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """The detector could not judge, and why: never the same as fine."""

    reason: str
    tags: tuple[str, ...] = ()


Reading = Evidence | Unfit


@dataclass(frozen=True, slots=True)
class Found:
    """The evidence is beyond every limit."""

    evidence: Evidence
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Clear:
    """The detector could judge, and the symptom is not there."""

    evidence: Evidence


def judge(
    evidence: Evidence, limits: Mapping[str, float], *, p_value: float | None = None, alpha: float = 0.001
) -> Found | Clear:
    """Compare each measure with its limit: the only place where a value meets a limit. A veto makes it clear.

    `p_value` is the evidence's own after correction for the run's other tests; with one, it must be at or
    below `alpha` as well. A measure that is NaN never fires. Tightening a limit (lower for *above*, higher
    for *below*) never removes a finding.
    """
    if evidence.vetoes:
        return Clear(evidence)
    for measure in evidence.measures:
        if not measure.limit:
            continue
        limit = limits[measure.limit]
        beyond = measure.value > limit if measure.fires == "above" else measure.value < limit
        if not beyond:
            return Clear(evidence)
    if p_value is not None and not (math.isfinite(p_value) and p_value <= alpha):
        return Clear(evidence)
    return Found(evidence, p_value)
