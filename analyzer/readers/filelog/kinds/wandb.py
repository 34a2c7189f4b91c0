"""Weights & Biases' local folders: `run-<time>-<id>/run-<id>.wandb`, written for online and offline runs alike.

Most of a file is console text and statistics of the machine, which are skipped by their number. `_step` counts calls of
log(); the axis that the user defined (`define_metric`), or that Lightning and the Hugging Face Trainer log, is used
instead. Folders with one id are one run that was resumed. Without an exit record the run is going on or was killed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Note, Series
from analyzer.readers.display_names import shown_path
from analyzer.readers.filelog import config_files
from analyzer.readers.filelog.framing import MAGIC, records
from analyzer.readers.filelog.json_rows import numbers_of
from analyzer.readers.filelog.kind import Candidate, Content, Group, Kind, Listing, Reading
from analyzer.readers.filelog.protobuf import MalformedError, double, fields, zigzag
from analyzer.readers.filelog.rows import (
    Gathered,
    Table,
    chosen_axis,
    clock_of,
    counts,
    joined,
    restarts_each_epoch,
    shown_name,
    steps_at,
)
from analyzer.readers.sanitize import add_series

_FOLDER = re.compile(r"(?:offline-|dry)?run-(?P<time>\d{8}_\d{6})-(?P<id>.+)")
_CONFIG, _SUMMARY = "files/config.yaml", "files/wandb-summary.json"
_AXES = ("trainer/global_step", "train/global_step", "_step")
_OWN = frozenset({"_step", "_runtime", "_timestamp"})
_HISTORY, _CONFIGURED, _METRIC, _RUN, _EXIT = 2, 5, 12, 17, 18  # fields of Record
_NUMBER = re.compile(rb"-?(?:\d+(?:\.\d+)?(?:[eE][+\-]?\d+)?|Infinity)|NaN")
_PLAIN = re.compile(
    rb"\x0a(?P<size>[\0-\x7f])(?P<key>.{1,127}?)\x82\x01(?P<length>[\0-\x7f])(?P<json>.{1,127})", re.DOTALL
)
"""An item with a short key (field 1) and a short value (field 16), as nearly all are."""


@dataclass
class _Log:
    """What the records of one file say."""

    rows: Gathered = field(default_factory=Gathered)
    axes: list[tuple[str, str | int]] = field(default_factory=list)
    """Metrics, or beginnings of names in front of a `*`, with their axis: a name, or a place in this list from 1."""
    config: dict[str, object] = field(default_factory=dict)
    run: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None


class Wandb(Kind):
    """Records of W&B's client, from 0.12 to the newest."""

    name = "wandb"
    names = ("*.wandb",)
    certain = True
    leads = True

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the file begins as W&B's do."""
        return candidate.head.startswith(MAGIC)

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each id."""
        runs: dict[tuple[str, str], list[str]] = defaultdict(list)
        for candidate in listing.candidates(self):
            around, _, name = candidate.folder.rpartition("/")
            known = _FOLDER.fullmatch(name)
            runs[around if known else candidate.folder, known["id"] if known else candidate.name].append(candidate.path)
        for (_, run_id), paths in runs.items():
            paths.sort(key=lambda path: path.rpartition("/")[0].rpartition("/")[2].removeprefix("offline-"))
            folders = [path.rpartition("/")[0] for path in paths]
            sides = [f"{folder}/{side}" if folder else side for folder in folders for side in (_CONFIG, _SUMMARY)]
            reason = f"{len(paths)} folders with the id {run_id} are one run that was resumed" if len(paths) > 1 else ""
            yield Group(
                folders[0],
                tuple((path, "") for path in paths),
                tuple(filter(listing.has, sides)),
                nested=tuple(folders),
                reason=reason,
            )

    def read(self, reading: Reading) -> Content:
        """Return the history of all files, one behind the other, with settings, summary and status of the last."""
        content, parts = Content(), []
        for path, _ in reading.group.files:
            raw, shown = reading.raw(path), shown_path(path)
            if not raw:
                continue
            if not raw.startswith(MAGIC):
                content.notes.append(Note("unreadable", f"{shown}: does not begin as W&B's files do", shown))
                continue
            log = _log(raw, shown, content.notes)
            parts.append(_series(log, content.notes))
            content.params |= log.config
            content.tags |= log.run
            content.declared = {None: "RUNNING", 0: "FINISHED"}.get(log.exit_code, "FAILED")
        content.series = joined(parts)
        content.name = content.tags.get("display_name", "")
        _add_documents(reading, content)
        return content


def _add_documents(reading: Reading, content: Content) -> None:
    """Add the settings and the summary that W&B keeps in files of their own."""
    for path in reading.group.sides:
        document = reading.document(path)
        if path.endswith(_CONFIG):
            values = {
                key: one["value"] if isinstance(one, Mapping) and "value" in one else one
                for key, one in document.items()
                if key not in ("_wandb", "wandb_version")
            }
            content.params |= config_files.flat(values)
        else:
            summary = {key: value for key, value in numbers_of(document).items() if key not in content.series}
            content.tags |= {f"summary/{key}": str(value) for key, value in summary.items() if not key.startswith("_")}


def _log(raw: bytes, shown: str, notes: list[Note]) -> _Log:
    log, malformed = _Log(), 0
    for record in records(raw, shown, notes):
        try:
            for number, value in fields(record):
                if number in _TAKEN and isinstance(value, bytes):
                    _TAKEN[number](log, value)
        except MalformedError:
            malformed += 1
    if malformed:
        notes.append(Note("damage", f"{shown}: {malformed} record(s) could not be decoded and were left out", shown))
    return log


def _history(log: _Log, data: bytes) -> None:
    row: dict[str, float] = {}
    for number, value in fields(data):
        if number == 1 and isinstance(value, bytes):
            row |= _numbers(*_item(value))
        elif number == 2 and isinstance(value, bytes):
            for inner, step in fields(value):
                if inner == 1 and isinstance(step, int):
                    row.setdefault("_step", float(step))
    log.rows.add(row)


def _item(data: bytes) -> tuple[str, bytes | float | None]:
    """Return the key of an item and its value: JSON as bytes, or what newer versions keep in typed fields."""
    plain = _PLAIN.fullmatch(data)
    if plain and len(plain["key"]) == plain["size"][0] and len(plain["json"]) == plain["length"][0]:
        return _text(plain["key"]), plain["json"]
    key = ""
    nested: list[str] = []
    value: bytes | float | None = None
    for number, found in fields(data):
        if isinstance(found, bytes):
            if number == 1:
                key = _text(found)
            elif number == 2:
                nested.append(_text(found))
            elif number in (8, 16):
                value = found
            elif number == 6 and value is None:
                value = double(found)
        elif number == 5 and value is None:
            value = float(zigzag(found))
    return "/".join(nested) if nested else key, value


def _numbers(key: str, value: bytes | float | None) -> dict[str, float]:
    """Return the numbers of one item under their names; none for text, media and booleans."""
    if isinstance(value, float):
        return {key: value}
    if value is None:
        return {}
    if _NUMBER.fullmatch(value):
        return {key: float(value)}
    if value[:1] != b"{":
        return {}
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return numbers_of({key: found}) if isinstance(found, dict) and "_type" not in found else {}


def _configured(log: _Log, data: bytes) -> None:
    for number, value in fields(data):
        if number == 1 and isinstance(value, bytes):
            key, found = _item(value)
            if not isinstance(found, bytes) or key.partition("/")[0] == "_wandb":
                continue
            try:
                log.config |= config_files.flat({key.replace("/", "."): json.loads(found)})
            except (ValueError, RecursionError):
                continue


def _metric(log: _Log, data: bytes) -> None:
    name: str = ""
    axis: str | int = 0
    for number, value in fields(data):
        if number in (1, 2) and isinstance(value, bytes):
            name = _text(value)
        elif number == 4 and isinstance(value, bytes):
            axis = _text(value)
        elif number == 5 and isinstance(value, int):
            axis = axis or value
    log.axes.append((name, axis))


def _run(log: _Log, data: bytes) -> None:
    names = {3: "project", 6: "group", 7: "job_type", 8: "display_name"}
    for number, value in fields(data):
        if number == 4 and isinstance(value, bytes):
            _configured(log, value)
        elif number in names and isinstance(value, bytes) and value:
            log.run[names[number]] = _text(value)


def _exit(log: _Log, data: bytes) -> None:
    log.exit_code = next((value for number, value in fields(data) if number == 1 and isinstance(value, int)), 0)


_TAKEN = {_HISTORY: _history, _CONFIGURED: _configured, _METRIC: _metric, _RUN: _run, _EXIT: _exit}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _series(log: _Log, notes: list[Note]) -> dict[str, Series]:
    table = Table(log.rows.size, log.rows.columns())
    walls, _ = clock_of(table, ("_timestamp",))
    axes, own = _Axes(log, table.columns), defaultdict[str | None, list[str]](list)
    for name in table.columns:
        if name not in _OWN:
            own[axes.of(name)].append(name)
    common = chosen_axis(table, _AXES)
    epochs = {name: one for name, one in table.columns.items() if name.lower() in ("epoch", "epochs")}
    made: dict[str, Series] = {}
    for column, names in own.items():
        defined = None if column is None else _defined(column, Table(0, {column: table.columns[column], **epochs}))
        for name in names:
            one = table.columns[name]
            steps = common.steps[one.at] if defined is None else defined(one.at)
            made[name] = Series(shown_name(name), steps, one.values, walls[one.at])
    found: dict[str, Series] = {}
    for name in table.columns:
        if name in made:
            add_series(found, made[name], notes)
    return found


def _defined(column: str, table: Table) -> Callable[[NDArray[np.int64]], NDArray[np.int64]] | None:
    """Return what gives the steps of rows by a column that the user named; None where it does not count.

    Only the rows of each metric are asked for: a file may name an axis of its own for every metric.
    """
    if not counts(table.columns[column]):
        return None
    return (lambda rows: rows) if restarts_each_epoch(table, column) else partial(steps_at, table.columns[column])


class _Axes:
    """The axes that the user defined: of the definitions that fit a metric, the last one whose axis was logged counts.

    W&B takes a name as it is, or the beginning of names in front of a `*`. A look-up costs no more where a file holds
    more definitions of one metric.
    """

    def __init__(self, log: _Log, columns: Container[str]) -> None:
        self._whole: _Definitions = {}
        self._begins: _Definitions = {}
        names = [name for name, _ in log.axes]
        for place, (pattern, axis) in enumerate(log.axes):
            column = names[axis - 1] if isinstance(axis, int) and 0 < axis <= len(names) else axis
            if isinstance(column, str) and column in columns:
                known, key = (self._begins, pattern[:-1]) if pattern.endswith("*") else (self._whole, pattern)
                others = [one for one in known.get(key, ()) if one[1] != column]
                known[key] = ((place, column), *others[:1])  # no metric is its own axis: then the one before counts
        self._lengths = sorted(set(map(len, self._begins)))

    def of(self, name: str) -> str | None:
        """Return the column that is the axis of a metric; None where the user defined none."""
        fitting = [*self._whole.get(name, ())]
        for length in takewhile(lambda length: length <= len(name), self._lengths):
            fitting += self._begins.get(name[:length], ())
        return max((one for one in fitting if one[1] != name), default=(0, None))[1]


_Definitions = dict[str, tuple[tuple[int, str], ...]]
"""By name, or beginning of a name: where the last definition stands, and its axis; then the same of another axis."""


KIND = Wandb()
