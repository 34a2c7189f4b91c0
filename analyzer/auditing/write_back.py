"""Verdicts handed back to the trackers that keep the runs, when the user asks for it and never otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from analyzer.errors import PosthocError
from analyzer.model.formatting import counted
from analyzer.model.result import Result
from analyzer.model.summary import alarms
from analyzer.readers import RunRef, VerdictPayload
from analyzer.writers.site import Site


@dataclass
class WriteBack:
    """What became of the verdicts: how many were written, `shortfalls` (a page that was not), `failures`."""

    written: int = 0
    others: int = 0
    shortfalls: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def give_all(self, refs: Iterable[RunRef], results: Iterable[Result], site: Site) -> None:
        """Write the verdicts of a night, with the pages that the site has."""
        known = {ref.id: ref for ref in refs}
        for result in results:
            self.give(known[result.run], result, site.page_alone(result.run))

    def give(self, ref: RunRef, result: Result, page: str | None) -> None:
        """Write a run's verdict to where it is kept; whatever goes wrong is told afterwards and stops nothing."""
        if not ref.accepts_verdicts:
            self.others += 1
            return
        found = tuple(dict.fromkeys(finding.symptom for finding in alarms(result.findings)))
        try:
            less = ref.write_back(VerdictPayload(result.verdict, found, page))
        except PosthocError as error:
            self.failures.append(str(error))
            return
        except Exception as error:  # the night is judged, and must not be lost for this
            self.failures.append(f"{ref.location}: writing back failed ({type(error).__name__}: {error})"[:300])
            return
        self.written += 1
        if less is not None:
            self.shortfalls.append(less)

    def told(self) -> list[str]:
        """Return sentences for the user: what was written, and what could not be."""
        said = [f"{counted(self.written, 'verdict')} written back"] if self.written else []
        if self.others:
            said.append(f"{counted(self.others, 'run')} not from MLflow: no verdict was written back there")
        for what in (self.shortfalls, self.failures):
            said += what[:3] + ([f"and {len(what) - 3} more runs likewise"] if len(what) > 3 else [])
        return said
