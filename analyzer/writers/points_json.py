"""Every point of every series as one JSON object, written as it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from analyzer.errors import PosthocError
from analyzer.model.formatting import counted
from analyzer.model.redaction import mask_text
from analyzer.model.result import json_number
from analyzer.model.run import Note, Run


def write_points(runs: Callable[[], Iterable[Run]], file: TextIO) -> bool:
    """Write `{"points": [[tag, step, value, run], …], "problems": […]}`; return whether anything could be read.

    A problem is whatever a reader left out: all that its notes say but how files were put together. The object is whole
    even when the source fails, or fails half way: the failure is then its last problem.
    """
    problems: list[str] = []
    read = False
    file.write('{"points": [')
    first = True
    for run in _until_a_failure(runs, problems):
        problems += [problem(run, note) for note in run.notes if note.kind != "layout"]
        read = read or run.could_be_read
        for tag, series in run.series.items():
            key, name = _json(tag), _json(run.id)
            for step, value in zip(series.steps.tolist(), series.values.tolist(), strict=True):
                file.write(f"{'' if first else ','}\n[{key}, {step}, {_json(json_number(value))}, {name}]")
                first = False
    file.write(f'],\n"problems": {_json(problems)}}}\n')
    return read


def _until_a_failure(runs: Callable[[], Iterable[Run]], problems: list[str]) -> Iterator[Run]:
    """Yield the runs; what stops them is a problem, be it of the source or a fault of a reader."""
    try:
        waiting = iter(runs())
    except PosthocError as error:
        problems.append(mask_text(str(error)))
        return
    while True:
        try:
            run = next(waiting, None)
        except PosthocError as error:
            problems.append(mask_text(str(error)))
            return
        except Exception as error:  # the object must be whole whatever a reader does
            fault = mask_text(f"{type(error).__name__}: {error}".splitlines()[0])[:300]
            problems.append(f"reading stopped here ({fault}); this run and those after it are missing")
            return
        if run is None:
            return
        yield run


def problem(run: Run, note: Note) -> str:
    """Return a note as one sentence with run, file, offset and bytes."""
    where = ", ".join(
        part
        for part in (
            note.file if note.file and note.file not in note.message else "",
            f"offset {note.offset}" if note.offset is not None else "",
            counted(note.size, "byte") if note.size is not None else "",
        )
        if part and part not in note.message
    )
    name = "" if note.message.startswith(f"{run.id}: ") else f"{run.id}: "
    return f"{name}{note.message}" + (f" ({where})" if where else "")


def _json(value: object) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate becomes its JSON escape
