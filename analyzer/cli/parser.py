"""The words of a call: verbs and options, their help, and a clear sentence when one of them is wrong."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from analyzer import __version__
from analyzer.cli import parser_compare, parser_tools
from analyzer.cli.overview import VERBS
from analyzer.errors import UsageError
from analyzer.settings import GATES
from analyzer.settings.values import suggestion

OUTPUTS = {
    "junit": "JUnit XML: a test case a run and symptom",
    "sarif": "SARIF 2.1.0, for code scanning",
    "markdown": "a digest in Markdown, what is new first",
    "csv": "the findings as CSV",
}
"""Files that a night is written to besides its site, by option."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked for: a verb with its options, or (without a verb) a text to print."""

    verb: str | None
    options: argparse.Namespace
    text: str = ""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing usage and leaving."""

    def error(self, message: str) -> NoReturn:
        verb = self.prog.split()[-1]
        raise UsageError(f"{message}; see posthoc {verb} --help" if verb in VERBS else message)


def parsed(argv: Sequence[str]) -> Call:
    """Return what a call of at least one word (and one after `help`) asks for.

    UsageError, with a suggestion where there is one, when it means nothing.
    """
    nothing = argparse.Namespace()
    verb, rest = argv[0], argv[1:]
    if verb == "help":
        verb, rest = rest[0], ["--help"]
    if verb not in VERBS:
        raise UsageError(_unknown(verb))
    parser = parser_of(verb)
    if "--help" in rest or "-h" in rest:
        return Call(None, nothing, parser.format_help())
    if "--version" in rest:
        return Call(None, nothing, f"posthoc {__version__}\n")
    if verb == "compare":
        rest = parser_compare.spelled_out(rest)
    options, extra = parser.parse_known_intermixed_args(rest)
    if extra:
        raise UsageError(_too_many(extra[0], parser, verb))
    options.words = tuple(argv[1:])
    return Call(verb, options)


def _unknown(word: str) -> str:
    if "://" in word or word.startswith("runs:/") or os.path.lexists(word):
        return f"say what to do with {word}: posthoc report {word} (one run), or posthoc audit {word} (many)"
    if word.startswith("-"):
        return f"unknown option {word}; options follow the command ({', '.join(VERBS[:-1])})"
    near = suggestion(word, VERBS)
    return f"unknown command {word!r}, and no such file{near or '; commands are ' + ', '.join(VERBS[:-1])}"


def _too_many(word: str, parser: argparse.ArgumentParser, verb: str) -> str:
    if not word.startswith("-"):
        more = "; to judge several sources use posthoc audit" if verb == "report" else ""
        return f"{verb} has no use for {word!r}{more}"
    option = word.split("=", maxsplit=1)[0]
    known = [name for action in parser._actions for name in action.option_strings if name.startswith("--")]
    return f"{verb} has no option {option}{suggestion(option, known) or f'; see posthoc {verb} --help'}"


def parser_of(verb: str) -> argparse.ArgumentParser:
    """Return the parser of a verb's options."""
    about = {
        "report": "Judge one run and write its page, one self-contained HTML file.",
        "audit": "Judge every run of one or several sources and write a site with an index.",
        "compare": "Say whether the runs of one side are better than those of another, by how much, and how sure.",
        "series": "Show how the logs are understood: runs, tags, points, the role of each tag and why.",
        "dump": "Print every point of every scalar series as JSON, and every damage by name.",
        "explain": "Print the page of a symptom, or the list; or write all as HTML, with pictures.",
        "merge": "Make one site of the parts of a night that posthoc audit --shard I/N judged.",
        "history": "Say since which night the runs of a job are better or worse, and what changed with it.",
        "help": "Show help.",
        **parser_tools.ABOUT,
    }[verb]
    parser = _Parser(prog=f"posthoc {verb}", description=about, allow_abbrev=False, add_help=False)
    adders = {"report": _report, "audit": _audit, "series": _series, "dump": _dump, "explain": _explain}
    adders |= {"merge": _merge, "history": _history, "compare": parser_compare.add, "help": _help}
    if verb in parser_tools.ABOUT:
        parser_tools.add(parser, verb, _shared)
    else:
        adders[verb](parser)
    common = parser.add_argument_group("everywhere")
    common.add_argument("-h", "--help", action="store_true", help="show this help")
    common.add_argument("--version", action="store_true", help="print the version")
    return parser


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="where the run's logs are")
    add = parser.add_argument
    page = Path("posthoc-report.html")
    add("-o", "--output", type=_file, default=page, metavar="FILE", help="the page (default %(default)s)")
    add("--run", metavar="NAME", help="which run, by id or name, when SOURCE holds several")
    _title(parser, "the run's name")
    issue = "also write it in Markdown for an issue, with its chart as SVG beside it"
    add("--markdown", type=_file, dest="issue", metavar="FILE", help=issue)
    board = "also write it as an event file that TensorBoard shows in its text tab"
    add("--tensorboard", type=_file, metavar="DIR", help=board)
    _judging(parser, fail_on="error")


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="folder, file or address of the logs")
    _site(parser)
    _judging(parser, fail_on="never")
    add = parser.add_argument_group("every night").add_argument
    add("--jobs", type=_count, metavar="N", help="worker processes (default one per core; 0: the main process)")
    add("--cluster", metavar="ADDRESS", help="judge on a Dask cluster: its scheduler, as in tcp://host:8786")
    add("--run-timeout", metavar="TIME", help='time limit for one run, as in "10min" (the default)')
    add("--pages", choices=("all", "problems"), default="all", help="which runs get a page (default %(default)s)")
    add("--shard", metavar="I/N", help="judge one of N equal parts of the runs, for posthoc merge")
    suppress = "suppress every finding of this audit in the settings file"
    add("--suppress-existing", action="store_true", help=suppress)
    _night(parser)


