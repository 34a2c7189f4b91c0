"""What is said of one run (Result) and of many (AuditResult), and the same as plain JSON values."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from analyzer.model import summary
from analyzer.model.cost import Cost, total
from analyzer.model.cross_run import Across
from analyzer.model.display import rendered
from analyzer.model.evidence import Mark, Severity, Sign, Veto
from analyzer.model.health import Criterion
from analyzer.model.history import History
from analyzer.model.run import Note, Series
from analyzer.model.totals import Tally

SCHEMA = "posthoc/1"

Status = Literal["ok", "in-progress", "partial", "failed", "skipped"]
STATUSES: tuple[Status, ...] = ("ok", "in-progress", "partial", "failed", "skipped")
Verdict = Literal["healthy", "problems", "suppressed", "unjudged"]


def fingerprint(symptom: str, run: str, tags: tuple[str, ...]) -> str:
    """First 16 hex digits of SHA-256 over symptom, run name and sorted tags: the same from night to night."""
    text = "\0".join((symptom, run, *sorted(tags)))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class JudgedMeasure:
    """A measure beside the limit it was compared with; `limit` None where it is told as evidence only."""

    name: str
    value: float
    limit: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One metric of a run that logs one value a metric: training beside held-out data, the gap, and chance.

    What is not logged, or not known, is None; `clear` says whether the held-out value is clearly better than chance.
    """

    kind: str
    train_tag: str | None
    train: float | None
    tag: str | None
    value: float | None
    gap: float | None
    chance: float | None
    clear: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return one element of `pairs` in findings.json."""
        numbers = {"train": self.train, "value": self.value, "gap": self.gap, "chance": self.chance}
        told = {name: json_number(number) for name, number in numbers.items()}
        return {"kind": self.kind, "train_tag": self.train_tag, "tag": self.tag, **told, "clear": self.clear}


@dataclass(frozen=True, slots=True)
class Sibling:
    """The nearest healthy run: its id, its name, how many settings differ, and those with both values.

    `tag` is the metric that both are told by, with the value of either at its end.
    """

    run: str
    name: str
    settings: tuple[tuple[str, str, str], ...] = ()
    tag: str = ""
    this: float | None = None
    value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return `finding.sibling` in findings.json."""
        rows = [{"name": name, "this": this, "sibling": other} for name, this, other in self.settings]
        return {"run": self.run, "settings": rows}


