"""The findings of a first night as the starting point: written into the settings as known, for somebody to work off."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from analyzer.errors import SettingsError
from analyzer.model.result import Night
from analyzer.writers.text_file import write_text


def suppress_all(night: Night, config: Path | None, folder: Path) -> tuple[Path, int]:
    """Add a suppression for each finding that raises an alarm; return the settings file and how many were added.

    The file is the one that the settings came from: `config`, or posthoc.toml or pyproject.toml in `folder`; without
    any, posthoc.toml is made. SettingsError when entries cannot be added at its end.
    """
    path = config or _settings_file(folder)
    table = "tool.posthoc.suppress" if path.name == "pyproject.toml" else "suppress"
    day = datetime.now(UTC).date().isoformat()
    alarms = {
        (finding.symptom, result.run): None for result in night.results for finding in result.findings if finding.alarms
    }
    if alarms:
        entries = [_entry(table, symptom, run, day) for symptom, run in alarms]
        _append(path, "\n".join(entries))
    return path, len(alarms)


def _settings_file(folder: Path) -> Path:
    own, project = folder / "posthoc.toml", folder / "pyproject.toml"
    if not own.is_file() and project.is_file():
        try:
            tool = tomllib.loads(project.read_text(encoding="utf-8")).get("tool")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{project} cannot be read: {error}") from error
        if isinstance(tool, dict) and "posthoc" in tool:
            return project
    return own


def _entry(table: str, symptom: str, run: str, day: str) -> str:
    return f"[[{table}]]\nsymptom = {_quoted(symptom)}\nrun = {_quoted(run)}\nreason = {_quoted(f'known on {day}')}\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _append(path: Path, entries: str) -> None:
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        whole = f"{before.rstrip()}\n\n{entries}" if before.strip() else entries
        tomllib.loads(whole)
    except (OSError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise SettingsError(f"{path}: suppressions cannot be added at its end ({why}); write them as tables") from error
    write_text(path, whole)
