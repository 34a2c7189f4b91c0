"""MLflow's file store: which folders are runs, and how one is read.

A folder is a run when it holds `metrics/` beside `params/`, `tags/` or a meta.yaml, or when its meta.yaml has its own
name as a run's id (git keeps no empty folders); stores lie under any name and inside each other. `models/m-*/` (logged
models, since MLflow 3) have metrics and are no runs, `artifacts/` is never looked into, and what lies in `.trash` or is
marked as deleted is left out unless it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.model.formatting import counted
from analyzer.model.redaction import mask_text
from analyzer.model.run import Note, Run, Series
from analyzer.readers.display_names import shown_path
from analyzer.readers.folder_walk import Folder, Tree
from analyzer.readers.formats import Choice
from analyzer.readers.holes import end_of_data
from analyzer.readers.mlflow.meta import datasets_of, is_deleted, read_meta, status_of
from analyzer.readers.mlflow.metric_history import MOST_BYTES, parse_history
from analyzer.readers.mlflow.models import Owned, by_model, repeated
from analyzer.readers.mlflow.points import series_of
from analyzer.readers.mlflow.run_metadata import NAME, OWN_TAGS, TrackedRun
from analyzer.readers.run_ref import Update, VerdictPayload
from analyzer.readers.sanitize import add_series

META = "meta.yaml"
MOST_FILES = 100_000
MOST_NAMED = 3  # links in a note
DEPENDED_ON = ("metrics", "params", "tags", "inputs")  # folders of a run that its result depends on
MOST_TEXT = 1 << 16  # MLflow's own limits for params and tags are 6,000 and 8,000 characters


@dataclass(frozen=True)
class FileRun(TrackedRun):
    """A run in a file store: `folder` is its place, `shown` the same relative to the source."""

    folder: str
    shown: str

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run with its metrics, params, tags and status; always all of it."""
        return Update(self._run(), {}, whole=True)

    def _run(self) -> Run:
        place = Path(self.folder)
        notes: list[Note] = []
        meta, problem = read_meta(place / META)
        if problem:
            notes.append(
                Note(
                    "metadata", f"{self._inside(META)}: {problem}; the metrics are read without it", self._inside(META)
                )
            )
        series = self._series(place / "metrics", notes)
        shared = repeated(series)
        if shared:
            series = by_model(series, self._owned(place.parent / "models", shared))
        params, tags = dict(self._texts(place / "params", notes)), dict(self._texts(place / "tags", notes))
        datasets = datasets_of(place, notes)
        return self.run_of(series, params, tags, notes, declared=status_of(meta), datasets=datasets)

    def write_back(self, word: VerdictPayload) -> str | None:
        """Write the verdict as files of tags and the page among the run's artifacts."""
        from analyzer.readers.mlflow.write_back import into_folder  # noqa: PLC0415 - only when asked for

        meta = read_meta(Path(self.folder) / META)[0]
        return into_folder(Path(self.folder), str(meta.get("artifact_uri") or ""), word)

    def stamp(self) -> str | None:
        """Return sizes and times of every file that the result depends on as one text; None when one is not there.

        These are the run's metrics, params, tags and inputs, its meta.yaml, and that of its experiment for the name.
        """
        place, marks = Path(self.folder), []
        around = place.parent / META
        try:
            files = [one for name in DEPENDED_ON for one in _files_below(place / name)]
            below = [path for path, name in files if not name.startswith(OWN_TAGS)]  # a verdict changes no result
            for path in (place / META, *([around] if around.is_file() else []), *below):
                found = path.stat()
                marks.append(f"{path.name}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}")
        except OSError:
            return None
        return "|".join(marks)

    def _inside(self, name: str) -> str:
        return f"{self.shown}/{name}" if self.shown else name

    def _series(self, place: Path, notes: list[Note]) -> dict[str, Series]:
        series: dict[str, Series] = {}
        for path, name in _files_below(place, notes):
            file = self._inside(f"metrics/{name}")
            try:
                raw, hole = _written(path)
                if raw is None:
                    notes.append(Note("limit", f"{file}: larger than 1 GiB, left out", file))
                    continue
                history = parse_history(raw, file)
                if hole:
                    text = f"{file}: its last {hole:,} bytes were never written (a hole in a sparse file)"
                    notes.append(Note("damage", text, file, len(raw), hole))
            except OSError as error:
                text = f"{file}: could not be read ({error.strerror or error}); check who may read it"
                notes.append(Note("unreadable", text, file))
                continue
            notes.extend(history.notes)
            if history.steps.size:
                add_series(series, series_of(name, history.stamps, history.values, history.steps), notes)
        return series

    def _owned(self, place: Path, names: list[str]) -> Iterator[Owned]:
        """Yield the points of these metrics that the experiment's logged models have of this run.

        A line there has the run's id behind the step. A file that cannot be read claims nothing.
        """
        for model in _models_in(place):
            title = str(read_meta(model / META)[0].get("name") or "")
            for name in names:
                try:
                    raw = (model / "metrics" / name).read_bytes()
                except OSError:
                    continue
                own = b"".join(
                    line for line in raw.splitlines(keepends=True) if line.split()[3:4] == [self.key.encode()]
                )
                history = parse_history(own, name)
                points = zip(history.stamps.tolist(), history.steps.tolist(), history.values.tolist(), strict=True)
                yield from (Owned(name, model.name, title, stamp, step, value) for stamp, step, value in points)

    def _texts(self, place: Path, notes: list[Note]) -> Iterator[tuple[str, str]]:
        for path, name in _files_below(place, notes):
            try:
                with path.open("rb") as file:
                    raw = file.read(MOST_TEXT + 1)
            except OSError as error:
                text = f"{self._inside(f'{place.name}/{name}')}: could not be read ({error.strerror or error})"
                notes.append(Note("metadata", text))
                continue
            yield name, raw[:MOST_TEXT].decode("utf-8", "replace") + "…" * (len(raw) > MOST_TEXT)


