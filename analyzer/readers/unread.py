"""Logs of kinds that are not read, recognised by name, so that a user learns what to do instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.model.run import Note
from analyzer.readers.naming import shown_path
from analyzer.readers.tree import Folder

EXPORT = "log to TensorBoard or MLflow besides, or convert it"

FOLDERS = {
    "wandb": "a Weights & Biases folder; start the run with wandb.init(sync_tensorboard=True) or " + EXPORT,
    ".aim": "an Aim repository; " + EXPORT,
    ".neptune": "a Neptune folder; " + EXPORT,
    ".guild": "a Guild folder; give the runs inside it (.guild/runs) as source",
}

FILES = {
    "metrics.csv": "a CSV log (Lightning's CSVLogger); use TensorBoardLogger, or " + EXPORT,
    "progress.csv": "a CSV log (Stable-Baselines or RLlib); add the tensorboard output format, or " + EXPORT,
    "results.csv": "a CSV log (Ultralytics); switch on its TensorBoard or MLflow callback, or " + EXPORT,
    "measurements.csv": "a CSV log; " + EXPORT,
    "trainer_state.json": "a Hugging Face Trainer state; train with report_to='tensorboard' and give that folder",
    "log_history.json": "a Hugging Face Trainer history; train with report_to='tensorboard' and give that folder",
    "metrics.jsonl": "a JSON-lines log; " + EXPORT,
    "metrics.json": "a JSON log (Detectron2 writes event files beside it); " + EXPORT,
}

ENDINGS = {
    ".tfevents.gz": "a packed event file; unpack it first (gunzip)",
    ".zip": "a packed archive; unpack it first",
    ".tar.gz": "a packed archive; unpack it first",
    ".tgz": "a packed archive; unpack it first",
    ".tar": "a packed archive; unpack it first",
    ".wandb": "a Weights & Biases run; " + EXPORT,
}

_ENDINGS = tuple(ENDINGS)


def unread_kinds(folders: Iterable[Folder]) -> tuple[Note, ...]:
    """Return one note for each kind of log that lies in the folders and is not read: the first place and the count."""
    places: dict[str, list[str]] = {}
    for path, what in _found(folders):
        places.setdefault(what, []).append(path)
    return tuple(_note(what, paths) for what, paths in places.items())


def _found(folders: Iterable[Folder]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for name in folder.folders:
            if name in FOLDERS:
                yield folder.inside(name) + "/", FOLDERS[name]
        for name in folder.files:
            if name in FILES:
                yield folder.inside(name), FILES[name]
            elif name.endswith(_ENDINGS):
                yield folder.inside(name), next(text for end, text in ENDINGS.items() if name.endswith(end))


def _note(what: str, paths: list[str]) -> Note:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return Note("layout", f"{shown_path(paths[0])}{more} is not read: {what}", file=shown_path(paths[0]))
