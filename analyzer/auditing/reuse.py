"""Which runs need not be judged again: those whose log, code and settings are the ones that the state knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analyzer.auditing.judge_one import Job, Task
from analyzer.auditing.judging import suppress
from analyzer.auditing.record import page_key, wants_page
from analyzer.auditing.record_store import RecordStore
from analyzer.auditing.state import State
from analyzer.model.result import Result
from analyzer.writers.site import Site


def reuse_unchanged(
    tasks: Sequence[Task], records: RecordStore, state: State, *, site: Site, job: Job, key: str
) -> list[Task]:
    """Put the records of unchanged runs into `records` and return the tasks that are left, each with its token.

    `key` is that of the code and settings that judge. Where a page alone is missing, or other code drew it, the task
    is left with `stored` set: its page is drawn from the stored result, without reading the log.
    """
    left = []
    for task in tasks:
        current = replace(task, token=task.ref.stamp())
        record, text = (None, "") if current.token is None else state.record(task.ref.id, current.token, key)
        if record is None or not _is_final(record.result):
            left.append(current)
            continue
        shown = suppress(record.result, job.settings, job.now)
        if not wants_page(shown, job.pages):
            records.put(task.number, replace(record, page="").text())
        elif record.page.startswith(page_key(shown, task.making)) and site.has_page(record.result.run, record.page):
            records.put(task.number, text)
        else:
            left.append(replace(current, stored=key))
    return left


def _is_final(result: Result) -> bool:
    """Whether a result holds as long as its log does not change.

    That of a run still going depends on the time, that of a run that could not be read on what stood in the way.
    """
    going_on = result.status in {"in-progress", "failed"}
    return not going_on and not any(note.kind == "unreadable" for note in result.notes)
