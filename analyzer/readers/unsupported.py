"""Logs of kinds that are not read, recognised by name, so that a user learns what to do instead."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

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
    "it is empty, or its beginning has no rows of a training (a column that counts steps or epochs, a loss or a metric)"
)
FILES = dict.fromkeys(
    ("metrics.csv", "progress.csv", "results.csv", "measurements.csv", "metrics.jsonl", "metrics.json", "scalars.json"),
    _NO_ROWS,
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


def unread_kinds(folders: Iterable[Folder], read: Container[str] = frozenset()) -> tuple[Note, ...]:
    """Return one note for each kind of log that lies in the folders and is not read: the first place and the count.

    `read` are the paths of the files that are.
    """
    places: dict[str, list[str]] = {}
    for path, what in _found(tuple(folders), read):
        places.setdefault(what, []).append(path)
    return tuple(_note(what, paths) for what, paths in places.items())


def _found(folders: tuple[Folder, ...], read: Container[str]) -> Iterator[tuple[str, str]]:
    known = {folder.path for folder in folders if any(folder.inside(name) in read for name in folder.files)}
    for folder in folders:
        for name in folder.folders:
            inside = folder.inside(name)
            if name in FOLDERS and not any(path.startswith(f"{inside}/") for path in known):
                yield inside + "/", FOLDERS[name]
        for name in folder.files:
            if name in FILES and folder.inside(name) not in read and not _is_described(folder, known):
                yield folder.inside(name), FILES[name]
            elif name.endswith(_ENDINGS):
                yield folder.inside(name), next(text for end, text in ENDINGS.items() if name.endswith(end))


def _is_described(folder: Folder, known: set[str]) -> bool:
    """Whether a log is read in the folder or below it: what else lies there are its results."""
    return folder.path in known or any(path.startswith(f"{folder.path}/") for path in known if folder.path)


def _note(what: str, paths: list[str]) -> Note:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return Note("layout", f"{shown_path(paths[0])}{more} is not read: {what}", file=shown_path(paths[0]))
