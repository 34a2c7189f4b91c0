"""What each verb does with its options: call the package, print, and work out the exit code."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import analyzer
from analyzer import api
from analyzer.auditing.judging import DiscoveredRuns
from analyzer.auditing.output_paths import refuse_inputs
from analyzer.auditing.pipeline import Plan
from analyzer.cli import audit_command, mlflow_options
from analyzer.cli.messages import complain
from analyzer.cli.stdio import bar, deliver, wants_colour, width_of
from analyzer.errors import UsageError
from analyzer.model import summary as summary_module
from analyzer.model.redaction import mask_text
from analyzer.model.result import Night
from analyzer.model.run import Run
from analyzer.readers import local_path
from analyzer.settings import Settings, load_settings, parsed_role, settings_inside, with_words
from analyzer.settings.values import suggestion
from analyzer.writers import terminal
from analyzer.writers.issue import picture_beside
from analyzer.writers.json_file import write_document
from analyzer.writers.site import SITE_FILES

Options = argparse.Namespace


def run(verb: str, options: Options) -> int:
    """Carry out a verb and return the exit code."""
    if not (verb == "explain" and options.html is None) and not _working_directory_is_there():
        raise UsageError("the working directory does not exist any more; change to another one first")
    return _VERBS[verb](options)


def _report(options: Options) -> int:
    settings = settings_of_call(options)
    more = [options.issue, picture_beside(options.issue)] if options.issue else []
    audit_command.outputs_apart(options, [options.source], [options.output, *more])
    for file in more:
        refuse_inputs(file, [options.source])
    back = mlflow_options.handback(options)
    result = api.report(
        options.source,
        options.output,
        run=options.run,
        settings=settings,
        write_back=back,
        title=options.title,
        markdown=options.issue,
        tensorboard=options.tensorboard,
        **mlflow_options.wanted(options),
    )
    night = Night(analyzer.__version__, (mask_text(options.source),), (result,))
    audit_command.write_outputs(options, night, settings)
    page = _url(options.output)
    _tell(options, night, lambda colour: terminal.run_summary(result, page, colour=colour, verbose=options.verbose))
    unwritten = mlflow_options.tell_written(options, back)
    if summary_module.reaches(result, audit_command.gate(options, settings)):
        return 1
    return 2 if unwritten or result.verdict == "unjudged" or result.status == "failed" else 0


def _audit(options: Options) -> int:
    settings = settings_of_call(options)
    share = audit_command.checked(options, settings)
    audit_command.outputs_apart(options, options.sources, [options.output / name for name in SITE_FILES])
    notifier = audit_command.notifier(options, settings)
    failures: list[str] = []

    def seen(found: DiscoveredRuns) -> None:
        failures.extend(found.failures)
        if not options.quiet:
            for note in found.notes:
                complain(note.message)

    def told(night: Night) -> None:
        audit_command.write_outputs(options, night, settings)
        audit_command.tell_others(options, night, notifier)

    back, began = mlflow_options.handback(options), time.monotonic()
    with bar(not options.quiet) as progress:
        night = api.audit(
            options.sources,
            options.output,
            settings=audit_command.for_judging(settings, options.run_timeout),
            write_back=back,
            **mlflow_options.wanted(options),
            progress=progress,
            seen=seen,
            plan=Plan(options.state, options.jobs, share, options.pages, cluster=options.cluster),
            tell=told,
            title=options.title,
        )
    if share is not None:
        _tell_unused(options, _tags(night))
        audit_command.tell_share(options, share, night)
        return mlflow_options.tell_written(options, back) or (2 if failures else 0)
    code = _night_told(options, night, settings, time.monotonic() - began)
    unwritten = mlflow_options.tell_written(options, back)
    return code or unwritten or (2 if failures else 0)


def _merge(options: Options) -> int:
    settings = load_settings(options.config, api.vocabulary(), Path())
    audit_command.checked(options, settings)
    audit_command.outputs_apart(options, [], [options.output / name for name in SITE_FILES])
    notifier = audit_command.notifier(options, settings)

    def told(night: Night) -> None:
        audit_command.write_outputs(options, night, settings)
        audit_command.tell_others(options, night, notifier)

    night = api.merge(
        options.folders, options.output, state=options.state, settings=settings, tell=told, title=options.title
    )
    return _night_told(options, night, settings)


def _night_told(options: Options, night: Night, settings: Settings, took: float | None = None) -> int:
    index = options.output / "index.html"
    if not options.quiet:
        for sentence in (*night.stale, *([night.clock] if night.clock else [])):
            complain(sentence)
    width = width_of(sys.stdout)
    took = took if width or options.verbose else None

    def summary(colour: bool) -> str:
        return terminal.night_summary(
            night, _url(index), colour=colour, verbose=options.verbose, columns=width, took=took
        )

    _tell(options, night, summary)
    return audit_command.exit_code(options, night, settings)


def _history(options: Options) -> int:
    from analyzer.cli import history_command  # noqa: PLC0415 - used by this verb alone

    settings = settings_of_call(options)
    audit_command.outputs_apart(options, [options.source], [options.output] if options.output else [])
    found = api.histories(
        options.source, metric=options.metric, better=options.better, settings=settings, replay=options.replay,
        **mlflow_options.wanted(options),
    )  # fmt: skip
    return history_command.told(options, found, analyzer.__version__)


def _series(options: Options) -> int:
    settings = settings_of_call(options)
    tables = api.understood(options.source, settings, run=options.run, **mlflow_options.wanted(options))
    tags: set[str] = set()
    read, width = False, width_of(sys.stdout)
    for i, (one, rows, kind) in enumerate(tables):
        read = read or one.could_be_read
        tags.update(one.series)
        sys.stdout.write(
            ("\n" if i else "") + terminal.series_table(one, rows, kind, colour=wants_colour(sys.stdout), width=width)
        )
    _tell_unused(options, tags)
    return 0 if read else 2


def _dump(options: Options) -> int:
    from analyzer.writers.points_json import write_points  # noqa: PLC0415 - used by this verb alone

    def runs() -> Iterator[Run]:
        return api.open_runs(options.source, run=options.run, **mlflow_options.wanted(options))

    return 0 if write_points(runs, sys.stdout) else 2


def _explain(options: Options) -> int:
    from analyzer.writers import explanation  # noqa: PLC0415 - used by this verb alone

    guides = api.guides()
    if options.symptom is not None and options.symptom not in guides:
        options.symptom = options.symptom.lower()
    if options.symptom is not None and options.symptom not in guides:
        near = suggestion(options.symptom, guides) or "; posthoc explain lists them"
        raise UsageError(f"unknown symptom {options.symptom!r}{near}")
    if options.html is not None:
        index = api.gallery(options.html)
        page = index.with_name(f"{options.symptom}.html") if options.symptom else index
        sys.stdout.write(f"Gallery: {_url(page)}\n")
    elif options.symptom is None:
        sys.stdout.write(explanation.list_of(guides, width_of(sys.stdout)))
    else:
        sys.stdout.write(explanation.page_of(guides[options.symptom], width_of(sys.stdout)))
    return 0


def _brief(options: Options) -> int:
    told = api.brief(
        options.source, run=options.run, settings=settings_of_call(options), **mlflow_options.wanted(options)
    )
    sys.stdout.write(told)
    return 0


def _watch(options: Options) -> int:
    from analyzer.cli import watch_command  # noqa: PLC0415 - used by this verb alone

    return watch_command.watch(options, settings_of_call(options))


def _mcp(options: Options) -> int:
    from analyzer.cli import mcp_server  # noqa: PLC0415 - used by this verb alone

    return mcp_server.serve(options, settings_of_call(options))


def _doctor(options: Options) -> int:
    from analyzer.cli import doctor  # noqa: PLC0415 - used by this verb alone

    return doctor.examine(options)


def _init(options: Options) -> int:
    from analyzer.cli import init_demo  # noqa: PLC0415 - used by two verbs alone

    return init_demo.init(options)


def _demo(options: Options) -> int:
    from analyzer.cli import init_demo  # noqa: PLC0415 - as above

    return init_demo.demo(options)


def _completion(options: Options) -> int:
    from analyzer.cli import completion  # noqa: PLC0415 - used by this verb alone

    sys.stdout.write(completion.script(options.shell, api.guides()))
    return 0


def _working_directory_is_there() -> bool:
    try:
        return Path.cwd().exists()
    except OSError:
        return False


_VERBS: Mapping[str, Callable[[Options], int]] = {
    "report": _report,
    "audit": _audit,
    "series": _series,
    "dump": _dump,
    "explain": _explain,
    "merge": _merge,
    "history": _history,
    "brief": _brief,
    "watch": _watch,
    "mcp": _mcp,
    "doctor": _doctor,
    "init": _init,
    "demo": _demo,
    "completion": _completion,
}


def settings_of_call(options: Options) -> Settings:
    """Return the settings of the working directory or of --config, with what the call overrules."""
    known = api.vocabulary()
    settings = Settings() if _untrusted(options) else load_settings(options.config, known, Path())
    return with_words(
        settings,
        known,
        select=getattr(options, "select", None),
        ignore=getattr(options, "ignore", None),
        roles=options.roles,
    )


def _untrusted(options: Options) -> bool:
    """Whether the working directory's settings lie inside a source, and are not obeyed: logs are untrusted."""
    named = [*getattr(options, "sources", []), getattr(options, "source", None), options.tracking_uri]
    places = [Path(local_path(text)) for text in named if text]
    file = settings_inside(Path(), places) if options.config is None else None
    if file is not None and not getattr(options, "quiet", False):
        complain(f"{file} lies inside the source and is not obeyed; if it is yours, add --config {file}")
    return file is not None


def _tags(night: Night) -> Iterator[str]:
    return (row.tag for result in night.results for row in result.series)


def _tell_unused(options: Options, found: Iterable[str]) -> None:
    """Say which tags of --role no run has: a slip of the pen would otherwise change nothing, silently."""
    given = dict(parsed_role(text, api.vocabulary()) for text in options.roles)
    tags = set(found) if given else set()
    for tag in given:
        if tag not in tags and tags and not getattr(options, "quiet", False):
            complain(f"--role: no run has the tag {tag!r}{suggestion(tag, tags)}")


def _tell(options: Options, night: Night, summary: Callable[[bool], str]) -> None:
    """Say the verdict where the JSON does not go."""
    _tell_unused(options, _tags(night))
    stream = sys.stdout
    if options.json is not None and str(options.json) == "-":
        deliver(lambda file: write_document(night, file), sys.stdout)
        stream = sys.stderr
    if not options.quiet:
        deliver(lambda file: file.write(summary(wants_colour(stream))), stream)


def _url(path: Path) -> str:
    return path.resolve().as_uri()
