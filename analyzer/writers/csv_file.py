"""The findings of a night as CSV, one a line, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from typing import TextIO

from analyzer.model.result import Night
from analyzer.writers.phrases import cell
from analyzer.writers.truncation import shortened

COLUMNS = (
    "run", "name", "status", "verdict", "symptom", "severity", "state", "first_seen", "first_step", "last_step", "tags",
    "summary", "explained_by", "suppressed", "fingerprint",
)  # fmt: skip


def write_spreadsheet(night: Night, file: TextIO) -> None:
    """Write a header and one line a finding; a text that a spreadsheet would take for a formula gets a ' before it."""
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for result in map(shortened, night.results):
        for finding in result.findings:
            aside = None if finding.suppressed is None else finding.suppressed.get("reason", "")
            cells = (
                result.run, result.name, result.status, result.verdict, finding.symptom, finding.severity,
                finding.state, finding.first_seen, finding.first_step, finding.last_step, " ".join(finding.tags),
                finding.summary, finding.explained_by, aside, finding.fingerprint,
            )  # fmt: skip
            table.writerow([_cell(cell) for cell in cells])


def _cell(value: str | int | None) -> str | int:
    if not isinstance(value, str):
        return "" if value is None else value
    return cell(value)
