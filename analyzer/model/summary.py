"""One run, one verdict, one sentence: derived from status, findings and health criteria wherever they are asked for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.model.evidence import SEVERITIES, Severity
from analyzer.model.health import Criterion

if TYPE_CHECKING:
    from analyzer.model.result import Finding, Result, Status, Verdict

TONES = ("error", "warning", "unjudged", "suppressed", "healthy")
"""The words that colour a run, worst first."""

HEXADECIMAL = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")
LONGEST_ID = 20  # characters of the last part of an id

SHORT = re.compile(r"\b(nan|kl)\b", re.IGNORECASE)  # words that are abbreviations


def verdict_of(status: Status, findings: Iterable[Finding], health: Sequence[Criterion]) -> Verdict:
    """Return the verdict of a run.

    *problems*: a finding of warning or above counts. *suppressed*: none does, but a suppressed one would have.
    *healthy*: neither, and every health criterion that applies is shown, learning among them. *unjudged*: otherwise.
    """
    findings = list(findings)
    if any(finding.alarms for finding in findings):
        return "problems"
    if any(f.suppressed is not None and f.explained_by is None and f.severity != "info" for f in findings):
        return "suppressed"
    states = {one.criterion: one.state for one in health}
    needed = ("enough-data", "learnt")
    earned = all(states.get(name) == "shown" for name in needed)
    earned = earned and all(state in ("shown", "not-applicable") for state in states.values())
    return "healthy" if earned and status not in ("failed", "skipped") else "unjudged"


def alarms(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of warning or above that are neither explained nor suppressed."""
    return [f for f in findings if f.alarms]


def why_unjudged(result: Result) -> str:
    """Return the reason why a run is not judged: the first health criterion that is not shown."""
    if result.status == "skipped":
        return "no metrics were logged"
    if result.status == "failed":
        return result.reason
    short = next((c for c in result.health if c.criterion == "enough-data" and c.state != "shown"), None)
    open_ = [c for c in result.health if c.state in ("unclear", "refuted")]
    if short is None and not open_:
        return "no health criterion applies"
    return (short or open_[0]).sentence


def sentence_of(result: Result) -> str:
    """Return the verdict in words."""
    verdict = result.verdict
    if verdict == "problems":
        return _problems(result, also=True)
    if verdict == "suppressed":
        count = sum(f.suppressed is not None for f in result.findings)
        return f"No open problem: {count} {'finding is' if count == 1 else 'findings are'} suppressed."
    if verdict == "healthy":
        return _healthy(result)
    if result.status == "skipped":
        return "Nothing to judge: no metrics were logged."
    if result.status == "failed":
        return f"Nothing could be judged: {result.reason}."
    return f"This run could not be judged: {why_unjudged(result)}."


def headline(result: Result) -> str:
    """Return the verdict in words where the other findings are listed besides, as in a row of the index."""
    return _problems(result, also=False) if result.verdict == "problems" else sentence_of(result)


def _problems(result: Result, *, also: bool) -> str:
    leading = alarms(result.findings)
    first, others = leading[0], dict.fromkeys(f.symptom for f in leading[1:])
    parts = [f"{title_of(first.symptom)}: {first.summary}"]
    parts += [
        f"Then {f.summary}"
        for f in result.findings
        if f.symptom == "non-finite" and f.explained_by == first.fingerprint
    ][:1]
    parts += [f"Also: {', '.join(others)}"] if also and others else []
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts)


def _healthy(result: Result) -> str:
    if result.partial:
        return "Nothing was found by the checks that were chosen."
    learnt = next((c.sentence for c in result.health if c.criterion == "learnt"), "")
    # the worst that is known of a healthy run belongs into its sentence
    noted = next((f for f in result.findings if f.explained_by is None and f.suppressed is None), None)
    text = f"Healthy: {learnt}" if noted is None else f"Healthy, but {noted.summary}"
    return text if text.endswith(".") else f"{text}."


def title_of(symptom: str) -> str:
    """Return what people call a symptom: its id with blanks, but Non-finite, NaN and KL."""
    words = symptom if symptom.startswith("non-") else symptom.replace("-", " ")
    return SHORT.sub(lambda match: {"nan": "NaN", "kl": "KL"}[match[0].lower()], words.capitalize())


def label(result: Result) -> str:
    """Return the id, or the name a tracker gave with the part of the id that tells runs of one name apart."""
    return label_of(result.run, result.name)


def label_of(run: str, name: str) -> str:
    """Return the label of a run with this id and name."""
    return run if not name or name in run else f"{name} ({short_id(run)})"


def short_id(run: str) -> str:
    """Return the beginning of a hexadecimal id, or the last part of one that is a path or is made of words.

    A folder of W&B is `offline-run-20260101_120000-4f2a91cd`: what is before the last part is the same for many.
    """
    return run[:8] if HEXADECIMAL.fullmatch(run) else re.split(r"[-/]", run.rstrip("-/"))[-1][:LONGEST_ID]


def experiment(result: Result) -> str:
    """Return what the run is grouped under: its tracker's experiment, or the folder above it.

    Where MLflow does not name the experiment, it is the last folder of its location.
    """
    above = result.experiment or posixpath.dirname(result.run)
    if above or result.source != "mlflow" or "://" in result.location:
        return above
    return posixpath.basename(posixpath.dirname(result.location.rstrip("/")))


def worst(result: Result) -> Severity | None:
    """Return the worst severity among the findings that count."""
    counting = {finding.severity for finding in result.findings if finding.counts}
    return next((severity for severity in SEVERITIES if severity in counting), None)


def tone(result: Result) -> str:
    """Return the one word that colours a run: error, warning, suppressed, healthy or unjudged."""
    if result.verdict == "problems":
        return worst(result) or "warning"
    return result.verdict


def reaches(result: Result, gate: str, *, new_only: bool = False) -> bool:
    """Whether a finding that counts is at or above the gate (error, warning, info; `never` is never reached).

    `new_only`: findings that were there last night do not count.
    """
    if gate == "never":
        return False
    if new_only:
        result = replace(result, findings=tuple(f for f in result.findings if f.state in {"new", "regressed"}))
    severity = worst(result)
    return severity is not None and SEVERITIES.index(severity) <= [*SEVERITIES].index(gate)  # type: ignore[arg-type]
