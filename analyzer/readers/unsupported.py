"""Logs of kinds that are not read, recognised by name, so that a user learns what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from analyzer.model.run import Note
from analyzer.readers.display_names import shown_path
from analyzer.readers.folder_walk import Folder

EXPORT = "log to TensorBoard or MLflow besides, or convert it"

FOLDERS = {
    "wandb": "a Weights & Biases folder without records (run-<id>.wandb); fetch the run's files, or " + EXPORT,
    ".aim": "an Aim repository; " + EXPORT,
    ".neptune": "a Neptune folder; " + EXPORT,
    ".guild": "a Guild folder; give the runs inside it (.guild/runs) as source",
}

_NO_ROWS = (
    "it is empty, or its beginning has no rows of a training (a header with a column that counts steps or epochs, a "
    "loss or a metric)"
)
FILES = frozenset(
    {"metrics.csv", "progress.csv", "results.csv", "measurements.csv", "metrics.jsonl", "metrics.json", "scalars.json"}
)
"""Names of logs that are read when their content is a log's."""

ENDINGS = {
    ".tfevents.gz": "a packed event file; unpack it first (gunzip)",
    ".zip": "a packed archive; unpack it first",
    ".tar.gz": "a packed archive; unpack it first",
    ".tgz": "a packed archive; unpack it first",
    ".tar": "a packed archive; unpack it first",
}

_ENDINGS = tuple(ENDINGS)


def unread_kinds(
    folders: Iterable[Folder],
    read: Container[str] = frozenset(),
    *,
    has_rows: Callable[[str], bool] = lambda path: False,
    tables: bool = True,
) -> tuple[Note, ...]:
    """Return one note for each kind of log that lies in the folders and is not read: the first place and the count.

    `read` are the paths of the files that are. `has_rows` says of a file of any other name whether it has the rows of
    a table; `tables` False: tables were not asked for.
    """
    places: dict[str, list[str]] = {}
    for path, what in _found(tuple(folders), read, has_rows, tables=tables):
        places.setdefault(what, []).append(path)
    return tuple(_note(what, paths) for what, paths in places.items())


def _found(
    folders: tuple[Folder, ...], read: Container[str], has_rows: Callable[[str], bool], *, tables: bool
) -> Iterator[tuple[str, str]]:
    known = {folder.path for folder in folders if any(folder.inside(name) in read for name in folder.files)}
    described = known.union(*map(_around, known))  # what else lies where logs are read are their results
    for folder in folders:
        for name in folder.folders:
            inside = folder.inside(name)
            if name in FOLDERS and inside not in described:
                yield inside + "/", FOLDERS[name]
        for name in folder.files:
            path = folder.inside(name)
            if name.endswith(_ENDINGS):
                yield path, next(text for end, text in ENDINGS.items() if name.endswith(end))
            elif tables and path not in read and folder.path not in described and (name in FILES or has_rows(path)):
                yield path, _NO_ROWS


def _around(path: str) -> Iterator[str]:
    """Yield the folders around a folder; the source itself holds all, and is none of them."""
    while path := path.rpartition("/")[0]:
        yield path


def _note(what: str, paths: list[str]) -> Note:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return Note("layout", f"{shown_path(paths[0])}{more} is not read: {what}", file=shown_path(paths[0]))
