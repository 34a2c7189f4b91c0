"""What only siblings tell of runs that log one value a metric: dummies, constant answers, metrics that never compute.

- A run whose held-out values are no better than those of its experiment's dummy (a run or an estimator named so)
  is at chance; one that is clearly better has learnt something.
- Held-out values that agree to the last digit with those of runs with other settings are a constant answer's, unless
  the run itself is clear of chance.
- A metric that is NaN in every run of an experiment is not computed: a note, and no alarm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analyzer.auditing.cross_run.run_settings import is_label
from analyzer.model.formatting import counted, number
from analyzer.model.health import Criterion
from analyzer.model.result import Finding, JudgedMeasure, Pair, Result, fingerprint
from analyzer.model.roles import words_of
from analyzer.model.summary import experiment

LEAST = 3
"""Runs of an experiment that say the same until it is said of all."""

CLEAR = 2.5
"""Standard errors of a share by which a run must be better than a dummy."""

EXAMPLES = 1000.0
"""Held-out examples where the log does not tell."""

BETTER = ("auc", "mcc", "balanced-accuracy", "accuracy", "r2")
"""Kinds that tell a model from a dummy, the best first."""

DUMMY = frozenset({"dummy", "majority"})
IDLE = frozenset({"jobs", "job", "workers", "threads", "verbose", "device", "cores", "processes"})
"""Words of settings that change how a result is computed and not what it is."""


def amended(results: Sequence[Result]) -> dict[int, Result]:
    """Return the results that siblings change, by their places."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, result in enumerate(results):
        if result.pairs:
            groups.setdefault((result.source, experiment(result)), []).append(place)
    found: dict[int, Result] = {}
    for places in groups.values():
        if len(places) > 1:
            found |= _of_group(results, places)
    return found


def amend(result: Result, outline: Result) -> Result:
    """Return a whole result with what amended() made of its outline."""
    own = {f.fingerprint: f for f in result.findings}
    told = tuple(
        replace(own[f.fingerprint], severity=f.severity, summary=f.summary or own[f.fingerprint].summary)
        if f.fingerprint in own
        else f
        for f in outline.findings
    )
    named = {f.symptom for f in told}
    return replace(
        result,
        findings=told,
        health=outline.health,
        checked=tuple(c for c in result.checked if c.symptom not in named),
        not_checked=tuple(n for n in result.not_checked if n.symptom not in named),
    )


def _of_group(results: Sequence[Result], places: Sequence[int]) -> dict[int, Result]:
    changed: dict[int, Result] = {}
    never = _never(results, places)
    same = _same(results, places)
    dummy = next((results[p] for p in places if _is_dummy(results[p])), None)
    for place in places:
        result = results[place]
        told = _noted(result, never) if never else result
        if place in same:
            told = _constant(told, same[place])
        elif dummy is not None and dummy is not result and not _is_dummy(result):
            told = _beside_dummy(told, dummy)
        if told is not result:
            changed[place] = told
    return changed


def _never(results: Sequence[Result], places: Sequence[int]) -> frozenset[str]:
    """Return the metrics that have no finite value in any of the runs that log them."""
    logged: dict[str, list[bool]] = {}
    for place in places:
        for row in results[place].series:
            if row.role in ("metric", "loss") and row.last is not None:
                logged.setdefault(row.tag, []).append(math.isfinite(row.last))
    return frozenset(tag for tag, finite in logged.items() if len(finite) >= LEAST and not any(finite))


def _noted(result: Result, never: frozenset[str]) -> Result:
    """Return a result whose metrics that never compute are a note."""
    lost = {r.tag for r in result.series if r.last is not None and not math.isfinite(r.last)}
    if not lost or not lost <= never:
        return result
    said = f"{min(lost)} is not computed: it has no value in any run of this experiment"
    findings = tuple(
        replace(f, severity="info", summary=said) if f.symptom == "non-finite" else f for f in result.findings
    )
    return replace(result, findings=findings, health=_with(result.health, "finite", "not-applicable", said))


def _same(results: Sequence[Result], places: Sequence[int]) -> dict[int, list[Result]]:
    """Return, by place, the siblings with other settings whose held-out values agree to the last digit."""
    groups: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for place in places:
        values = _held_out(results[place])
        if values and not any(value in (0.0, 1.0) for _, value in values):
            groups.setdefault(values, []).append(place)
    found: dict[int, list[Result]] = {}
    for same in groups.values():
        if len({_settings(results[place]) for place in same}) < LEAST:
            continue
        found |= {p: [results[q] for q in same if q != p] for p in same if _state(results[p], "learnt") != "shown"}
    return found


