"""One symptom = one file in this folder; a file that is here, or an entry point of another package, is a detector."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from importlib import metadata
from typing import Any

from analyzer.features import RunFeatures
from analyzer.model.case import Case
from analyzer.model.evidence import Evidence, Reading, Words
from analyzer.model.guide import Guide, LimitGuide, docstring_of, parse_guide

ENTRY_POINTS = "posthoc.detectors"
# a run that is lost by one of these is lost: what else its course shows follows from it (for `yields_to`)
GRAVE = ("non-finite", "hidden-nan", "exploding-loss", "slow-divergence", "not-converging", "plateau")


@dataclass(frozen=True)
class Detector:
    """A symptom: its page, its limits, how it is measured, and the cases that prove it.

    `measure` is pure and yields evidence whether bad or fine. `limits` is an instance of the module's frozen
    dataclass Limits, whose fields each carry `metadata={"why": …}`. `yields_to` names the
    symptoms from which this one follows where both are found: the only relation between symptoms, without cycles.
    `describe` turns evidence that was found into sentences; without it the evidence brings its own.
    `retired` names limits of earlier versions: settings may still hold them, and nothing is compared with them.
    """

    symptom: str
    page: str
    measure: Callable[[RunFeatures], Iterable[Reading]]
    limits: Any
    cases: tuple[Case, ...]
    yields_to: tuple[str, ...] = ()
    describe: Callable[[Evidence], Words] | None = None
    retired: tuple[str, ...] = ()

    @cached_property
    def default_limits(self) -> Mapping[str, float]:
        """The limits by name."""
        return {f.name: float(getattr(self.limits, f.name)) for f in fields(self.limits)}

    @property
    def guide(self) -> Guide:
        """The symptom's page for people."""
        rows = tuple(
            LimitGuide(f.name, float(getattr(self.limits, f.name)), str(f.metadata["why"])) for f in fields(self.limits)
        )
        return parse_guide(self.symptom, self.page or docstring_of(self.measure.__module__), rows)


@cache
def known() -> Mapping[str, Detector]:
    """Return every detector by symptom: this folder's, then those other packages bring by entry point.

    ValueError when a name is not kebab-case or is taken twice.
    """
    found: dict[str, Detector] = {}
    for module in pkgutil.iter_modules(__path__):
        _add(found, importlib.import_module(f"{__name__}.{module.name}").DETECTOR, module.name.replace("_", "-"))
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        _add(found, entry.load(), entry.name)
    return found


def _add(found: dict[str, Detector], detector: Detector, name: str) -> None:
    if detector.symptom != name or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"the detector {detector.symptom!r} must be called {name!r}, in kebab-case")
    if name in found:
        raise ValueError(f"two detectors are called {name!r}")
    found[name] = detector
