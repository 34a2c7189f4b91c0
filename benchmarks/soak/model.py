"""What must be reported: worked out from what was planted and from docs/nightly.md, not from the code under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from benchmarks.soak.world import HOUR, SYMPTOM, Run

STALE_AFTER = 6 * HOUR
ABSENT_AUDITS = 2


@dataclass(frozen=True)
class Known:
    """A finding as remembered: whether it is open, in how many audits it was absent, whether it raised an alarm."""

    open: bool = True
    absent: int = 0
    alarm: bool = True


@dataclass(frozen=True)
class Expected:
    """What an audit must say: verdict and state of the finding by run, resolved findings, vanished runs."""

    verdicts: Mapping[str, str]
    states: Mapping[str, str]
    resolved: frozenset[tuple[str, str]]
    vanished: Mapping[str, int]


@dataclass
class Model:
    """The memory of a careful auditor."""

    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    last: frozenset[str] = frozenset()

    def copy(self) -> Model:
        """Return a model that remembers the same."""
        return Model(dict(self.known), self.last)

    def audit(self, runs: Mapping[str, Run], now: float, suppressed: Mapping[str, date]) -> Expected:
        """Remember an audit, and return what it must say; `suppressed` holds the day on which a run's pass expires."""
        verdicts, states, resolved = dict[str, str](), dict[str, str](), set[tuple[str, str]]()
        today = datetime.fromtimestamp(now, UTC).date()
        vanished = {
            name: sum(one.open and one.alarm for (run, _), one in self.known.items() if run == name)
            for name in self.last - runs.keys()
        }
        for name, run in runs.items():
            symptom = SYMPTOM[run.kind]
            aside = bool(symptom) and name in suppressed and suppressed[name] >= today
            verdicts[name] = ("suppressed" if aside else "problems") if symptom else "healthy"
            if symptom:
                before = self.known.get((name, symptom))
                states[name] = "new" if before is None else "persisting" if before.open else "regressed"
                self.known[name, symptom] = Known(alarm=not aside)
            going = run.torn and run.last is not None and -24 * HOUR < now - run.last < STALE_AFTER
            for key, one in list(self.known.items()):
                if key[0] != name or key[1] == symptom or not one.open:
                    continue
                absent = one.absent + 1
                over = not going or absent >= ABSENT_AUDITS
                self.known[key] = replace(one, absent=absent, open=not over)
                if over:
                    resolved.add(key)
        self.last = frozenset(runs)
        return Expected(verdicts, states, frozenset(resolved), vanished)
