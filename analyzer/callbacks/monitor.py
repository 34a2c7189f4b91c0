"""A training judged from inside: points are collected, judged at a cadence that it cannot feel, and news is told once.

Judging is done between two steps of the training. The cost of each check is measured, and the next one waits until
the time since the last pays for it: all checks together take at most `share` of the training's time.
"""

from __future__ import annotations

import sys
import threading
import time
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from analyzer.auditing.judging import judge
from analyzer.auditing.new_findings import NewFinding, Reported, line, message, onset_of
from analyzer.auditing.notification import Notifier
from analyzer.auditing.provenance import guides
from analyzer.errors import UsageError
from analyzer.model.redaction import mask_text
from analyzer.model.result import Result
from analyzer.model.run import Run, Series
from analyzer.settings import Settings
from analyzer.settings.values import suggestion
from analyzer.writers.phrases import visible

Tell = Callable[[str], None]

SHARE = 0.01
"""Of the training's time that checks may take, by default."""

EVERY = 30.0
"""Seconds between two checks at least: nobody reads sooner."""

FIRST_COST = 1.0
"""Seconds that the first check is taken to cost: it imports scipy besides judging, 0.4 to 1 s on a laptop's core."""

PATIENCE = 10.0
"""Seconds that the end of a training waits for a message that is on its way."""


class Monitor:
    """Collects the curves of one training, judges them from time to time, and tells what is new.

        monitor = Monitor("exp1", stop_on=["non-finite"])
        for step, batch in enumerate(batches):
            ...
            monitor.log(step, {"train/loss": loss})
            if monitor.tick():  # judges when a check is due; True: stop, as asked for with `stop_on`
                break
        result = monitor.close()

    `share` of the time is what checks may take, and `every` the seconds between two of them at least. `stop_on` names
    symptoms that should end the training. `tell` gets each line (default: standard error), `notify` has addresses of
    apprise (extra `notify`). UsageError for a symptom that does not exist or numbers that mean nothing.
    """

    def __init__(
        self,
        name: str = "training",
        *,
        settings: Settings | None = None,
        params: Mapping[str, object] | None = None,
        stop_on: Collection[str] = (),
        share: float = SHARE,
        every: float = EVERY,
        notify: Sequence[str] = (),
        tell: Tell | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Collect nothing yet; `clock` counts seconds, for the cadence alone."""
        if not 0 < share <= 1 or every < 0:
            raise UsageError(f"share = {share} and every = {every}: a share of 0 to 1 and seconds from 0 on are wanted")
        self._name, self._settings, self._params = name, settings or Settings(), dict(params or {})
        self._stop_on = _symptoms(stop_on)
        self._tell, self._notifier = tell or _to_stderr, Notifier(notify) if notify else None
        self._steps: dict[str, array[int]] = {}
        self._values: dict[str, array[float]] = {}
        self._times: dict[str, array[float]] = {}
        self._reported = Reported()
        self._pace = _Pace(share, every, clock)
        self._messages: list[threading.Thread] = []
        self._points = 0
        self.result: Result | None = None
        """What the last check came to; None before the first."""
        self.stop_reason = ""
        """The line of the finding that should end the training, empty as long as there is none."""

    @property
    def should_stop(self) -> bool:
        """Whether a symptom of `stop_on` was found."""
        return bool(self.stop_reason)

    @property
    def spent(self) -> float:
        """Seconds that checks have taken so far."""
        return self._pace.spent

    @property
    def checks(self) -> int:
        """How often the curves were judged."""
        return self._pace.checks

    def log(self, step: int, values: Mapping[str, float], at: float | None = None) -> None:
        """Keep a point of each series; `at` is its time in Unix seconds (default: now)."""
        now = time.time() if at is None else at
        for tag, value in values.items():
            if tag not in self._steps:
                self._steps[tag], self._values[tag], self._times[tag] = array("q"), array("d"), array("d")
            self._steps[tag].append(step)
            self._values[tag].append(value)
            self._times[tag].append(now)
        self._points += len(values)

    def tick(self) -> bool:
        """Judge when a check is due; return whether the training should stop. Costs a look at the clock otherwise."""
        if self._pace.is_due(self._points):
            self.check()
        return self.should_stop

    def check(self, *, ended: bool = False) -> tuple[NewFinding, ...]:
        """Judge now, whatever it costs, as a training that goes on or `ended`; tell what is new, and return it."""
        with self._pace.measured(self._points):
            run = self._run("FINISHED" if ended else "RUNNING")
            result = judge(run, self._settings, time.time()).without_curves()
            since = {one.symptom: onset_of(run, one) for one in result.findings if one.alarms}
            news = tuple(self._reported.news(result, since))
            self.result = result
            for one in news:
                self._tell(line(one))
            self._send(news)
            self._decide(result)
        return news

    def close(self) -> Result | None:
        """Judge a last time and tell the verdict; return the result, None when nothing was logged."""
        if self._points:
            self.check(ended=True)
            if self.result is not None:
                self._tell(f"{self._name}: {self.result.sentence}")
        deadline = time.monotonic() + PATIENCE
        for one in self._messages:
            one.join(max(0.0, deadline - time.monotonic()))
        return self.result

    def _run(self, declared: str) -> Run:
        series = {
            tag: Series(
                tag, np.array(steps, np.int64), np.array(self._values[tag]), np.array(self._times[tag])
            )
            for tag, steps in self._steps.items()
        }  # fmt: skip
        return Run(self._name, self._name, "callback", "", series, self._params, declared=declared)

    def _send(self, news: Sequence[NewFinding]) -> None:
        """Send what is new from a thread of its own: a slow address must not hold up the training."""
        if self._notifier is None or not news:
            return
        notifier, (title, text) = self._notifier, message(news)

        def send() -> None:
            for sentence in notifier.send(title, text):
                self._tell(sentence)

        self._messages.append(threading.Thread(target=send, daemon=True))
        self._messages[-1].start()

    def _decide(self, result: Result) -> None:
        found = next((one for one in result.findings if one.alarms and one.symptom in self._stop_on), None)
        if found is not None and not self.stop_reason:
            self.stop_reason = f"{found.symptom}: {found.summary}"
            self._tell(f"{self._name}: the training is asked to stop ({self.stop_reason})")


class _Pace:
    """When a check is due: as soon as a share of the time since the last one pays for it."""

    def __init__(self, share: float, every: float, clock: Callable[[], float]) -> None:
        self._share, self._every, self._clock = share, every, clock
        self._last = clock()
        self._debt = 0.0
        self._took, self._points = FIRST_COST, 0
        self.spent, self.checks = 0.0, 0

    def is_due(self, points: int) -> bool:
        """Whether a check may be made now; its cost is taken to grow with the points."""
        since = self._clock() - self._last
        if since < self._every or points == self._points:
            return False
        growth = points / self._points if self._points else 1.0
        return self._took * growth + self._debt <= self._share * since

    @contextmanager
    def measured(self, points: int) -> Iterator[None]:
        """Count the time of the block as that of a check; what the time before it did not pay for is owed."""
        began = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            took = now - began
            self._debt = max(0.0, self._debt + took - self._share * (began - self._last))
            self._took, self._points, self._last = took, points, now
            self.spent += took
            self.checks += 1


def _symptoms(names: Collection[str]) -> frozenset[str]:
    if isinstance(names, str):
        names = names.split(",")
    known = guides()
    for name in names:
        if name not in known:
            raise UsageError(f"stop_on: unknown symptom {name!r}{suggestion(name, known) or '; see posthoc explain'}")
    return frozenset(names)


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"posthoc: {visible(mask_text(text))}\n")
    sys.stderr.flush()