def _written(path: Path) -> tuple[bytes | None, int]:
    """Return a file up to a hole at its end, None when that is too long, and the bytes of the hole."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = end_of_data(file.fileno(), size)
        return (None, 0) if end > MOST_BYTES else (file.read(end), size - end)


def _models_in(place: Path) -> list[Path]:
    """Return the folders of an experiment's logged models, sorted; none where there are none."""
    try:
        with os.scandir(place) as scan:
            found = sorted(one.path for one in scan if one.name.startswith("m-") and one.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [Path(path) for path in found[:MOST_FILES]]


def _files_below(place: Path, notes: list[Note] | None = None) -> list[tuple[Path, str]]:
    """Return the regular files below a folder with their names (folders joined by `/`); links are not followed.

    At most MOST_FILES, by name, those of losses first; a note says how many were left out.
    """
    found: list[tuple[str, str]] = []
    waiting = [(os.fspath(place), "")]
    while waiting:
        folder, inner = waiting.pop()
        try:
            with os.scandir(folder) as scan:
                entries = list(scan)
        except OSError as error:
            if notes is not None and place.is_dir():
                text = f"{place.name}/{shown_path(inner)}: could not be listed ({error.strerror or error})"
                notes.append(Note("unreadable", text))
            continue
        found += [(entry.path, inner + entry.name) for entry in entries if entry.is_file(follow_symlinks=False)]
        below = (entry for entry in entries if entry.is_dir(follow_symlinks=False))
        waiting += [(entry.path, f"{inner}{entry.name}/") for entry in below]
        others = [e for e in entries if not e.is_file(follow_symlinks=False) and not e.is_dir(follow_symlinks=False)]
        if others and notes is not None:
            which = ", ".join(shown_path(inner + e.name) for e in others[:MOST_NAMED])
            text = f"{place.name}: {counted(len(others), 'link or device', 'links or devices')} not read ({which})"
            notes.append(Note("unreadable", text))
    found.sort(key=lambda one: one[1])
    if len(found) > MOST_FILES:
        found.sort(key=lambda one: "loss" not in one[1].lower())  # stable: by name among those
        if notes is not None:
            lost = f"{place.name}: {len(found):,} files; {len(found) - MOST_FILES:,} of them were left out"
            notes.append(Note("limit", lost))
    return [(Path(path), shown_path(name)) for path, name in found[:MOST_FILES]]


def runs_in(tree: Tree, choice: Choice) -> list[FileRun]:
    """Return references to the runs of every file store in the tree."""
    experiments: dict[str, Mapping[str, Any]] = {}
    refs: list[FileRun] = []
    for folder in tree.folders:
        if _below_other(folder.path) or not (_is_run(folder) or _is_bare_run(tree, folder)):
            continue
        parent = folder.path.rpartition("/")[0]
        around = parent if folder.path else ".."
        if around not in experiments:
            experiments[around] = _experiment(tree, around)
        experiment, own = experiments[around], _meta(tree, folder.path)
        gone = is_deleted(own) or (folder.path and is_deleted(experiment)) or ".trash" in folder.path.split("/")
        if choice.deleted or not gone:
            refs.append(_ref(tree, folder, own, experiment))
    return refs


def _is_run(folder: Folder) -> bool:
    inside = set(folder.folders)
    return "metrics" in inside and (META in folder.files or bool(inside & {"params", "tags"}))


def _is_bare_run(tree: Tree, folder: Folder) -> bool:
    """Whether a folder without metrics is a run: a version of a model, too, has a meta.yaml with the id of one."""
    if META not in folder.files or not {"params", "tags", "artifacts"} & set(folder.folders):
        return False
    meta = _meta(tree, folder.path)
    own = folder.path.rpartition("/")[2] or tree.name
    return own in (meta.get("run_id"), meta.get("run_uuid"))


def _below_other(path: str) -> bool:
    """Whether a folder lies in artifacts, or is a logged model (`models/m-…`) or a trace."""
    parts = path.split("/")
    model = len(parts) > 1 and parts[-2] == "models" and parts[-1].startswith("m-")
    return model or "artifacts" in parts[:-1]


def _tag(path: Path) -> str:
    try:
        return path.read_bytes()[:MOST_TEXT].decode("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""


def _meta(tree: Tree, path: str) -> Mapping[str, Any]:
    return read_meta(tree.root / path / META)[0]


def _experiment(tree: Tree, around: str) -> Mapping[str, Any]:
    """Return the meta.yaml of the folder around a run's, which may be the one around the source."""
    meta = read_meta((tree.root.resolve().parent if around == ".." else tree.root / around) / META)[0]
    return meta if "run_id" not in meta and "run_uuid" not in meta else {}


def _ref(tree: Tree, folder: Folder, meta: Mapping[str, Any], experiment: Mapping[str, Any]) -> FileRun:
    run_id = shown_path(folder.path.rpartition("/")[2] or tree.name)
    place = tree.root / folder.path
    name = str(meta.get("run_name") or meta.get("name") or "") or _tag(place / "tags" / "mlflow.runName") or run_id
    return FileRun(
        run_id,
        mask_text(name),
        NAME,
        shown_path(place),
        run_id,
        os.fspath(place),
        shown_path(folder.path),
        experiment=str(experiment.get("name") or ""),
        experiment_id=str(experiment.get("experiment_id") or shown_path(place.resolve().parent.name)),
    )
