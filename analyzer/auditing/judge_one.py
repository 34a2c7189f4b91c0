"""One run from its log to its record and its page: the same in this process and in any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.auditing.crash_report import lost
from analyzer.auditing.judging import judge_plainly, read, suppress
from analyzer.auditing.provenance import guides
from analyzer.auditing.record import Pages, RunRecord, page_mark, wants_page
from analyzer.auditing.state.stored import stored_result
from analyzer.model.guide import Guide
from analyzer.model.result import Result
from analyzer.model.run import Run
from analyzer.readers import RunRef
from analyzer.settings import Settings
from analyzer.writers.index_row import thumbnail
from analyzer.writers.page import Provenance
from analyzer.writers.related_runs import course_of
from analyzer.writers.site import write_page
from analyzer.writers.template_environment import compile_templates
from analyzer.writers.truncation import fits


@dataclass(frozen=True, slots=True)
class Job:
    """What all runs of an audit have in common. `now` is in Unix seconds, `folder` the site that takes the pages.

    `state` is the file that keeps results, None where nothing is kept.
    """

    settings: Settings
    now: float
    folder: Path
    pages: Pages = "all"
    state: Path | None = None

    def sendable(self) -> Job:
        """Return the same without views of tables, which cannot be sent to another process."""
        tables = {"roles": dict(self.settings.roles), "limits": dict(self.settings.limits)}
        return replace(self, settings=replace(self.settings, **tables))  # type: ignore[arg-type]  # a field by name


@dataclass(frozen=True, slots=True)
class Task:
    """One run to judge: its number in the audit, where it lies, how its page is made again.

    `token` is the state of its log when it was looked at, None where nothing says whether a log has changed. `stored`
    is the key under which the state holds the result of this very log, "" where it does not: only its page is drawn.
    """

    number: int
    ref: RunRef
    making: Provenance
    token: str | None = None
    stored: str = ""


def prepare() -> None:
    """Load what every run needs, so that processes forked from this one share it."""
    guides()
    compile_templates("run.html", "base.html", "macros.html")


class RunJudge:
    """Where runs are judged one after the other; what all have in common is worked out once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._guides: Mapping[str, Guide] = guides()

    def record(self, task: Task) -> RunRecord:
        """Read and judge the run, write its page, return its record. OutputError when the page cannot be written."""
        job, result = self._job, self._stored(task)
        return self._paged(result or judge_plainly(read(task.ref), job.settings, job.now), task)

    def text(self, task: Task) -> str:
        """Return the text of the run's record, with its curves where a state keeps them."""
        record = self.record(task)
        return record.text() if self._job.state is None else record.with_curves()

    def _stored(self, task: Task) -> Result | None:
        """Return the run's result from the state; None when it is to be judged, or another audit has replaced it."""
        if not task.stored or task.token is None or self._job.state is None:
            return None
        return stored_result(self._job.state, task.ref.id, task.token, task.stored)

    def lost(self, task: Task, reason: str) -> RunRecord:
        """Return the record of a run that could not be judged for a reason that is not in its log, its page written."""
        ref = task.ref
        return self._paged(lost(Run(ref.id, ref.name, ref.source, ref.location), reason), task)

    def _paged(self, result: Result, task: Task) -> RunRecord:
        shown = suppress(result, self._job.settings, self._job.now)
        if not wants_page(shown, self._job.pages):
            return RunRecord(result, thumbnail(result), "", fits=fits(shown), course=course_of(result))
        key = page_mark(shown, task.making)
        picture, fault = write_page(self._job.folder, shown, self._guides, task.making, key)
        again = task.making if result.pairs else None
        return RunRecord(result, picture, key, fault, fits(shown), course_of(result), again)


def records_here(tasks: Sequence[Task], job: Job) -> Iterator[tuple[Task, str]]:
    """Yield each task with its record's text, judged in this process."""
    judge = RunJudge(job)
    for task in tasks:
        yield task, judge.text(task)
