"""What `posthoc history` says: sentences, a page, JSON, and the gate."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TextIO

from analyzer.cli.stdio import deliver
from analyzer.model.formatting import counted, iso
from analyzer.model.history import Change, History
from analyzer.writers.history_page import document, history_page
from analyzer.writers.text_file import write_text, write_whole

Options = argparse.Namespace


def told(options: Options, found: Sequence[History], version: str) -> int:
    """Write what was asked for, say the rest in words, and return the exit code."""
    if options.output is not None:
        write_text(options.output, history_page(found, version))
    stream = sys.stdout
    if options.json is not None:
        shown = document(found, version)

        def write(file: TextIO) -> None:
            file.write(json.dumps(shown, allow_nan=False, indent=1) + "\n")

        if str(options.json) == "-":
            deliver(write, sys.stdout)
            stream = sys.stderr
        else:
            write_whole(options.json, write)
    if not options.quiet:
        deliver(lambda file: file.write(_words(found, options)), stream)
    return 1 if any(_reaches(change, options.fail_on) for one in found for change in one.changes) else 0


def _reaches(change: Change, gate: str) -> bool:
    return gate == "any" or (gate == "worse" and change.severity == "warning")


def _words(found: Sequence[History], options: Options) -> str:
    lines: list[str] = []
    for one in found:
        lines.append(f"{one.job or 'job'}: {counted(len(one.times), 'night')}, {counted(len(one.changes), 'change')}")
        lines += [f"  {change.severity}: {change.sentence}{_when(change, one)}" for change in one.changes]
        if options.replay:
            lines += [f"  would have reported on {_day(one, alarm.told)}: {alarm.sentence}" for alarm in one.alarms]
            lines += ["  would have reported nothing"] if not one.alarms else []
        lines += [f"  note: {note}" for note in one.notes]
    if options.output is not None:
        lines.append(f"Page: {options.output.resolve().as_uri()}")
    return "\n".join(lines) + "\n"


def _when(change: Change, one: History) -> str:
    return (
        f" (reported on {_day(one, change.told)})" if change.told is not None else " (not yet clear enough to report)"
    )


def _day(one: History, index: int | None) -> str:
    return iso(float(one.times[index]))[:10] if index is not None else "no night"
