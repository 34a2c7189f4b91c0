"""The words of `posthoc compare`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

GATES = ("worse", "not-better", "cannot-tell", "never")


def spelled_out(words: Sequence[str]) -> list[str]:
    """Return the words with `--paired` before a source spelled out: the option's value may be left out."""
    found = []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        bare = word == "--paired" and (not after or after.startswith("-") or ":/" in after or os.path.lexists(after))
        found.append("--paired=seed" if bare else word)
    return found


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    what = "the base, then one or several candidates: each a run, or a folder or experiment whose runs are its seeds"
    parser.add_argument("sources", metavar="SOURCE", nargs="*", help=what)
    _sides(parser)
    _question(parser)
    _answer(parser)
    _reading(parser)


def _sides(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("sides").add_argument
    add(
        "--base",
        nargs="+",
        action="extend",
        default=[],
        metavar="S",
        help="the base out of several sources; with --group-by its value",
    )
    add(
        "--candidate",
        nargs="+",
        action="extend",
        default=[],
        metavar="S",
        help="the candidate likewise; with --group-by its values",
    )
    add("--group-by", metavar="NAME", help="cut one SOURCE by a setting; the first value is the base")
    what = "borrow the noise of seeds from the groups of runs there (sub-folders or settings)"
    add("--noise-from", action="append", default=[], metavar="DIR", help=what)
    kept = "borrow it from the runs that audits kept in this file, and remember there that this pair was compared"
    add("--state", type=Path, metavar="FILE", help=kept)


def _question(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the question").add_argument
    what = "the metric that decides, then others (default: the held-out loss or metric that every run has)"
    add("--metric", type=_names, default=(), metavar="TAG[,TAG]", help=what)
    add(
        "--better",
        choices=("lower", "higher"),
        help="which direction of the metric is good, where its name does not say",
    )
    what = "what a run came to: its level at the budget, its best, or its mean (default %(default)s)"
    add("--outcome", choices=("final", "best", "auc"), default="final", help=what)
    what = "the budget: step, epoch, time (seconds) or tokens, with a value or up to the last that every run reached"
    add("--at", metavar="AXIS[=X]", help=what)
    what = "compare runs in pairs of the same value of a setting (default seed)"
    add("--paired", nargs="?", const="seed", default="", metavar="PARAM", help=what)
    what = "the smallest difference that would matter, in the unit of the metric or in percent of the base"
    add("--worth", metavar="X|X%", help=what)
    add("--level", type=float, default=0.95, metavar="P", help="level of the interval (default %(default)s)")
    add("--looks", metavar="K|I/K", help="this is look I of K at growing groups: spend the error in parts")


def _answer(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the answer").add_argument
    gate = "exit with 1 when the candidate is worse, is not better, or the result is unclear (default never)"
    add("--fail-on", choices=GATES, default="never", metavar="|".join(GATES), help=gate)
    add("-o", "--output", type=Path, metavar="FILE", help="write the page, one self-contained HTML file")
    add("--json", type=Path, metavar="FILE", help="write the comparison as JSON; - is standard output")
    add("--markdown", type=Path, metavar="FILE", help="write it in Markdown; - is standard output")
    add("--run-list", type=Path, metavar="FILE", help="write the runs with their side, outcome and reason as CSV")
    add("-q", "--quiet", action="store_true", help="print errors only")


def _reading(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("reading").add_argument
    what = "the MLflow store that runs:/<id> and names of experiments speak of, else $MLFLOW_TRACKING_URI"
    add("--tracking-uri", metavar="URI", help=what)
    what = "only MLflow runs of this experiment, by name or id; repeatable"
    add("--experiment", action="append", default=[], dest="experiments", metavar="NAME", help=what)
    add("--filter", metavar="TEXT", help="only runs that an MLflow server finds with this")
    add("--deleted", action="store_true", help="include deleted MLflow runs")
    add("--config", type=Path, metavar="FILE", help="settings instead of those in the working directory")
    what = "override the role of a tag; repeatable"
    add("--role", action="append", default=[], dest="roles", metavar="TAG=ROLE[:SPLIT[:lower|higher]]", help=what)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("no metric is named; posthoc series lists them")
    return names
