"""SARIF 2.1.0 of a night: a rule a symptom, with its page as help; a result a finding, with state and fingerprint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TextIO
from urllib.parse import quote

from analyzer.model.guide import Guide
from analyzer.model.result import Finding, Night, Result
from analyzer.writers.phrases import visible
from analyzer.writers.truncation import shortened

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_STATES = {"new": "new", "regressed": "new", "persisting": "unchanged"}


def write_sarif(night: Night, guides: Mapping[str, Guide], file: TextIO) -> None:
    """Write the night; what is resolved is there as *absent*, what was set aside as suppressed."""
    rules = sorted({f.symptom for r in night.results for f in r.findings} | {one["symptom"] for one in night.resolved})
    number = {symptom: i for i, symptom in enumerate(rules)}
    driver = {"name": "posthoc", "version": night.version, "rules": [_rule(symptom, guides) for symptom in rules]}
    head = {"$schema": SCHEMA, "version": "2.1.0"}
    file.write(f'{json.dumps(head)[:-1]}, "runs": [{{"tool": {json.dumps({"driver": driver})}, ')
    file.write('"columnKind": "unicodeCodePoints", "results": [')
    for i, result in enumerate(_results(night, number)):
        file.write((",\n" if i else "\n") + json.dumps(result, allow_nan=False))
    file.write("\n]}]}\n")


def _rule(symptom: str, guides: Mapping[str, Guide]) -> dict[str, Any]:
    guide = guides.get(symptom)
    if guide is None:  # of a detector that is not installed any more
        return {"id": symptom}
    parts = (("Why it matters", guide.why_it_matters), ("What to do", guide.what_to_do))
    return {
        "id": symptom,
        "shortDescription": {"text": guide.title},
        "fullDescription": {"text": guide.why_it_matters},
        "help": {
            "text": "\n\n".join(f"{title}\n{text}" for title, text in parts),
            "markdown": "\n\n".join(f"## {title}\n\n{text}" for title, text in parts),
        },
    }


def _results(night: Night, number: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for result in map(shortened, night.results):
        for finding in result.findings:
            yield _result(finding, result, number)
    for one in night.resolved:
        yield {
            "ruleId": one["symptom"],
            "ruleIndex": number[one["symptom"]],
            "level": "none",
            "kind": "pass",
            "message": {"text": f"{one['symptom']} is resolved"},
            "locations": [_location(one["run"])],
            "partialFingerprints": {"posthoc/v1": one["fingerprint"]},
            "baselineState": "absent",
        }


def _result(finding: Finding, result: Result, number: Mapping[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": finding.symptom,
        "ruleIndex": number[finding.symptom],
        "level": _LEVELS[finding.severity] if finding.explained_by is None else "note",
        "message": {"text": visible(finding.summary)},
        "locations": [_location(result.run)],
        "partialFingerprints": {"posthoc/v1": finding.fingerprint},
        "properties": {
            "tags": [visible(tag) for tag in finding.tags],
            "firstStep": finding.first_step,
            "explainedBy": finding.explained_by,
        },
    }
    if finding.state is not None:
        told["baselineState"] = _STATES[finding.state]
    if finding.suppressed is not None:
        told["suppressions"] = [{"kind": "external", "justification": visible(finding.suppressed.get("reason", ""))}]
    return told


def _location(run: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(run.encode("utf-8", "backslashreplace"), safe="/")}}
    return {"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": visible(run), "kind": "module"}]}
