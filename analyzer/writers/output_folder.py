"""A folder of ours to write pages in: new, empty, or marked as one that posthoc wrote before."""

from __future__ import annotations

import json
from pathlib import Path

from analyzer.errors import OutputError
from analyzer.files import remove_abandoned
from analyzer.writers.text_file import write_text


def claim(folder: Path, marker: str, kind: str) -> None:
    """Make sure that the folder is new, empty or ours, and put the marker into it.

    `kind` says in a word or two what it becomes. OutputError when it is anything else or cannot be used.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file; give a folder for the {kind}")
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder)
        if not (folder / marker).is_file() and any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty and no {kind}; give another folder")
        write_text(folder / marker, json.dumps({"schema": f"{marker.removeprefix('.')}/1"}) + "\n")
    except OSError as error:
        raise OutputError(f"{folder} cannot be used for the {kind}: {error.strerror or error}") from error
