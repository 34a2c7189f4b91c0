"""meta.yaml of MLflow's file store: small, plain, and never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer.readers.naming import shown_path

MOST_BYTES = 1 << 14  # MLflow writes less than one KiB
DEEPEST = 20
STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


def read_meta(path: Path) -> tuple[Mapping[str, Any], str | None]:
    """Return the mapping in a meta.yaml and None, or an empty one and what is wrong with it in a sentence."""
    shown = shown_path(path.name)
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}, f"{shown} is larger than any that MLflow writes and was not read"
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return {}, f"{shown} could not be read ({error})"
    return _parsed(text, shown)


def _parsed(text: str, shown: str) -> tuple[Mapping[str, Any], str | None]:
    import yaml  # noqa: PLC0415 - only file stores need it

    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if isinstance(event, yaml.AliasEvent):
                return {}, f"{shown} uses YAML aliases, which MLflow never writes, and was not read"
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return {}, f"{shown} is nested deeper than any that MLflow writes and was not read"
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - the plainest loader: texts, lists and mappings only
    except Exception as error:
        return {}, f"{shown} is no YAML ({' '.join(str(error).split())[:120]})"
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