def _held_out(result: Result) -> tuple[tuple[str, float], ...]:
    return tuple((p.tag, p.value) for p in result.pairs if p.tag is not None and p.value is not None)


def _settings(result: Result) -> frozenset[tuple[str, str]]:
    return frozenset((n, str(v)) for n, v in result.params if not is_label(n) and not IDLE & set(words_of(n)))


def _constant(result: Result, others: Sequence[Result]) -> Result:
    if any(f.symptom == "constant-predictor" for f in result.findings):
        return result
    values = _held_out(result)
    tags = tuple(tag for tag, _ in values)
    summary = (
        f"{tags[0]} is {number(values[0][1])}, to the last digit the same as in {counted(len(others), 'run')} of this "
        "experiment with other settings"
    )
    advice = (
        "Look at the confusion matrix: one class may always be given.",
        "Check that the settings reach the model: they make no difference.",
    )
    measures = (JudgedMeasure("runs with other settings and the same values", float(len(others)), LEAST - 2.0, "runs"),)
    return _with_finding(
        result,
        "constant-predictor",
        tags,
        summary,
        cause="one answer is always given",
        advice=advice,
        measures=measures,
    )


def _is_dummy(result: Result) -> bool:
    """Whether a run is that of a dummy: its name or a setting says so."""
    if DUMMY & set(words_of(result.name)):
        return True
    return any(
        len(str(value)) <= len("DummyClassifier") * 2 and DUMMY & set(words_of(str(value)))
        for _, value in result.params
    )


def _beside_dummy(result: Result, dummy: Result) -> Result:
    """Return a result with what the experiment's dummy says of chance, where the run itself could not tell."""
    state = _state(result, "learnt")
    pair = _leading(result.pairs, {p.tag: p.value for p in dummy.pairs if p.value is not None})
    if state != "unclear" or pair is None:
        return result
    tag, value, level = pair
    n = next((c.numbers["examples"] for c in result.health if "examples" in c.numbers), EXAMPLES)
    error = math.sqrt(max(level * (1 - level), 1 / n) / n) if 0 < level < 1 else 1 / math.sqrt(n)
    name = dummy.name or dummy.run
    if value - level > CLEAR * error:
        said = f"{tag} is {number(value)}, better than the {number(level)} of the dummy {name}"
        return replace(result, health=_with(result.health, "learnt", "shown", said))
    summary = f"{tag} is {number(value)}; the dummy {name} of this experiment reaches {number(level)}"
    advice = (
        "Check that features and labels belong to the same rows after shuffling, joining and splitting.",
        "Check that the held-out features go through the same preprocessing as those of training.",
    )
    measures = (JudgedMeasure("above the dummy", (value - level) / error, CLEAR, "standard errors"),)
    told = _with_finding(
        result,
        "chance-level",
        (tag,),
        summary,
        cause="nothing was learnt beyond the dummy",
        advice=advice,
        measures=measures,
    )
    return replace(told, health=_with(told.health, "learnt", "refuted", summary))


def _leading(pairs: Iterable[Pair], levels: Mapping[str | None, float]) -> tuple[str, float, float] | None:
    known = [p for p in pairs if p.tag in levels and p.value is not None and p.kind in BETTER]
    best = min(known, key=lambda p: BETTER.index(p.kind), default=None)
    if best is None or best.tag is None or best.value is None:
        return None
    return best.tag, best.value, levels[best.tag]


def _with_finding(
    result: Result,
    symptom: str,
    tags: tuple[str, ...],
    summary: str,
    *,
    cause: str,
    advice: tuple[str, ...],
    measures: tuple[JudgedMeasure, ...],
) -> Result:  # fmt: skip
    leader = next((f for f in result.findings if f.symptom == "non-finite" and f.alarms), None)
    finding = Finding(
        symptom=symptom, severity="warning", tags=tags, first_step=None, last_step=None, summary=summary, cause=cause,
        speaks_for=(), advice=advice, measures=measures, p_value=None,
        explained_by=None if leader is None else leader.fingerprint, fingerprint=fingerprint(symptom, result.run, tags),
    )  # fmt: skip
    return replace(result, findings=(*result.findings, finding))


def _with(health: Iterable[Criterion], criterion: str, state: str, sentence: str) -> tuple[Criterion, ...]:
    return tuple(
        replace(c, state=state, sentence=sentence) if c.criterion == criterion else c  # type: ignore[arg-type]
        for c in health
    )


def _state(result: Result, criterion: str) -> str:
    return next((c.state for c in result.health if c.criterion == criterion), "")
