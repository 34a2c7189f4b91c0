"""Runs that are still going, looked at again and again: what grew is read on and judged, and only what is new is told.

A finding is told once for each run and symptom. What was there at the first look is told as such; with the state of an
audit, what that audit told is known and the rest is new. A run that goes on keeps its points in memory, so that only
what was appended is read; a finished run keeps its result. A run whose log is untouched costs a look at file sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from analyzer.auditing.judging import find_runs, judge
from analyzer.auditing.new_findings import NewFinding, Onset, Reported, onset_of
from analyzer.auditing.state import State
from analyzer.errors import NoRunsError, SourceError
from analyzer.model.result import Result
from analyzer.model.run import Run, Series
from analyzer.readers import EVERY, Choice, RunRef
from analyzer.settings import Settings

RUNNING = "RUNNING"
"""What a tracker declares of a run that goes on."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What one look came to: how many runs there are and how many were judged, and in `notes` what befell sources.

    `appeared` and `vanished` are ids of runs, `ended` the results of runs that went on before and do not any more.
    """

    runs: int
    judged: int
    sightings: tuple[NewFinding, ...] = ()
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    ended: tuple[Result, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Watched:
    """A run as it was judged last. `run` and `marks` are kept of a run that goes on.

    `since` has the onset of each symptom (Unix seconds) and the hours from there on, None where they are not known.
    """

    stamp: str | None
    result: Result
    run: Run | None
    marks: dict[str, str]
    since: dict[str, Onset]


@dataclass(slots=True)
class _Learnt:
    """A memo for discover() that lives as long as this process."""

    texts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def known(self, place: str, stamp: str) -> str | None:
        kept = self.texts.get(place)
        return kept[1] if kept and kept[0] == stamp else None

    def keep(self, place: str, stamp: str, text: str) -> None:
        self.texts[place] = (stamp, text)


class Watch:
    """Sources under watch; look() is called from time to time."""

    def __init__(
        self,
        sources: Sequence[str],
        settings: Settings,
        *,
        tracking_uri: str | None = None,
        choice: Choice = EVERY,
        state: Path | None = None,
    ) -> None:
        """Look at nothing yet; `state` is that of an audit, which is read and never written to."""
        self._sources, self._settings = sources, settings
        self._tracker, self._choice, self._state = tracking_uri, choice, state
        self._memo = _Learnt()
        self._runs: dict[str, _Watched] = {}
        self._reported = Reported()
        self._started = False
        self.failures: tuple[str, ...] = ()
        """Sources that could not be read at the last look, in sentences."""

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of all runs that are there, in their order."""
        return tuple(one.result for one in self._runs.values())

    def look(self, now: float, stop: Callable[[], bool] = lambda: False) -> Poll:
        """Judge what grew, at `now` in Unix seconds; `stop` is asked between runs and leaves the rest as it was.

        SourceError when no source can be read at the first look; later that is a note, for logs come and go.
        """
        refs = self._refs()
        before, judged, ended = self._runs, 0, list[Result]()
        self._runs = {}
        for ref in refs:
            old = before.get(ref.id)
            if stop() and old is not None:
                self._runs[ref.id] = old
                continue
            new = self._again(ref, old, now)
            self._runs[ref.id] = new
            judged += new is not old
            if old and old.run is not None and new.run is None:
                ended.append(new.result)
        first, self._started = not self._started, True
        return Poll(
            len(refs),
            judged,
            self._sightings(at_start=first),
            () if first else tuple(name for name in self._runs if name not in before),
            tuple(name for name in before if name not in self._runs),
            tuple(ended),
            self.failures,
        )

    def _refs(self) -> tuple[RunRef, ...]:
        try:
            found = find_runs(self._sources, tracking_uri=self._tracker, choice=self._choice, memo=self._memo)
        except NoRunsError as error:  # training has not begun, or its logs are gone
            self.failures = (str(error),)
            return ()
        except SourceError as error:
            if not self._started:
                raise
            self.failures = (str(error),)
            return ()
        self.failures = found.failures
        return found.refs

    def _again(self, ref: RunRef, old: _Watched | None, now: float) -> _Watched:
        """Return a run as it is now: the same object when nothing has changed that its result depends on."""
        stamp = ref.stamp()  # before reading: what comes while it is read is seen next time
        if old is not None and stamp is not None and stamp == old.stamp:
            if old.run is None or self._goes_on(old.run, now):
                return old
            return _Watched(stamp, judge(old.run, self._settings, now).without_curves(), None, {}, old.since)
        update = ref.update(old.marks if old is not None and old.run is not None else {})
        run = update.run if update.whole or old is None or old.run is None else extended(old.run, update.run)
        result = judge(run, self._settings, now).without_curves()
        since = {one.symptom: onset_of(run, one) for one in result.findings if one.alarms}
        if not self._goes_on(run, now):
            return _Watched(stamp, result, None, {}, since)
        return _Watched(stamp, result, run, dict(update.marks), since)

    def _goes_on(self, run: Run, now: float) -> bool:
        """Whether more is to be expected: nothing says that it ended, and its last point is young."""
        young = run.last_event is not None and now - run.last_event <= self._settings.stale_after
        return young and run.declared in {None, RUNNING}

    def _sightings(self, *, at_start: bool) -> tuple[NewFinding, ...]:
        """Return what alarms and was not told before."""
        before = self._before() if at_start and self._state is not None else None
        if before is not None:
            self._reported.know(before)
        return tuple(
            sighting
            for one in self._runs.values()
            for sighting in self._reported.news(one.result, one.since, at_start=at_start and before is None)
        )

    def _before(self) -> set[tuple[str, str]]:
        """Return what the audits that wrote the state have told of the runs that are there."""
        if self._state is None:
            return set()
        with State(self._state) as state:
            pasts = {name: state.previous_run(name) for name in self._runs}
        return {
            (name, known.symptom)
            for name, past in pasts.items()
            for known in (past.findings if past is not None else ())
            if known.resolved is None
        }


def extended(run: Run, more: Run) -> Run:
    """Return a run with the points that have come since it was read."""
    series = dict(run.series)
    for tag, new in more.series.items():
        series[tag] = _joined(series[tag], new) if tag in series else new
    kept = tuple(note for note in run.notes if note.kind != "torn-tail" and note not in more.notes)
    return replace(
        more,
        series=series,
        params={**run.params, **more.params},
        tags={**run.tags, **more.tags},
        notes=(*kept, *more.notes),
        experiment=more.experiment or run.experiment,
    )


def _joined(old: Series, new: Series) -> Series:
    return Series(
        old.tag,
        np.concatenate([old.steps, new.steps]),
        np.concatenate([old.values, new.values]),
        np.concatenate([old.wall_times, new.wall_times]),
    )
