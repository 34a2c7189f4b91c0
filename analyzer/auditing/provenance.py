"""What a page needs besides its result: the pages of all symptoms, and how the page is made again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from analyzer import detectors
from analyzer.auditing.log_symptoms import log_guides
from analyzer.model.guide import Guide
from analyzer.model.redaction import mask_text
from analyzer.settings import Settings
from analyzer.writers.page import Provenance


def guides() -> Mapping[str, Guide]:
    """Return the page of every symptom."""
    return {symptom: detector.guide for symptom, detector in detectors.known().items()} | dict(log_guides())


def making(version: str, source: str, run: str | None, settings: Settings) -> Provenance:
    """Return how to make a page again: the command, and which limits differ from the defaults."""
    words = ["posthoc", "report", mask_text(source), *(["--run", mask_text(run)] if run is not None else [])]
    for option, names in (("--select", settings.select), ("--ignore", settings.ignore)):
        words += [option, ",".join(sorted(names))] if names else []
    for tag, role in settings.roles.items():
        meaning = ":".join([role.role, role.split or "", role.direction or ""]).rstrip(":")
        words += ["--role", f"{tag}={meaning}"]
    return Provenance(version, shlex.join(words), _changed(settings.limits))


def _changed(limits: Mapping[str, Mapping[str, float]]) -> Sequence[tuple[str, str, float, float]]:
    known = detectors.known()
    return tuple(
        (symptom, name, value, known[symptom].default_limits[name])
        for symptom, own in sorted(limits.items())
        for name, value in sorted(own.items())
        if known[symptom].default_limits.get(name, value) != value
    )
