"""What a page needs besides its result: the pages of all symptoms, and how the page is made again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from analyzer import detectors
from analyzer.auditing.log_symptoms import log_guides
from analyzer.model.guide import Guide
from analyzer.model.redaction import mask_text
from analyzer.settings import Settings
from analyzer.writers.page import Provenance


@cache
def guides() -> Mapping[str, Guide]:
    """Return the page of every symptom."""
    own = {symptom: detector.guide for symptom, detector in detectors.known().items()}
    return MappingProxyType(own | dict(log_guides()))


def making(version: str, source: str, run: str | None, settings: Settings, title: str = "") -> Provenance:
    """Return how to make a page again: the command, and which limits differ from the defaults."""
    words = ["posthoc", "report", mask_text(source), *(["--run", mask_text(run)] if run is not None else [])]
    words += ["--title", title] if title else []
    for option, names in (("--select", settings.select), ("--ignore", settings.ignore)):
        words += [option, ",".join(sorted(names))] if names else []
    for tag, role in settings.roles.items():
        meaning = ":".join([role.role, role.split or "", role.direction or ""]).rstrip(":")
        words += ["--role", f"{tag}={meaning}"]
    return Provenance(version, shlex.join(words), _changed(settings.limits), title, _servers(source, settings))


def _servers(source: str, settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return the addresses of servers that know the run: those of the settings, else the one that it is read from."""
    known = dict(settings.links)
    if "mlflow" not in known and source.startswith(("http://", "https://")):
        known["mlflow"] = mask_text(source).partition("?")[0]
    return tuple(sorted(known.items()))


def _changed(limits: Mapping[str, Mapping[str, float]]) -> tuple[tuple[str, str, float, float], ...]:
    known = detectors.known()
    return tuple(
        (symptom, name, value, known[symptom].default_limits[name])
        for symptom, own in sorted(limits.items())
        for name, value in sorted(own.items())
        if known[symptom].default_limits.get(name, value) != value
    )
