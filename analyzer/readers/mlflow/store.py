"""MLflow as one format: what lies in a folder, databases and tracking servers at an address, `runs:/<id>`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from analyzer.errors import NoRunsError, SourceError, UsageError
from analyzer.model.redaction import mask_text
from analyzer.readers.display_names import shown_path
from analyzer.readers.folder_walk import Folder, Tree, walk
from analyzer.readers.formats import Request
from analyzer.readers.mlflow import file_store
from analyzer.readers.mlflow.address import split_address
from analyzer.readers.mlflow.run_metadata import NAME, LostRuns, TrackedRun, of_experiments
from analyzer.readers.object_store import Bucket
from analyzer.readers.run_ref import RunRef

_SQLITE, _RUN = "sqlite:///", "runs:/"
_SERVERS = ("http://", "https://")
_DATABASES = ("postgresql", "postgres", "mysql")
_TRACKING_URI = "MLFLOW_TRACKING_URI"
_ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
"""Of databases in a folder."""


class Mlflow:
    """Finds runs of MLflow (analyzer.readers.formats.Format)."""

    name = NAME
    has_experiments = True

    def in_tree(self, tree: Tree, request: Request) -> Iterable[RunRef]:
        """Return the runs of all file stores and sqlite databases in the tree."""
        refs: list[TrackedRun] = [*file_store.runs_in(tree, request.choice)]
        for folder in tree.folders:
            refs += _in_databases(tree, folder, request)
        return of_experiments(refs, request.choice, shown_path(tree.root))

    def in_file(self, path: Path, request: Request) -> Sequence[RunRef] | None:
        """Return the runs of a database file; None when it is not one of MLflow's."""
        from analyzer.readers.mlflow import database  # noqa: PLC0415 - sqlite is imported where there is a database

        refs = database.runs_in(path, request.choice) if database.is_database(path) else None
        return None if refs is None else of_experiments(refs, request.choice, shown_path(path))

    def in_bucket(self, bucket: Bucket, request: Request) -> Iterable[RunRef]:
        """MLflow keeps no runs in object storage, only artifacts; copies of stores are named and not read."""
        return ()

    def at_address(self, request: Request) -> Sequence[RunRef] | None:
        """Return the runs of a tracking address, or the one run `runs:/<id>` there."""
        if not request.source.startswith(_RUN):
            return _at(request.source, request)
        wanted = request.source.removeprefix(_RUN).strip("/").partition("/")[0]
        if request.choice.filter is not None:
            raise UsageError(f"{request.source}: --filter chooses among runs, and this is one; leave it out")
        tracker = request.tracking_uri or os.environ.get(_TRACKING_URI)
        if not tracker:
            how = f"with --tracking-uri (a folder, sqlite:///…, postgresql://…, https://…) or {_TRACKING_URI}"
            raise SourceError(f"{request.source}: say where it is tracked {how}")
        return _one_run(tracker, wanted, request)


def _at(address: str, request: Request) -> Sequence[TrackedRun] | None:
    """Return the runs at an address; None when it is none of MLflow's."""
    if address.startswith(_SERVERS):
        from analyzer.readers.mlflow import server  # noqa: PLC0415 - only servers need it

        return server.runs_at(address, request.choice)
    scheme = address.partition("://")[0].partition("+")[0]
    if scheme != "sqlite" and scheme not in _DATABASES:
        return None
    if request.choice.filter is not None:
        raise UsageError(f"{mask_text(address)}: --filter is put to a tracking server and to nothing else")
    if scheme in _DATABASES:
        from analyzer.readers.mlflow import sql  # noqa: PLC0415 - needs the extra, and only here

        refs: Sequence[TrackedRun] = sql.runs_at(address, request.choice)
    else:
        refs = _at_sqlite(address, request)
    return of_experiments(refs, request.choice, mask_text(address))


def _at_sqlite(address: str, request: Request) -> Sequence[TrackedRun]:
    from analyzer.readers.mlflow import database  # noqa: PLC0415 - sqlite is imported where there is a database

    path = Path(address.removeprefix(_SQLITE))
    if not address.startswith(_SQLITE) or not path.is_file():
        raise SourceError(f"{mask_text(address)}: there is no such database; give the path of an existing one")
    refs = database.runs_in(path, request.choice) if database.is_database(path) else None
    if refs is None:
        raise SourceError(f"{mask_text(address)}: this is not an MLflow database")
    return refs


def _in_databases(tree: Tree, folder: Folder, request: Request) -> Iterator[TrackedRun]:
    for name in folder.files:
        if not name.lower().endswith(_ENDINGS):
            continue  # before a path is made of it: a folder may hold a hundred thousand files
        from analyzer.readers.mlflow import database  # noqa: PLC0415 - sqlite is imported where there is a database

        path = tree.root / folder.path / name
        if not database.is_database(path):
            continue
        inside = shown_path(folder.inside(name))
        try:
            yield from database.runs_in(path, request.choice) or ()
        except SourceError as error:
            yield LostRuns(inside, inside, NAME, shown_path(path), inside, str(error))


def _one_run(tracker: str, wanted: str, request: Request) -> Sequence[TrackedRun]:
    """Return the run of an id, a deleted one as well: who names it asks for it."""
    where, choice = mask_text(tracker), replace(request.choice, deleted=True)
    if tracker.startswith(_SERVERS):
        from analyzer.readers.mlflow import server  # noqa: PLC0415 - only servers need it

        return of_experiments([server.run_at(tracker, wanted)], choice, where)
    refs = _tracked_at(tracker, replace(request, source=tracker, choice=choice))
    if refs is None:
        raise SourceError(f"{where}: tracking addresses of this kind are not read; is there such a folder or file?")
    found = [ref for ref in refs if isinstance(ref, TrackedRun) and ref.key == wanted]
    if not found:
        lost = "".join(f"; {ref.problem}" for ref in refs if isinstance(ref, LostRuns))
        raise NoRunsError(f"{where}: no run has the id {wanted}{lost}")
    return found


def _tracked_at(tracker: str, request: Request) -> Iterable[RunRef] | None:
    """Return the runs in a folder, a database's file, or at an address; None when it is none of these."""
    place = unquote(split_address(tracker).path) if tracker.startswith("file:") else tracker
    if "://" in place:
        return _at(tracker, request)
    if _is_folder(place):
        return Mlflow().in_tree(walk(Path(place)), request)
    return Mlflow().in_file(Path(place), request)


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False
