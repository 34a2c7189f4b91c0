"""MLflow as one format: its file stores and databases in a folder, a database file, and `runs:/<id>`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import NoRunsError, SourceError
from analyzer.model.run import Note, Run
from analyzer.model.secrets import mask_text
from analyzer.readers.formats import Request
from analyzer.readers.mlflow import database, files
from analyzer.readers.naming import shown_path
from analyzer.readers.ref import RunRef, Update
from analyzer.readers.tree import Folder, Tree, walk

_SQLITE, _RUN = "sqlite:///", "runs:/"


@dataclass(frozen=True)
class LostDatabase(RunRef):
    """A database that could not be read, among others that could: it counts as one failed run."""

    problem: str

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return a run without series and the reason."""
        run = Run(self.id, self.name, self.source, self.location, notes=(Note("unreadable", self.problem),))
        return Update(run, {}, whole=True)


class Mlflow:
    """Finds runs of MLflow (analyzer.readers.formats.Format)."""

    name = files.NAME

    def in_tree(self, tree: Tree, request: Request) -> Iterable[RunRef]:
        """Return the runs of all file stores and sqlite databases in the tree."""
        refs = files.runs_in(tree, include_deleted=request.include_deleted)
        for folder in tree.folders:
            refs += _in_databases(tree, folder, request)
        return refs

    def in_file(self, path: Path, request: Request) -> Sequence[RunRef] | None:
        """Return the runs of a database file; None when it is not one of MLflow's."""
        if not database.is_database(path):
            return None
        return database.runs_in(path, include_deleted=request.include_deleted)

    def at_address(self, request: Request) -> Sequence[RunRef] | None:
        """Return the runs at `sqlite:///path`, or the one run `runs:/<id>` of the tracking address."""
        if request.source.startswith(_SQLITE):
            return _at_database(request.source, request)
        if request.source.startswith(_RUN):
            return _one_run(request)
        return None


def _in_databases(tree: Tree, folder: Folder, request: Request) -> Iterator[RunRef]:
    for name in folder.files:
        if not name.lower().endswith(database.ENDINGS):
            continue  # before a path is made of it: a folder may hold a hundred thousand files
        path = tree.root / folder.path / name
        if not database.is_database(path):
            continue
        inside = shown_path(folder.inside(name))
        try:
            yield from database.runs_in(path, include_deleted=request.include_deleted) or ()
        except SourceError as error:
            yield LostDatabase(inside, inside, files.NAME, shown_path(path), str(error))


def _at_database(address: str, request: Request) -> list[RunRef]:
    path = Path(address.removeprefix(_SQLITE))
    if not path.is_file():
        raise SourceError(f"{mask_text(address)}: there is no such database; give the path of an existing one")
    refs = database.runs_in(path, include_deleted=request.include_deleted) if database.is_database(path) else None
    if refs is None:
        raise SourceError(f"{mask_text(address)}: this is no MLflow database")
    return refs


def _one_run(request: Request) -> list[RunRef]:
    wanted = request.source.removeprefix(_RUN).strip("/").partition("/")[0]
    tracker = request.tracking_uri
    if not tracker:
        raise SourceError(f"{request.source}: say where it is tracked with --tracking-uri (a folder or sqlite:///…)")
    if tracker.startswith(_SQLITE):
        refs: Iterable[RunRef] = _at_database(tracker, request)
    elif _is_folder(tracker.removeprefix("file://")):
        tree = walk(Path(tracker.removeprefix("file://")))
        refs = Mlflow().in_tree(tree, request)
    else:
        raise SourceError(f"{mask_text(tracker)}: tracking addresses of this kind are not read")
    found = [ref for ref in refs if ref.id == wanted]
    if not found:
        raise NoRunsError(f"{mask_text(tracker)}: no run has the id {wanted}")
    return found


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False
