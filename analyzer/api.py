"""The public functions of the package, and what the command line needs around them."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import analyzer
from analyzer import detectors
from analyzer.anatomy import Anatomy
from analyzer.errors import SeveralRunsError, UsageError
from analyzer.fleet import night as fleet
from analyzer.fleet.handback import Handback
from analyzer.fleet.log_symptoms import log_guides
from analyzer.fleet.night import Found
from analyzer.fleet.outputs import refuse_inputs
from analyzer.frames import scalars
from analyzer.model.guide import Guide
from analyzer.model.result import Night, Result
from analyzer.model.roles import ROLES, SPLITS
from analyzer.model.run import Run
from analyzer.model.secrets import mask_text
from analyzer.readers import EVERY, Choice, RunRef, open_source
from analyzer.settings import Known, Settings, suggestion
from analyzer.writers.file import write_text
from analyzer.writers.page import Making
from analyzer.writers.plain import page_or_plain
from analyzer.writers.site import Site

__all__ = ["analyze", "audit", "open_runs", "report", "scalars"]

Source = str | os.PathLike[str]
Understood = tuple[str, int, str, str, str]
Progress = Callable[[int, int], None]
"""Called with the number of runs judged and the number of all."""


def open_runs(
    source: Source, *, run: str | None = None, tracking_uri: str | None = None, choice: Choice = EVERY
) -> Iterator[Run]:
    """Yield the runs of a source lazily, one at a time; with `run`, only the one of that id or name.

    `choice` (analyzer.readers.Choice) names experiments of a tracker, a filter for its server, deleted runs too.
    SourceError when the source is absent or of a kind that is not read, NoRunsError when it holds no run.
    """
    return open_source(os.fspath(source), run=run, tracking_uri=tracking_uri, choice=choice)


def analyze(run: Run, settings: Settings | None = None, *, now: float | None = None) -> Result:
    """Return what there is to say about a run; `now` (Unix seconds) tells a run still going from one that broke off."""
    return fleet.judge(run, settings or Settings(), time.time() if now is None else now)


def report(
    source: Source,
    output: Source = "posthoc-report.html",
    *,
    run: str | None = None,
    settings: Settings | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
    write_back: Handback | None = None,
) -> Result:
    """Judge one run and write its page, one self-contained HTML file; return the result.

    `run` chooses by id or name where the source holds several; SeveralRunsError names them otherwise. With
    `write_back` the verdict is written to the tracker that keeps the run, too, and what came of it stands there.
    SourceError as open_runs(), OutputError when the file cannot be written or is itself a log.
    """
    chosen = settings or Settings()
    refuse_inputs(Path(output), [os.fspath(source)])
    ref = one_run(source, run=run, tracking_uri=tracking_uri, choice=choice)
    result = next(fleet.judged([ref], chosen))
    page = page_or_plain(result, guides(), _making(os.fspath(source), run, chosen))[0]
    write_text(Path(output), page)
    if write_back is not None:
        write_back.give(ref, result, lambda: page)
    return result


def one_run(source: Source, *, run: str | None, tracking_uri: str | None, choice: Choice) -> RunRef:
    """Return the one run of a source, or the one called `run`, unread."""
    found = fleet.find_runs([os.fspath(source)], tracking_uri=tracking_uri, choice=choice)
    refs = [ref for ref in found.refs if run is None or ref.id == run]
    refs = refs or [ref for ref in found.refs if ref.name == run]
    ids = tuple(ref.id for ref in found.refs)
    where = mask_text(os.fspath(source))
    if not refs:
        near = suggestion(str(run), [*ids, *(ref.name for ref in found.refs)])
        raise UsageError(f"{where} holds no run {run!r}{near or '; posthoc series names them'}")
    if len(refs) > 1:
        names = tuple(ref.id for ref in refs)
        raise SeveralRunsError(f"{where} holds {len(names)} runs; choose one with --run, or use posthoc audit", names)
    return refs[0]


def audit(
    sources: Source | Iterable[Source],
    output: Source = "posthoc-site",
    *,
    settings: Settings | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
    write_back: Handback | None = None,
    progress: Progress | None = None,
    seen: Callable[[Found], None] | None = None,
) -> Night:
    """Judge every run of the sources and write a site; return the night, its results without their curves.

    `seen` is told what was found before the first run is judged; with `write_back` each verdict is written to the
    tracker that keeps the run, too. SourceError when no source can be read,
    OutputError when `output` is not empty and no posthoc site, or cannot be written.
    """
    given = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    named = [os.fspath(source) for source in given]
    chosen = settings or Settings()
    found = fleet.find_runs(named, tracking_uri=tracking_uri, choice=choice)
    if seen:
        seen(found)
    site = Site(Path(output), guides())
    results = []
    for done, result in enumerate(fleet.judged(found.refs, chosen), 1):
        source, name = found.origins[done - 1]
        making = _making(source, name, chosen)
        site.add(result, making)
        if write_back is not None:
            write_back.give(found.refs[done - 1], result, partial(_page, result, making))
        results.append(result.without_curves())
        if progress:
            progress(done, len(found.refs))
    told = Night(analyzer.__version__, tuple(mask_text(s) for s in named), tuple(results))
    site.finish(told, found.notes)
    return told


def understood(
    source: Source,
    settings: Settings,
    *,
    run: str | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
) -> Iterator[tuple[Run, list[Understood]]]:
    """Yield each run of a source with how its tags are understood: (tag, points, role, split, why)."""
    for one in open_runs(source, run=run, tracking_uri=tracking_uri, choice=choice):
        curves = Anatomy(one, settings.roles).curves.values()
        yield one, [(c.tag, one.series[c.tag].points, c.role.role, c.role.split or "", c.role.why) for c in curves]


def _page(result: Result, making: Making) -> str:
    return page_or_plain(result, guides(), making)[0]


def guides() -> Mapping[str, Guide]:
    """Return the page of every symptom."""
    return {symptom: detector.guide for symptom, detector in detectors.known().items()} | dict(log_guides())


def vocabulary() -> Known:
    """Return the words that settings may use."""
    limits: dict[str, Mapping[str, float]] = {name: d.default_limits for name, d in detectors.known().items()}
    return Known(limits | {symptom: {} for symptom in log_guides()}, ROLES, SPLITS)


def _making(source: str, run: str | None, settings: Settings) -> Making:
    """Return how to make a page again: the command, and which limits differ from the defaults."""
    words = ["posthoc", "report", mask_text(source), *(["--run", mask_text(run)] if run is not None else [])]
    for option, names in (("--select", settings.select), ("--ignore", settings.ignore)):
        words += [option, ",".join(sorted(names))] if names else []
    for tag, role in settings.roles.items():
        meaning = ":".join([role.role, role.split or "", role.direction or ""]).rstrip(":")
        words += ["--role", f"{tag}={meaning}"]
    return Making(analyzer.__version__, shlex.join(words), _changed(settings.limits))


def _changed(limits: Mapping[str, Mapping[str, float]]) -> Sequence[tuple[str, str, float, float]]:
    known = detectors.known()
    return tuple(
        (symptom, name, value, known[symptom].default_limits[name])
        for symptom, own in sorted(limits.items())
        for name, value in sorted(own.items())
        if known[symptom].default_limits[name] != value
    )