@dataclass(frozen=True, slots=True)
class Finding:
    """One symptom in one set of tags. `p_value` is corrected for the other tests of the run.

    What a memory of last night adds: `state`, when the finding was first and last seen (ISO 8601), and whether
    only judging has changed since then, and not the log (`judged_anew`).
    """

    symptom: str
    severity: Severity
    tags: tuple[str, ...]
    first_step: int | None
    last_step: int | None
    summary: str
    cause: str | None
    speaks_for: tuple[str, ...]
    advice: tuple[str, ...]
    measures: tuple[JudgedMeasure, ...]
    p_value: float | None
    explained_by: str | None
    fingerprint: str
    marks: tuple[Mark, ...] = ()
    also: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    state: Literal["new", "persisting", "regressed"] | None = None
    suppressed: Mapping[str, str] | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    judged_anew: bool = False
    sibling: Sibling | None = None
    cost: Cost | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts for the verdict and the gate: neither explained nor suppressed."""
        return self.explained_by is None and self.suppressed is None

    @property
    def alarms(self) -> bool:
        """Whether somebody should act on it: it counts, and is of warning or above."""
        return self.counts and self.severity != "info"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as findings.json has it, with `speaks_for` and `also`, and what a memory adds, besides."""
        return {
            "symptom": self.symptom,
            "severity": self.severity,
            "tags": list(self.tags),
            "first_step": self.first_step,
            "last_step": self.last_step,
            "summary": self.summary,
            "cause": self.cause,
            "speaks_for": list(self.speaks_for),
            "advice": list(self.advice),
            "measures": [_measure_dict(m) for m in self.measures],
            "p_value": json_number(self.p_value),
            "signs": [{"id": s.id, "tag": s.tag, "numbers": _numbers(s.numbers)} for s in self.signs],
            "vetoes": self._vetoes(),
            "explained_by": self.explained_by,
            "also": list(self.also),
            "fingerprint": self.fingerprint,
            "state": self.state,
            "suppressed": dict(self.suppressed) if self.suppressed is not None else None,
        } | {
            **(self._remembered() if self.state is not None else {}),
            **({"sibling": self.sibling.to_dict()} if self.sibling is not None else {}),
            **({"cost": self.cost.to_dict()} if self.cost is not None else {}),
        }

    def _vetoes(self) -> list[dict[str, Any]]:
        """Return what in the run itself overrules the finding: the event that explains it."""
        kind, _, at = (self.explained_by or "").removeprefix("event:").partition("@")
        if not (self.explained_by or "").startswith("event:"):
            return []
        numbers = {"step": int(at)} if at.lstrip("-").isdigit() else {}
        return [{"id": kind, "sentence": f"{kind.replace('-', ' ')} at step {at}", "numbers": numbers}]

    def _remembered(self) -> dict[str, Any]:
        return {"first_seen": self.first_seen, "last_seen": self.last_seen, "judged_anew": self.judged_anew}


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A symptom that could not be judged in this run, and why."""

    symptom: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A symptom that was looked for and is not there, with its numbers and with what overruled them."""

    symptom: str
    tags: tuple[str, ...]
    measures: tuple[JudgedMeasure, ...]
    vetoes: tuple[Veto, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something ordinary that happened in the run and may explain findings (restart, warm-up, lr-drop, …)."""

    kind: str
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series as understood: its role, why, and a thinned curve for pictures (None when dropped).

    `level` is what the run came to (analyzer.histories.outcome), None where it is no loss or metric; `digest` is that
    of a loss's or metric's values as of model.digest, "" where they prove nothing.
    """

    tag: str
    points: int
    role: str
    split: str | None
    direction: Literal["lower", "higher"] | None
    why: str
    first_step: int | None
    last_step: int | None
    last: float | None
    best: float | None
    best_step: int | None
    curve: Series | None = None
    digest: str = ""
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """A further check that belongs to a run that trains well, and what this log says for or against it."""

    check: str
    in_this_log: str


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """Everything that is said of one run; immutable, and the only thing the writers see of it.

    `health` are the criteria that a healthy run must show; `partial` says that the user left some checks out.
    `pairs` are the values of a run that logs one a metric; `across` the places in the night's `across` that count it,
    and `peak_rate` the largest learning rate of its curve.
    `tags` are what the tracker knows besides params: the commit, data sets, tags of the user.
    """

    run: str
    name: str
    source: str
    location: str
    status: Status
    reason: str
    series: tuple[SeriesRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    checked: tuple[Checked, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    notes: tuple[Note, ...] = ()
    events: tuple[Event, ...] = ()
    params: tuple[tuple[str, object], ...] = ()
    family: str = "unknown"
    main_tag: str | None = None
    health: tuple[Criterion, ...] = ()
    partial: bool = False
    further_checks: tuple[Advice, ...] = ()
    started: float | None = None
    ended: float | None = None
    experiment: str = ""
    pairs: tuple[Pair, ...] = ()
    across: tuple[int, ...] = ()
    peak_rate: float | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict, derived from status, findings and health: it is stored nowhere."""
        return summary.verdict_of(self.status, self.findings, self.health)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return summary.sentence_of(self)

    @property
    def cost(self) -> Cost | None:
        """What its findings that count cost: that of the most expensive one, for they run to the same end."""
        costs = (finding.cost for finding in self.findings if finding.counts and finding.cost is not None)
        return max(costs, key=lambda one: one.hours, default=None)

    def __repr__(self) -> str:
        return _one_line(f"<Result of {self.run}: {self.verdict}. {self.sentence}>")

    def without_curves(self) -> Result:
        """Return the result without its pictures' points, for keeping thousands of them."""
        return replace(self, series=tuple(replace(row, curve=None) for row in self.series))

    def to_dict(self) -> dict[str, Any]:
        """Return one element of `runs` in findings.json."""
        return {
            "run": self.run,
            "name": self.name,
            "source": self.source,
            "location": self.location,
            "status": self.status,
            "reason": self.reason or (summary.why_unjudged(self) if self.verdict == "unjudged" else ""),
            "verdict": self.verdict,
            "sentence": self.sentence,
            "health": [
                {
                    "criterion": c.criterion,
                    "state": c.state,
                    "sentence": c.sentence,
                    "numbers": _numbers(c.numbers),
                    "tags": list(c.tags),
                }
                for c in self.health
            ],
            "family": self.family,
            "params": {name: json_value(value) for name, value in self.params},
            "series": [
                {
                    "tag": row.tag,
                    "points": row.points,
                    "role": row.role,
                    "split": row.split,
                    "first_step": row.first_step,
                    "last_step": row.last_step,
                }
                for row in self.series
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "checked": [
                {
                    "symptom": c.symptom,
                    "tags": list(c.tags),
                    "measures": [_measure_dict(m) for m in c.measures],
                    "vetoes": [{"id": v.id, "tag": v.tag, "numbers": _numbers(v.numbers)} for v in c.vetoes],
                }
                for c in self.checked
            ],
            "not_checked": [{"symptom": n.symptom, "reason": n.reason} for n in self.not_checked],
            "notes": [
                {"kind": n.kind, "message": n.message, "file": n.file, "offset": n.offset, "bytes": n.size}
                for n in self.notes
            ],
            "events": [{"kind": e.kind, "step": e.step, "text": e.text} for e in self.events],
            **({"pairs": [pair.to_dict() for pair in self.pairs]} if self.pairs else {}),
            **({"across": list(self.across)} if self.across else {}),
            **({"cost": self.cost.to_dict()} if self.cost is not None else {}),
        }

    def _repr_html_(self) -> str:
        return str(rendered("result", self))


@dataclass(frozen=True, slots=True)
class Vanished:
    """A run that the last night had and this one has not, and how many of its findings that raised alarms stay open."""

    run: str
    findings: int
    name: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class AuditResult:
    """All results of one call; a single report is one of one run.

    `resolved` and `judged_anew` (why results are not those of the same logs last night, or "") need a memory of last
    night, as do `vanished` and `trend`: what earlier nights and this one came to. `stale` names suppressions that set
    nothing aside any more. `across` is what only a look at all runs together shows; it never counts for the gate. `at`
    is when an audit judged (ISO 8601). `results` of an audit are read from disk as they are looked at: go through them
    once. `statuses` are runs by status, counted when asked for where it is not given. `histories` are those of
    jobs that run every night, `costs` what each run with a cost has. `clock` is a sentence when this audit is dated
    before the one that came before it.
    """

    version: str
    sources: tuple[str, ...]
    results: Sequence[Result]
    resolved: tuple[Mapping[str, Any], ...] = ()
    vanished: tuple[Vanished, ...] = ()
    judged_anew: str = ""
    stale: tuple[str, ...] = ()
    across: tuple[Across, ...] = ()
    trend: tuple[Tally, ...] = ()
    at: str = ""
    statuses: Mapping[Status, int] | None = None
    histories: tuple[History, ...] = ()
    costs: tuple[Cost, ...] | None = None
    clock: str = ""

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items() if count and status in STATUSES)
        return f"<AuditResult of {len(self.results)} runs: {counts or 'none'}>"

    def _repr_html_(self) -> str:
        return str(rendered("audit", self))

    @property
    def healed(self) -> tuple[Mapping[str, Any], ...]:
        """What is resolved of that which had raised an alarm: what it explained goes with it, and is not told."""
        return tuple(one for one in self.resolved if one.get("alarm", True))

    @property
    def counts(self) -> dict[str, int]:
        """Runs by status; the five add up to `discovered`."""
        known = Counter(result.status for result in self.results) if self.statuses is None else self.statuses
        counts = {status: known.get(status, 0) for status in STATUSES}
        return {"discovered": sum(counts.values())} | counts

    def to_dict(self) -> dict[str, Any]:
        """Return the document that findings.json holds."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "posthoc", "version": self.version},
            "sources": list(self.sources),
            "counts": self.counts,
            "resolved": [dict(r) for r in self.resolved],
            "vanished": [{"run": one.run, "name": one.name, "findings": one.findings} for one in self.vanished],
            "judged_anew": self.judged_anew or None,
            "stale_suppressions": list(self.stale),
            "clock": self.clock or None,
            "across": [one.to_dict() for one in self.across],
            "cost": total(self._costs()),
            "runs": [result.to_dict() for result in self.results],
        }

    def _costs(self) -> tuple[Cost, ...]:
        """What the runs cost, gone through here where it was not counted before."""
        if self.costs is not None:
            return self.costs
        return tuple(result.cost for result in self.results if result.cost is not None)


Night = AuditResult
"""The earlier name of AuditResult."""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def json_number(value: float | None) -> float | str | None:
    """Return the number, or "NaN", "Infinity", "-Infinity" for what strict JSON cannot hold."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def json_value(value: object) -> object:
    """Return a parameter's value as strict JSON can hold it; what is no plain value becomes its text."""
    if isinstance(value, float):
        return json_number(value)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _numbers(numbers: Mapping[str, float]) -> dict[str, float | str | None]:
    return {name: json_number(float(value)) for name, value in numbers.items()}


def _measure_dict(measure: JudgedMeasure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "value": json_number(measure.value),
        "limit": json_number(measure.limit),
        "unit": measure.unit,
    }
