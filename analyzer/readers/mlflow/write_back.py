"""Writing a verdict to where a run is kept, which the user asked for: two tags, and the page as an artifact.

Nothing is written twice: what is there already stays untouched. An artifact goes only to a place that belongs to the
source: the run's own folder, a folder beside the database file, the tracking server. Addresses that the data names are
compared with these places and followed nowhere else.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote

from analyzer.errors import SourceError
from analyzer.files import replace_file
from analyzer.model.formatting import in_one_line
from analyzer.readers.display_names import shown_path
from analyzer.readers.mlflow import tables
from analyzer.readers.mlflow.address import split_address
from analyzer.readers.mlflow.connection import INSTRUCTIONS, LONGEST, WAIT, SqliteTables, answer
from analyzer.readers.mlflow.run_metadata import PAGE, SYMPTOMS, VERDICT, symptoms_text
from analyzer.readers.run_ref import VerdictPayload

_UPDATE = "UPDATE tags SET value = :value WHERE key = :key AND run_uuid = :run"
_TRIGGERS = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = 'tags'"
_STORED = "SELECT key, value FROM tags WHERE run_uuid = :run AND key LIKE 'posthoc.%'"
_INSERT = "INSERT INTO tags (key, value, run_uuid) VALUES (:key, :value, :run)"


def tags_of(word: VerdictPayload) -> dict[str, str]:
    """Return the tags that say a verdict."""
    return {VERDICT: word.verdict, SYMPTOMS: symptoms_text(word.symptoms)}


def into_folder(run: Path, artifact_uri: str, word: VerdictPayload) -> str | None:
    """Write into a run's folder in a file store (see RunRef.write_back)."""
    try:
        for name, value in tags_of(word).items():
            _replace(run / "tags" / name, value, run)
    except OSError as error:
        raise SourceError(f"{shown_path(run)}: its tags cannot be written ({error.strerror or error})") from error
    if word.page is None:
        return None
    own = run.resolve() / "artifacts"
    named = _local(artifact_uri) if artifact_uri else own
    # a store that was moved still has its former place in meta.yaml
    if named is None or (named.parts[-2:] != own.parts[-2:] and not _same(named, own)):
        return f"{shown_path(run)}: its artifacts are kept elsewhere ({_kind(artifact_uri)}); the page was not stored"
    return _page(own, run, word.page)


def into_sqlite(file: Path, key: str, word: VerdictPayload) -> str | None:
    """Write into a database file, in one transaction (see RunRef.write_back)."""
    shown = shown_path(file)
    try:
        place, known = answer(file, lambda one: tables.page_place(SqliteTables(one, shown), key))
        wanted = tags_of(word)
        if known != wanted:
            _upsert(file, key, wanted)
    except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: an id that is not UTF-8
        raise SourceError(f"{shown}: the tags of run {key} cannot be written ({in_one_line(error)})") from error
    if word.page is None:
        return None
    folder = _local(place) if place else None
    if folder is None or key not in folder.parts:
        return f"{shown}: the artifacts of run {key} are kept elsewhere ({_kind(place)}); the page was not stored"
    return _page(file.parent / folder, file.parent, word.page)


def _upsert(file: Path, key: str, wanted: Mapping[str, str]) -> None:
    address = f"file:{quote(os.fsencode(file.absolute()))}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=WAIT, isolation_level=None)) as connection:
        deadline = time.monotonic() + LONGEST
        connection.set_progress_handler(lambda: time.monotonic() > deadline, INSTRUCTIONS)
        connection.execute("PRAGMA trusted_schema = OFF")
        if connection.execute(_TRIGGERS).fetchone()[0]:
            raise PermissionError(1, "its table tags has triggers, which would run whatever the database holds")
        connection.execute("BEGIN IMMEDIATE")
        for name, value in wanted.items():
            row = {"key": name, "value": value, "run": key}
            if connection.execute(_UPDATE, row).rowcount == 0:
                connection.execute(_INSERT, row)
        stored = dict(connection.execute(_STORED, {"run": key}).fetchall())
        if any(stored.get(name) != value for name, value in wanted.items()):
            connection.execute("ROLLBACK")
            raise sqlite3.IntegrityError("the database keeps other values than those that were written")
        connection.execute("COMMIT")


def page_target(artifact_uri: str, host: str, port: int) -> str | None:
    """Return the path under a tracking server's artifact service that a page goes to; None when it keeps none."""
    parts = split_address(artifact_uri)
    if parts.scheme != "mlflow-artifacts" or (parts.netloc and parts.netloc not in (host, f"{host}:{port}")):
        return None
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if not steps or any(step in (".", "..") for step in steps):
        return None
    return "/".join(quote(step, safe="") for step in (*steps, *PAGE.split("/")))


def kept_elsewhere(where: str, key: str, artifact_uri: str) -> str:
    """Return the sentence that says that a page could not be stored."""
    return f"{where}: the artifacts of run {key} are kept elsewhere ({_kind(artifact_uri)}); the page was not stored"


def _page(artifacts: Path, inside: Path, page: str) -> str | None:
    try:
        _replace(artifacts / PAGE, page, inside)
    except (OSError, ValueError) as error:  # ValueError: a path that holds a byte of 0
        return f"{shown_path(artifacts)}: the page was not stored ({getattr(error, 'strerror', None) or error})"
    return None


def _replace(path: Path, text: str, inside: Path) -> None:
    """Write a file by renaming, unless it holds the text already. OSError when links lead it out of `inside`."""
    raw = text.encode("utf-8", "backslashreplace")
    around = path.parent
    if inside.resolve() not in (around.resolve(), *around.resolve().parents):
        raise PermissionError(1, "it lies outside the source, where nothing is written")
    if path.is_file() and not path.is_symlink() and path.read_bytes() == raw:
        return
    around.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda file: file.write(raw), beside=inside)  # not beside the tags: every file there is one


def _local(address: str) -> Path | None:
    """Return the path that an artifact address names on this machine; None for one of another kind."""
    parts = split_address(address)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    return Path(address) if "://" not in address and not parts.scheme else None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _kind(address: str) -> str:
    scheme = split_address(address).scheme
    return f"{scheme}:…" if scheme and scheme != "file" else "another folder" if address else "nowhere known"