def _merge(parser: argparse.ArgumentParser) -> None:
    what = "folders that posthoc audit --shard wrote"
    parser.add_argument("folders", metavar="DIR", nargs="+", type=_file, help=what)
    _site(parser)
    _outcome(parser, fail_on="never")
    _config(parser)
    _night(parser)
    parser.set_defaults(roles=[], shard=None, suppress_existing=False)


def _history(parser: argparse.ArgumentParser) -> None:
    what = "folder, file or address of the logs, or a CSV file: time, metrics, settings"
    parser.add_argument("source", metavar="SOURCE", help=what)
    add = parser.add_argument
    add("--metric", type=_tags, metavar="TAG[,TAG]", help="these metrics only (default: held-out losses and metrics)")
    add("--better", choices=("lower", "higher"), help="which way the metrics are better, where their names do not say")
    add("--replay", action="store_true", help="also say which alarms would have been raised, and on which night")
    add("-o", "--output", type=_file, metavar="FILE", help="write a page with a chart for each metric")
    add("--json", type=_file, metavar="FILE", help="also write the result as JSON; - is standard output")
    gate = "exit with 1 when a change is worse, unannounced and large enough, or on any change (default never)"
    add("--fail-on", choices=("worse", "any", "never"), default="never", help=gate)
    add("-q", "--quiet", action="store_true", help="print errors only")
    _config(parser)
    _roles(parser)
    _tracking(parser)


def _tags(text: str) -> list[str]:
    tags = [tag.strip() for tag in text.split(",") if tag.strip()]
    if not tags:
        raise argparse.ArgumentTypeError("no metric is named; posthoc series lists the tags of a run")
    return tags


def _site(parser: argparse.ArgumentParser) -> None:
    site = Path("posthoc-site")
    parser.add_argument(
        "-o", "--output", type=_file, default=site, metavar="DIR", help="the site (default %(default)s)"
    )
    _title(parser, "the sources")


