"""What `posthoc compare` does: the sides, the comparison, where it is written, and the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from analyzer import __version__, comparing
from analyzer.auditing.output_paths import refuse_inputs
from analyzer.cli.stdio import deliver, wants_colour
from analyzer.comparing.request import ComparisonRequest, parsed_at, parsed_looks, parsed_worth
from analyzer.errors import UsageError
from analyzer.model.comparison import Comparison, SeedNoise
from analyzer.readers import Choice
from analyzer.settings import Settings
from analyzer.writers import comparison as writer
from analyzer.writers.text_file import write_text

Options = argparse.Namespace

SETTINGS = ("posthoc.toml", "pyproject.toml")

SUITS = {
    "worse": frozenset({"worse"}),
    "not-better": frozenset({"worse", "no-difference", "cannot-tell"}),
    "cannot-tell": frozenset({"worse", "cannot-tell"}),
    "never": frozenset[str](),
}
"""Verdicts that a gate stops."""


def compare(options: Options) -> int:
    """Compare and return the exit code: 0 the gate is quiet, 1 it is not."""
    origin = comparing.Origin(**_wanted(options), ask=_ask(options, _settings(options)))
    outputs = [p for p in (options.output, options.json, options.markdown, options.run_list) if p and str(p) != "-"]
    named = [*options.sources, *options.noise_from, *([] if options.group_by else [*options.base, *options.candidate])]
    for path in outputs:
        refuse_inputs(path, named)
    found = _compared(options, origin)
    _write(options, found)
    return int(stopped(found, options.fail_on))


def stopped(found: Comparison, gate: str) -> bool:
    """Whether a gate stops a comparison: of several candidates `worse` takes each, the others take the leading one."""
    if gate == "worse" and found.rivals:
        return any(one.verdict == "worse" for one in found.rivals)
    return found.verdict in SUITS[gate]


def _wanted(options: Options) -> dict[str, Any]:
    choice = Choice(tuple(options.experiments), options.filter, options.deleted)
    return {"tracking_uri": options.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or None, "choice": choice}


def _settings(options: Options) -> Settings:
    """Return the settings; where none are given, without importing the detectors that settings are checked against."""
    if options.config is None and not options.roles and not any(Path(name).is_file() for name in SETTINGS):
        return Settings()
    from analyzer.cli.commands import settings_of_call  # noqa: PLC0415 - slow to import

    return settings_of_call(options)


def _ask(options: Options, settings: Settings) -> ComparisonRequest:
    axis, at = parsed_at(options.at)
    return ComparisonRequest(
        metric=options.metric,
        better=options.better,
        outcome=options.outcome,
        axis=axis,
        at=at,
        paired=options.paired or "",
        worth=parsed_worth(options.worth),
        level=options.level,
        look=parsed_looks(options.looks),
        roles=settings.roles,
        version=__version__,
    )


def _compared(options: Options, origin: comparing.Origin) -> Comparison:
    noise: list[str] | SeedNoise | None = list(options.noise_from) or None
    memory = None
    if options.state is not None:
        from analyzer.comparing.stored_noise import Remembered  # noqa: PLC0415 - used with a state only

        memory = Remembered(options.state)
    if options.group_by:
        _take_back_sources(options)
        if not options.sources:
            raise UsageError("--group-by cuts a SOURCE by a setting; give one")
        if len(options.base) > 1:
            raise UsageError("--base takes one value with --group-by")
        base = options.base[0] if options.base else None
        return comparing.compare_cut(
            options.sources, options.group_by, origin, base=base, only=options.candidate, noise=noise, memory=memory
        )
    sides: list[str | list[str]] = [options.base] if options.base else []
    sides += options.sources
    sides += [options.candidate] if options.candidate else []
    if len(sides) < 2:
        raise UsageError("a comparison needs a BASE and a CANDIDATE; see posthoc compare --help")
    return comparing.compare_given(sides, origin, noise, memory=memory)


def _take_back_sources(options: Options) -> None:
    """Take sources that stand behind the values of --base or --candidate (--base 0.1 sweep/) for what they are."""
    for name in () if options.sources else ("base", "candidate"):
        values = getattr(options, name)
        options.sources += [value for value in values[1:] if os.path.lexists(value)]
        setattr(options, name, [value for value in values if value not in options.sources])


def _write(options: Options, found: Comparison) -> None:
    if options.output is not None:
        write_text(options.output, writer.page(found, _command(options)))
    _put(options.json, lambda file: file.write(writer.document(found)))
    _put(options.markdown, lambda file: file.write(writer.markdown(found)))
    _put(options.run_list, lambda file: file.write(writer.run_list(found)))
    taken = any(str(path) == "-" for path in (options.json, options.markdown, options.run_list))
    stream = sys.stderr if taken else sys.stdout
    if not options.quiet:
        page = options.output.resolve().as_uri() if options.output is not None else ""
        deliver(lambda file: file.write(writer.text(found, page, colour=wants_colour(stream))), stream)


def _put(path: Path | None, write: Callable[[TextIO], object]) -> None:
    if path is None:
        return
    if str(path) == "-":
        deliver(write, sys.stdout)
        return
    from analyzer.writers.text_file import write_whole  # noqa: PLC0415 - a file is asked for

    write_whole(path, write)


def _command(options: Options) -> str:
    """Return the command that makes the page again, without secrets."""
    import shlex  # noqa: PLC0415 - for pages only

    from analyzer.model.redaction import mask_text  # noqa: PLC0415 - as above

    return mask_text(shlex.join(["posthoc", "compare", *options.words]))
