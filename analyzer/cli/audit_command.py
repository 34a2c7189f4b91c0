"""What an audit does around the night itself: options that belong together, files besides the site, the gate."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from analyzer import api
from analyzer.auditing.baseline import suppress_all
from analyzer.auditing.notification import Notifier
from analyzer.auditing.output_paths import refuse_inputs
from analyzer.auditing.shard import ShardPart
from analyzer.cli.messages import complain
from analyzer.cli.parser import OUTPUTS
from analyzer.errors import SettingsError, UsageError
from analyzer.model import summary
from analyzer.model.formatting import counted
from analyzer.model.redaction import mask_text
from analyzer.model.result import Night
from analyzer.settings import Settings, settings_inside
from analyzer.settings.values import seconds
from analyzer.writers.csv_file import write_spreadsheet
from analyzer.writers.json_file import write_document
from analyzer.writers.junit import write_junit
from analyzer.writers.markdown import notice, write_markdown
from analyzer.writers.sarif import write_sarif
from analyzer.writers.text_file import write_whole

Options = argparse.Namespace

_WRITERS: Mapping[str, Callable[[Night, TextIO], object]] = {
    "junit": write_junit,
    "sarif": lambda night, file: write_sarif(night, api.guides(), file),
    "markdown": write_markdown,
    "csv": write_spreadsheet,
}


def checked(options: Options, settings: Settings) -> ShardPart | None:
    """Return the share that was asked for. UsageError for options that do not go together."""
    if options.fail_on_new and options.state is None:
        raise UsageError("--fail-on-new needs --state FILE, which remembers what is not new")
    if options.notify and options.state is None:
        raise UsageError("--notify needs --state FILE, which remembers what is not new")
    if options.suppress_existing and (inside := settings_inside(Path(), [Path(s) for s in options.sources])):
        raise UsageError(f"{inside} lies inside the source and is not obeyed; name a file outside with --config")
    if getattr(options, "cluster", None) is not None and options.jobs is not None:
        raise UsageError("--jobs is for this machine; with --cluster, the cluster's threads say how many judge")
    if options.shard is None:
        return None
    if options.suppress_existing:
        raise UsageError("--suppress-existing needs the whole night and does not go with --shard; leave one out")
    later = [f"--{name}" for name in ("json", *OUTPUTS) if getattr(options, name) is not None]
    later += [
        f"--{name}"
        for name in ("fail-on-new", "fail-on-regression", "notify")
        if getattr(options, name.replace("-", "_"))
    ]
    if later:
        raise UsageError(f"{later[0]} needs the whole night; with --shard, give it to posthoc merge")
    return ShardPart.parsed(options.shard)


def notifier(options: Options, settings: Settings) -> Notifier | None:
    """Return what tells others of the night, if that was asked for. UsageError for an address that means nothing."""
    addresses = options.notify or settings.notify
    if not addresses or options.shard is not None:
        return None
    if options.state is None:
        complain("notify in the settings is left out: it needs --state FILE, which remembers what is not new")
        return None
    return Notifier(addresses)


def tell_others(options: Options, night: Night, notifier: Notifier | None) -> None:
    """Send what is new, if anything is; what could not be delivered is said and changes nothing else."""
    where = os.path.abspath(options.output / "index.html")  # noqa: PTH100 - links keep the name given
    message = notice(night, mask_text(where)) if notifier else None
    if notifier and message:
        for sentence in notifier.send(*message):
            complain(sentence)


def for_judging(settings: Settings, text: str | None) -> Settings:
    """Return the settings with the time that a process may take over a run, if the call names one.

    Addresses are left out: they are nobody else's business.
    """
    settings = replace(settings, notify=())
    if text is None:
        return settings
    try:
        plain = float(text) if text.replace(".", "", 1).isdecimal() else text
        return replace(settings, run_timeout=seconds(plain, "--run-timeout", above=0.0))
    except SettingsError as error:
        raise UsageError(str(error)) from error


def outputs_apart(options: Options, sources: Sequence[str], pages: Sequence[Path]) -> None:
    """Refuse a file to be written that is one of the pages, another such file, or a log."""
    taken = {os.path.realpath(page): "-o" for page in pages}
    if getattr(options, "state", None) is not None:
        taken[os.path.realpath(options.state)] = "--state"
    for name in ("json", *OUTPUTS):
        path = getattr(options, name, None)
        if path is None or (name == "json" and str(path) == "-"):
            continue
        if str(path) == "-":
            raise UsageError(f"--{name} writes a file, and only --json - goes to standard output; give it a name")
        before = taken.setdefault(os.path.realpath(path), f"--{name}")
        if before != f"--{name}":
            raise UsageError(f"--{name} and {before} both write {mask_text(str(path))}; give one of them another name")
        refuse_inputs(path, sources)


def write_outputs(options: Options, night: Night, settings: Settings) -> None:
    """Write the files that were asked for, and set tonight's findings aside if that was."""
    if options.json is not None and str(options.json) != "-":
        write_whole(options.json, lambda file: write_document(night, file))
    for name, write in _WRITERS.items():
        path = getattr(options, name, None)
        if path is not None:
            write_whole(path, lambda file, write=write: write(night, file))  # type: ignore[misc]  # bound now
    if getattr(options, "suppress_existing", False):
        file, count = suppress_all(night, options.config, Path())
        complain(f"{counted(count, 'finding')} suppressed in {file}")


def tell_share(options: Options, share: ShardPart, night: Night) -> None:
    """Say what was judged of the night."""
    if not options.quiet:
        where = options.output / share.file
        sys.stdout.write(f"Shard {share.number}/{share.of}: {counted(len(night.results), 'run')} in {where}\n")


def gate(options: Options, settings: Settings) -> str:
    """Return the severity from which on findings make the exit code 1."""
    return str(options.fail_on or settings.fail_on or options.default_gate)


def exit_code(options: Options, night: Night, settings: Settings) -> int:
    """Return 1 when a finding reaches the gate, 2 when no run could be read, else 0.

    With --fail-on-new only what is new or back counts, from warning on unless --fail-on says otherwise; with
    --fail-on-regression a nightly job that is newly worse counts, too. Findings that --suppress-existing has just set
    aside do not count.
    """
    level = gate(options, settings)
    if options.fail_on_new and level == "never":
        level = "warning"
    counts = level != "never" and not options.suppress_existing
    if counts and any(summary.reaches(result, level, new_only=options.fail_on_new) for result in night.results):
        return 1
    if getattr(options, "fail_on_regression", False) and any(one.regressed for one in night.across):
        return 1
    return 2 if night.counts["failed"] == night.counts["discovered"] else 0