def _title(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--title", default="", metavar="TEXT", help=f"what the page is called, in place of {default}")


def _night(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("last night and tonight").add_argument
    add(
        "--state", type=_file, metavar="FILE", help="remember in it what was found: tell what is new, read what changed"
    )
    regression = "exit with 1 when a nightly job is newly worse and no setting announced it"
    add("--fail-on-regression", action="store_true", help=regression)
    add("--fail-on-new", action="store_true", help="let only what is new or back count for --fail-on; needs --state")
    what = "tell this address what is new (apprise: mailto://, slack://, json://, …); may be repeated; needs --state"
    add("--notify", action="append", default=[], metavar="URL", help=what)
    for option, what in OUTPUTS.items():
        add(f"--{option}", type=_file, metavar="FILE", help=f"also write {what}")


def _series(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="where the logs are")
    parser.add_argument("--run", metavar="NAME", help="only this run, by id or name")
    _config(parser)
    _roles(parser)
    _tracking(parser)


def _dump(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="where the logs are")
    parser.add_argument("--run", metavar="NAME", help="only this run, by id or name")
    _tracking(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("symptom", metavar="SYMPTOM", nargs="?", help="as in overfitting; without it, the list")
    what = "write a gallery of all symptoms into this folder, with their cases drawn"
    parser.add_argument("--html", type=_file, metavar="DIR", help=what)


def _help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", metavar="VERB", nargs="?", choices=VERBS, help="which verb; without it, the overview")


def _judging(parser: argparse.ArgumentParser, *, fail_on: str) -> None:
    add = parser.add_argument
    _config(parser)
    add("--select", type=_names, metavar="SYMPTOM[,…]", help="check these symptoms only")
    add("--ignore", type=_names, metavar="SYMPTOM[,…]", help="skip these symptoms")
    _roles(parser)
    _tracking(parser)
    _outcome(parser, fail_on=fail_on)


def _outcome(parser: argparse.ArgumentParser, *, fail_on: str) -> None:
    add = parser.add_argument
    gate = f"exit with 1 from this severity on (default {fail_on})"
    add("--fail-on", choices=GATES, metavar="|".join(GATES), help=gate)
    add("--json", type=_file, metavar="FILE", help="also write the result as JSON; - is standard output")
    back = "write each verdict back to MLflow: tags posthoc.verdict and posthoc.symptoms, and the page as an artifact"
    add("--write-back", action="store_true", help=back)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    group.add_argument("-v", "--verbose", action="store_true", help="print everything")
    parser.set_defaults(default_gate=fail_on)


def _shared(parser: argparse.ArgumentParser) -> None:
    """Add the options of every verb that judges runs and has no gate."""
    _config(parser)
    _roles(parser)
    _tracking(parser)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=_file, metavar="FILE", help="settings instead of those in the working directory"
    )


def _roles(parser: argparse.ArgumentParser) -> None:
    what = "override the role of a tag; repeatable"
    parser.add_argument(
        "--role", action="append", default=[], dest="roles", metavar="TAG=ROLE[:SPLIT[:lower|higher]]", help=what
    )


def _tracking(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    where = "the MLflow store of runs:/<id>; default $MLFLOW_TRACKING_URI"
    add("--tracking-uri", metavar="URI", help=where)
    which = "only MLflow runs of this experiment, by name or id; repeatable"
    add("--experiment", type=_experiment, action="append", default=[], dest="experiments", metavar="NAME", help=which)
    add(
        "--filter",
        type=_filter,
        metavar="TEXT",
        help="only runs that an MLflow server finds with this, as in metrics.loss < 1",
    )
    add("--deleted", action="store_true", help="include deleted MLflow runs")


def _file(text: str) -> Path:
    """Return a path; an address is none, and a path would fold its slashes so that no mask knows it again."""
    if "://" in text:
        raise UsageError(f"{text} is an address; a file or folder is wanted here")
    return Path(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes from 0 to 1024")
    return int(text)


def _experiment(text: str) -> str:
    if not text.strip():  # a variable that was not set: taken for none, it would choose everything
        raise argparse.ArgumentTypeError("no experiment is named; leave the option out for all of them")
    return text


def _filter(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; leave the option out for all runs")
    return text


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("no symptom is named; posthoc explain lists them")
    return names
