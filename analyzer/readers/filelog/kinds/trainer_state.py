"""Hugging Face's `trainer_state.json`: the history of a Trainer, repeated in every checkpoint.

Each `checkpoint-N` holds the beginning of the same history: the longest is read. A checkpoint whose history is no
beginning of it is another training, left in the folder.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.model.run import Note
from analyzer.readers.display_names import shown_path
from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.json_rows import numbers_of, table_of
from analyzer.readers.filelog.kind import Candidate, Content, Group, Kind, Listing, Reading
from analyzer.readers.filelog.rows import chosen_axis, clock_of, series_of

_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_HISTORY = re.compile(r'"log_history"\s*:\s*\[')
_SUMMARY = "train_runtime"
"""Stands in the row that closes a training, whose `train_loss` is the mean of all steps."""
_DECLARED = ("max_steps", "num_train_epochs", "train_batch_size", "logging_steps", "eval_steps", "save_steps")
_EVENT_FOLDERS = ("runs", "logs", "log", "logging", "tensorboard", "tb", "tb_logs")
"""Siblings of a Trainer's output folder that scripts give it for its event files (`logging_dir`)."""
_MOST_FAILED = 10_000  # braces of a damaged file at which no whole object begins
_DECODER = json.JSONDecoder()
Row = Mapping[str, Any]


class TrainerState(Kind):
    """States of a Trainer, or a list of its rows (`log_history.json`)."""

    name = "trainer-state"
    names = ("trainer_state.json", "log_history.json")
    certain = True
    equal_twins = True

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the file is an object with a history."""
        return candidate.text.lstrip().startswith("{") and _HISTORY.search(candidate.text) is not None

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each history below a folder, leaving out those that another one begins with."""
        families: dict[str, list[str]] = defaultdict(list)
        for candidate in listing.candidates(self):
            around, _, name = candidate.folder.rpartition("/")
            families[around if _CHECKPOINT.fullmatch(name) else candidate.folder].append(candidate.path)
        for home, paths in families.items():
            for number, run in enumerate(_runs_of(home, sorted(paths), listing)):
                yield _group(home if not number else run[0].rpartition("/")[0], run)

    def read(self, reading: Reading) -> Content:
        """Return the rows of the longest history, and the plan."""
        path, _ = reading.group.files[0]
        shown, raw = shown_path(path), reading.raw(path)
        if raw is None:
            return Content()
        state, history, problem = _parsed(raw)
        content = Content(params={key: state[key] for key in _DECLARED if state.get(key) is not None})
        if problem:
            content.notes.append(Note("damage", f"{shown}: {problem}", shown))
        rows = [row for row in history if _SUMMARY not in row]
        closing = [row for row in history if _SUMMARY in row]
        for row in closing:
            content.tags |= {key: str(value) for key, value in numbers_of(row).items() if key.startswith("train_")}
        if closing:
            text = f"{shown}: {len(closing)} closing row(s) with means of the whole training were left out"
            content.notes.append(Note("layout", text, shown))
        table = table_of(rows, content.notes)
        axis = chosen_axis(table, ("step", "epoch"))
        content.series = series_of(table, axis, clock_of(table)[0])
        return content


def _runs_of(home: str, paths: list[str], listing: Listing) -> list[list[str]]:
    """Return _runs(), which needs no look at files that are the same as before."""
    if len(paths) == 1:
        return [paths]
    text = listing.remember(f"histories below {home}", paths, lambda: json.dumps(_runs(paths, listing)))
    found: list[list[str]] = json.loads(text)
    return found


def _runs(paths: list[str], listing: Listing) -> list[list[str]]:
    """Return the files of each history, that with all of it first; the longest history comes first."""
    histories = {path: _history(path, listing) for path in paths}
    longest_first = sorted(paths, key=lambda path: (-len(histories[path].rows), len(path), path))
    runs: list[list[str]] = []
    for path in longest_first:
        family = next((run for run in runs if histories[path].begins(histories[run[0]])), None)
        if family is None:
            runs.append([path])
        else:
            family.append(path)
    return runs


@dataclass(frozen=True)
class _History:
    """The rows of a file as text, and whether some of them may be missing."""

    rows: list[str]
    damaged: bool

    def begins(self, whole: _History) -> bool:
        """Whether another history begins with this one; where rows may be missing, whether it has most of them."""
        if self.damaged or whole.damaged:
            common = len(set(whole.rows).intersection(self.rows))
            return 2 * common > len(self.rows) or not self.rows
        return self.rows == whole.rows[: len(self.rows)]


def _history(path: str, listing: Listing) -> _History:
    try:
        _, rows, problem = _parsed(listing.place.read(path).data)
    except OSError:
        return _History([], damaged=True)
    return _History(_rows(rows), bool(problem))


def _rows(history: list[Row]) -> list[str]:
    return [json.dumps(row, sort_keys=True) for row in history if _SUMMARY not in row]


def _group(home: str, paths: list[str]) -> Group:
    """Return the run of a history; `paths` begin with the file that has all of it."""
    around = home.rpartition("/")[0]
    beside = tuple(f"{around}/{name}" if around else name for name in _EVENT_FOLDERS) if home else ()
    return Group(home, ((paths[0], ""),), twins=tuple(paths[1:]), around=(home, *beside))


def _parsed(raw: bytes) -> tuple[Row, list[Row], str]:
    """Return the state, its rows, and what is wrong with it; of a file that was cut, the rows in front of the cut."""
    text = text_of(raw)
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not text.strip():
            return {}, [], ""
        rows = _intact(text)
        where = f"at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "nested too deep"
        return {}, rows, f"the file is cut or damaged ({where}); the {len(rows)} rows that are whole are read"
    if isinstance(state, list):
        state = {"log_history": state}
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list):
        return {}, [], "it holds no log_history"
    rows = [row for row in history if isinstance(row, dict)]
    lost = len(history) - len(rows)
    return state, rows, f"{lost} rows of log_history are not objects" if lost else ""


def _intact(text: str) -> list[Row]:
    """Return the rows of a history that is cut or damaged: every object that is whole and counts steps or epochs."""
    begin = _HISTORY.search(text)
    rows: list[Row] = []
    failed = 0
    at = text.find("{", begin.end()) if begin else -1
    while at >= 0 and failed < _MOST_FAILED:
        try:
            row, end = _DECODER.raw_decode(text, at)
        except ValueError:
            end = at + 1
            failed += 1
        except RecursionError:  # braces without end: what goes on in the next line may be whole
            end = max(at, text.find("\n", at)) + 1
            failed += 1
        else:
            if "step" in row or "epoch" in row:
                rows.append(row)
        at = text.find("{", end)
    return rows


KIND = TrainerState()
