"""The words of the verbs around judging: brief, watch, mcp, doctor, init, demo."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from analyzer.cli.overview import SHELLS
from analyzer.settings import GATES

Parser = argparse.ArgumentParser

ABOUT = {
    "brief": "Say what there is to know about one run in at most 1,500 tokens of plain text.",
    "watch": "Look at runs that are going on, again and again, and tell what is new, since when, and its cost so far.",
    "mcp": "Answer a language model's questions about the sources over stdio (Model Context Protocol); read-only.",
    "doctor": "Show versions, extras and the terminal; compare posthoc's reading of a source with other libraries'.",
    "init": "Write a commented settings file; one that is there is never overwritten.",
    "demo": "Audit the example logs that come with posthoc, and print where the site is.",
    "completion": "Print the script that completes verbs, options and symptoms in a shell.",
}


def add(parser: Parser, verb: str, shared: Callable[[Parser], None]) -> None:
    """Add the options of a verb; `shared` adds those of every verb that judges."""
    _ADDERS[verb](parser, shared)


def _brief(parser: Parser, shared: Callable[[Parser], None]) -> None:
    parser.add_argument("source", metavar="RUN", help="where the run's logs are")
    parser.add_argument("--run", metavar="NAME", help="which run, by id or name, when RUN holds several")
    shared(parser)


def _watch(parser: Parser, shared: Callable[[Parser], None]) -> None:
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="folder, file or address of the logs")
    add = parser.add_argument
    add("--every", default="60s", metavar="TIME", help="time between two looks (default %(default)s)")
    what = "notify this URL of new findings (apprise: mailto://, slack://, json://, …); may be repeated"
    add("--notify", action="append", default=[], metavar="URL", help=what)
    add("--state", type=Path, metavar="FILE", help="what audits with this state reported is not reported again")
    gate = "on stopping, exit with 1 when a finding is of this severity or above (default never)"
    add("--fail-on", choices=GATES, metavar="|".join(GATES), help=gate)
    add("--select", type=_symptoms, metavar="SYMPTOM[,…]", help="check these symptoms only")
    add("--ignore", type=_symptoms, metavar="SYMPTOM[,…]", help="skip these symptoms")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    group.add_argument("-v", "--verbose", action="store_true", help="say what each look came to")
    parser.set_defaults(default_gate="never", fail_on_new=False, suppress_existing=False)
    shared(parser)


def _symptoms(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("no symptom is named; posthoc explain lists them")
    return names


def _mcp(parser: Parser, shared: Callable[[Parser], None]) -> None:
    what = "folder, file or address of the logs; nothing else is ever read"
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help=what)
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
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def _completion(parser: Parser, shared: Callable[[Parser], None]) -> None:
    what = 'which shell; as in eval "$(posthoc completion bash)"'
    parser.add_argument("shell", choices=SHELLS, metavar="|".join(SHELLS), help=what)


_ADDERS: Mapping[str, Callable[[Parser, Callable[[Parser], None]], None]] = {
    "brief": _brief,
    "watch": _watch,
    "mcp": _mcp,
    "doctor": _doctor,
    "init": _init,
    "demo": _demo,
    "completion": _completion,
}
