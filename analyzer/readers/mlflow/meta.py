"""meta.yaml of MLflow's file store: small, plain, and never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer.model.formatting import in_one_line
from analyzer.model.run import Note
from analyzer.readers.display_names import shown_path

MOST_BYTES = 1 << 14  # MLflow writes less than one KiB
MOST_OF_DATASET = 1 << 18  # with the schema and profile that MLflow keeps
MOST_DATASETS = 100
DEEPEST = 20
_NOT_PLAIN = ("&", "*", "[", "{", "?", "- ", "-\t", "-\n")
"""Without these there are no aliases, and mappings in each other cannot be many in what is so small."""
STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


def read_meta(path: Path, most: int = MOST_BYTES) -> tuple[Mapping[str, Any], str | None]:
    """Return the mapping in a meta.yaml and None, or an empty one and what is wrong with it in a sentence."""
    shown = shown_path(path.name)
    try:
        if path.stat().st_size > most:
            return {}, f"{shown} is larger than any that MLflow writes and was not read"
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return {}, f"{shown} could not be read ({error})"
    return _parsed(text, shown)


def _parsed(text: str, shown: str) -> tuple[Mapping[str, Any], str | None]:
    import yaml  # noqa: PLC0415 - only file stores need it

    # the plainest loader: texts, lists and mappings only; written in C where it is there, ten times as fast
    plain = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=plain) if any(mark in text for mark in _NOT_PLAIN) else ():
            if isinstance(event, yaml.AliasEvent):
                return {}, f"{shown} uses YAML aliases, which MLflow never writes, and was not read"
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return {}, f"{shown} is nested deeper than any that MLflow writes and was not read"
        found = yaml.load(text, Loader=plain)  # noqa: S506 - it makes no objects
    except Exception as error:
        return {}, f"{shown} is not YAML ({in_one_line(error)})"
    if not isinstance(found, Mapping):
        return {}, f"{shown} holds no mapping"
    return found, None


def status_of(meta: Mapping[str, Any]) -> str | None:
    """Return the status as a word, from its number or name; None when there is none."""
    status = str(meta.get("status", "")).strip().upper()
    return STATUS.get(status) or (status if status in STATUS.values() else None)


def is_deleted(meta: Mapping[str, Any]) -> bool:
    """Whether the run or experiment has been deleted (it stays in the store until it is collected)."""
    return str(meta.get("lifecycle_stage", "active")).lower() == "deleted"


def datasets_of(run: Path, notes: list[Note]) -> list[tuple[str, str, str]]:
    """Return name, digest and context of the data sets that a run's folder names as its inputs, where intact.

    They lie beside the runs of the experiment; what an input names is looked for among the folders that are there.
    """
    inputs = _inside(run / "inputs")
    if not inputs:
        return []
    known = {place.name: place for place in _inside(run.parent / "datasets")}
    found = []
    if len(inputs) > MOST_DATASETS:
        notes.append(Note("limit", f"inputs: {len(inputs):,} data sets; {len(inputs) - MOST_DATASETS:,} were left out"))
    for place in inputs[:MOST_DATASETS]:
        asked = read_meta(place / "meta.yaml")[0]
        if str(asked.get("source_type")) in {"DATASET", "1"} and asked.get("source_id") in known:
            meta = read_meta(known[str(asked["source_id"])] / "meta.yaml", MOST_OF_DATASET)[0]
            found.append((str(meta.get("name", "")), str(meta.get("digest", "")), _context(asked)))
    return sorted(one for one in found if one[0])


def _context(asked: Mapping[str, Any]) -> str:
    tags = asked.get("tags")
    return str(tags.get("mlflow.data.context", "")) if isinstance(tags, Mapping) else ""


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(place for place in folder.iterdir() if place.is_dir() and not place.is_symlink())
    except OSError:
        return []
