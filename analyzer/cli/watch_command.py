"""What `posthoc watch` does: look, tell what is new, wait; until it is asked to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import analyzer
from analyzer.auditing.new_findings import NewFinding, line, message
from analyzer.auditing.notification import Notifier
from analyzer.auditing.watcher import Poll, Watch
from analyzer.cli import audit_command, mlflow_options
from analyzer.cli.messages import complain, safe
from analyzer.cli.stdio import wants_colour
from analyzer.errors import SettingsError, UsageError
from analyzer.model import summary
from analyzer.model.formatting import counted, duration
from analyzer.model.redaction import mask_text
from analyzer.model.result import Night
from analyzer.settings import Settings
from analyzer.settings.values import seconds
from analyzer.writers import terminal

Options = argparse.Namespace

MOST_SHARE = 0.1
"""Share of the time that looking may take: a look of 12 s is followed by a pause of 108 s or more."""

STOPS = (signal.SIGINT, signal.SIGTERM)


def watch(options: Options, settings: Settings) -> int:
    """Watch until SIGINT or SIGTERM; return the exit code that an audit at that moment would have."""
    every = _every(options.every)
    if options.state is not None and not Path(options.state).is_file():
        raise UsageError(f"{options.state} is not there; --state takes the file that posthoc audit --state writes")
    addresses = options.notify or settings.notify
    teller = _Teller(options, Notifier(addresses) if addresses else None)
    judging = audit_command.for_judging(settings, None)
    one = Watch(options.sources, judging, state=options.state, **mlflow_options.wanted(options))
    with _asked_to_stop() as stop:
        while not stop.is_set():
            began = time.monotonic()
            teller.tell(one.look(time.time(), stop.is_set), time.monotonic() - began)
            took = time.monotonic() - began
            stop.wait(max(every - took, took / MOST_SHARE - took))
        teller.tell(one.look(time.time()), 0.0)
    night = Night(analyzer.__version__, tuple(map(mask_text, options.sources)), one.results)
    code = 2 if one.failures else 0
    return audit_command.exit_code(options, night, settings) or code


def _every(word: str) -> float:
    try:
        plain = float(word) if word.replace(".", "", 1).isdecimal() else word
        return seconds(plain, "--every", above=0.0)
    except SettingsError as error:
        raise UsageError(str(error)) from error


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Give an event that the first signal sets; a second one does what it always did."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in STOPS}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)

    for one in STOPS:
        signal.signal(one, handle)
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler or signal.SIG_DFL)


class _Teller:
    """Says on the terminal, and to the addresses given, what a look came to."""

    def __init__(self, options: Options, notifier: Notifier | None) -> None:
        self._options, self._notifier = options, notifier
        self._paint = terminal.Paint(wants_colour(sys.stdout))
        self._begun = False
        self._notes: tuple[str, ...] = ()

    def tell(self, look: Poll, took: float) -> None:
        """Tell it."""
        if not self._begun:
            self._say(f"watching {counted(look.runs, 'run')}, a look every {self._options.every}; Ctrl-C stops")
            self._begun = True
        if look.notes != self._notes:  # once, not at every look
            for note in look.notes:
                complain(note)
            self._notes = look.notes
        for names, what in ((look.appeared, "appeared"), (look.vanished, "vanished")):
            for name in names:
                self._say(f"{name} {what}")
        for one in look.sightings:
            mark = self._paint(terminal.MARKS[one.finding.severity], one.finding.severity)
            self._say(f"{line(one)}{' (there at the start)' if one.at_start else ''}", mark)
        for result in look.ended:
            self._say(f"{summary.label(result)} ended: {result.sentence}")
        if self._options.verbose:
            self._say(f"looked at {counted(look.runs, 'run')}, judged {look.judged:,} in {duration(took)}")
        self._notify([one for one in look.sightings if not one.at_start])

    def _say(self, sentence: str, mark: str = "·") -> None:
        if not self._options.quiet:
            at = datetime.now(UTC).strftime("%H:%M:%S")
            sys.stdout.write(f"{at} {mark} {safe(sentence)}\n")
            sys.stdout.flush()

    def _notify(self, sightings: Sequence[NewFinding]) -> None:
        if self._notifier is None or not sightings:
            return
        for sentence in self._notifier.send(*message(sightings)):
            complain(sentence)
