"""One run from its log to its row and its page: the same in this process and in any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.auditing.crash_report import lost
from analyzer.auditing.judging import judge_plainly, read, suppress
from analyzer.auditing.provenance import guides
from analyzer.auditing.record import Pages, RunRecord, page_key, wants_page
from analyzer.model.guide import Guide
from analyzer.model.result import Result
from analyzer.model.run import Run
from analyzer.readers import RunRef
from analyzer.settings import Settings
from analyzer.writers.index_row import thumbnail
from analyzer.writers.page import Provenance
from analyzer.writers.related_runs import course_of
from analyzer.writers.site import write_page
from analyzer.writers.truncation import fits


@dataclass(frozen=True, slots=True)
class Job:
    """What all runs of a night have in common. `now` is in Unix seconds, `folder` the site that takes the pages."""

    settings: Settings
    now: float
    folder: Path
    pages: Pages = "all"

    def sendable(self) -> Job:
        """Return the same without views of tables, which cannot be sent to another process."""
        tables = {"roles": dict(self.settings.roles), "limits": dict(self.settings.limits)}
        return replace(self, settings=replace(self.settings, **tables))  # type: ignore[arg-type]  # a field by name


@dataclass(frozen=True, slots=True)
class Task:
    """One run to judge: its place in the night, where it lies, how its page is made again."""

    number: int
    ref: RunRef
    making: Provenance


class RunJudge:
    """Where runs are judged one after the other; what all have in common is worked out once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._guides: Mapping[str, Guide] = guides()

    def row(self, task: Task) -> RunRecord:
        """Read and judge the run, write its page, return its row. OutputError when the page cannot be written."""
        job = self._job
        return self._paged(judge_plainly(read(task.ref), job.settings, job.now), task)

    def lost(self, task: Task, reason: str) -> RunRecord:
        """Return the row of a run that could not be judged for a reason that is not in its log, its page written."""
        ref = task.ref
        return self._paged(lost(Run(ref.id, ref.name, ref.source, ref.location), reason), task)

    def _paged(self, result: Result, task: Task) -> RunRecord:
        told = suppress(result, self._job.settings, self._job.now)
        if not wants_page(told, self._job.pages):
            return RunRecord(result.without_curves(), thumbnail(result), "", fits=fits(told), course=course_of(result))
        picture, fault = write_page(self._job.folder, told, self._guides, task.making)
        key = page_key(told, task.making)
        again = task.making if result.pairs else None
        return RunRecord(result.without_curves(), picture, key, fault, fits(told), course_of(result), again)


def rows_here(tasks: Sequence[Task], job: Job) -> Iterator[tuple[Task, str]]:
    """Yield each task with its row's text, judged in this process."""
    bench = RunJudge(job)
    for task in tasks:
        yield task, bench.row(task).text()
