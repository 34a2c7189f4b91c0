"""The words of the verbs around judging: brief, doctor, init, demo."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

Parser = argparse.ArgumentParser

ABOUT = {
    "brief": "Say what there is to know about one run in at most 1,500 tokens of plain text.",
    "doctor": "Show versions, extras and the terminal; compare posthoc's reading of a source with other libraries'.",
    "init": "Write a commented settings file; one that is there is never overwritten.",
    "demo": "Audit the example logs that come with posthoc, and print where the site is.",
}


def add(parser: Parser, verb: str, shared: Callable[[Parser], None]) -> None:
    """Add the options of a verb; `shared` adds those of every verb that judges."""
    _ADDERS[verb](parser, shared)


def _brief(parser: Parser, shared: Callable[[Parser], None]) -> None:
    parser.add_argument("source", metavar="RUN", help="where the run's logs are")
    parser.add_argument("--run", metavar="NAME", help="which run, by id or name, when RUN holds several")
    shared(parser)


def _doctor(parser: Parser, shared: Callable[[Parser], None]) -> None:
    what = "logs to read; event files are compared point by point with TensorBoard's EventAccumulator and tbparse"
    parser.add_argument("source", metavar="SOURCE", nargs="?", help=what)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings to check")
    parser.add_argument("--tracking-uri", metavar="URI", help="the MLflow store that runs:/<id> speaks of")


def _init(parser: Parser, shared: Callable[[Parser], None]) -> None:
    what = "the settings file (default %(default)s)"
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, default=Path("posthoc.toml"), help=what)


def _demo(parser: Parser, shared: Callable[[Parser], None]) -> None:
    site = Path("posthoc-demo")
    parser.add_argument("-o", "--output", type=Path, default=site, metavar="DIR", help="the site (default %(default)s)")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


_ADDERS: Mapping[str, Callable[[Parser, Callable[[Parser], None]], None]] = {
    "brief": _brief,
    "doctor": _doctor,
    "init": _init,
    "demo": _demo,
}
