"""The words of the verbs around judging: brief."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

Parser = argparse.ArgumentParser

ABOUT = {
    "brief": "Say what there is to know about one run in at most 1,500 tokens of plain text.",
}


def add(parser: Parser, verb: str, shared: Callable[[Parser], None]) -> None:
    """Add the options of a verb; `shared` adds those of every verb that judges."""
    _ADDERS[verb](parser, shared)


def _brief(parser: Parser, shared: Callable[[Parser], None]) -> None:
    parser.add_argument("source", metavar="RUN", help="where the run's logs are")
    parser.add_argument("--run", metavar="NAME", help="which run, by id or name, when RUN holds several")
    shared(parser)


_ADDERS: Mapping[str, Callable[[Parser, Callable[[Parser], None]], None]] = {"brief": _brief}
