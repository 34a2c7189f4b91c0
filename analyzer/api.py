"""The public functions of the package, and what the command line needs around them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import analyzer
from analyzer import detectors
from analyzer.auditing import judging, provenance
from analyzer.auditing.crash_report import told
from analyzer.auditing.cross_run import recurring_jobs
from analyzer.auditing.cross_run.run_settings import is_label
from analyzer.auditing.discovery_cache import DiscoveryCache
from analyzer.auditing.judging import DiscoveredRuns
from analyzer.auditing.log_symptoms import log_guides
from analyzer.auditing.merging import merged
from analyzer.auditing.output_paths import refuse_inputs
from analyzer.auditing.pipeline import Plan, Progress, run_audit
from analyzer.auditing.publishing import OnPublished
from analyzer.auditing.workers.dask_scheduler import reach
from analyzer.auditing.write_back import WriteBack
from analyzer.errors import SeveralRunsError, UsageError
from analyzer.features import RunFeatures
from analyzer.frames import scalars
from analyzer.histories import job_history
from analyzer.histories.announced_causes import is_code
from analyzer.histories.history_table import ENDINGS, read_sheet
from analyzer.histories.job_columns import nights
from analyzer.model.case import Case
from analyzer.model.comparison import Comparison, SeedNoise
from analyzer.model.guide import Guide
from analyzer.model.history import History
from analyzer.model.redaction import mask_text
from analyzer.model.result import AuditResult, Result
from analyzer.model.roles import ROLES, SPLITS
from analyzer.model.run import Note, Run
from analyzer.readers import EVERY, Choice, RunRef, open_source
from analyzer.settings import KnownNames, Settings
from analyzer.settings.values import suggestion
from analyzer.writers.briefing import briefing
from analyzer.writers.fallback_page import page_or_plain
from analyzer.writers.gallery import Exhibit, write_gallery
from analyzer.writers.issue import issue_text, write_issue_files
from analyzer.writers.site import Site
from analyzer.writers.tensorboard_text import write_text_event
from analyzer.writers.text_file import write_text

__all__ = ["analyze", "audit", "brief", "compare", "history", "open_runs", "report", "scalars", "seed_noise"]

if TYPE_CHECKING:
    from analyzer.comparing import Given

Source = str | os.PathLike[str]
Understood = tuple[str, int, str, str, str]


def open_runs(
    source: Source, *, run: str | None = None, tracking_uri: str | None = None, choice: Choice = EVERY
) -> Iterator[Run]:
    """Yield the runs of a source lazily, one at a time; with `run`, only the one of that id or name.

    `choice` (analyzer.readers.Choice) names experiments of a tracker, a filter for its server, deleted runs too.
    SourceError when the source is absent or of a kind that is not read, NoRunsError when it holds no run.
    """
    return open_source(os.fspath(source), run=run, tracking_uri=tracking_uri, choice=choice)


def analyze(run: Run | Source, settings: Settings | None = None, *, now: float | None = None) -> Result:
    """Return what there is to say about a run, or about the one run of a source (a path or an address).

    `now` (Unix seconds) tells a run still going from one that broke off. For a source: SourceError as open_runs(),
    SeveralRunsError when it holds several runs; `analyze(run) for run in open_runs(source)` judges each.
    """
    chosen, at = settings or Settings(), time.time() if now is None else now
    if isinstance(run, Run):
        return judging.judge(run, chosen, at)
    return next(judging.judged([one_run(run, run=None, tracking_uri=None, choice=EVERY)], chosen, at))


def report(
    source: Source,
    output: Source = "posthoc-report.html",
    *,
    run: str | None = None,
    settings: Settings | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
    write_back: WriteBack | None = None,
    title: str = "",
    markdown: Source | None = None,
    tensorboard: Source | None = None,
) -> Result:
    """Judge one run and write its page, one self-contained HTML file; return the result.

    `run` chooses by id or name where the source holds several; SeveralRunsError names them otherwise. `title` stands on
    the page in place of the run's name. With
    `write_back` the verdict is written to the tracker that keeps the run, too, and what came of it stands there.
    `markdown` names a file that also gets the run as text for an issue, with its chart as SVG beside it; `tensorboard`
    a folder that gets it as an event file for TensorBoard's text tab.
    SourceError as open_runs(), OutputError when the file cannot be written or is itself a log.
    """
    chosen = settings or Settings()
    refuse_inputs(Path(output), [os.fspath(source)])
    ref = one_run(source, run=run, tracking_uri=tracking_uri, choice=choice)
    result = next(judging.judged([ref], chosen))
    made = provenance.making(analyzer.__version__, os.fspath(source), run, chosen, title)
    page, _ = page_or_plain(result, guides(), made)
    write_text(Path(output), page)
    if markdown is not None:
        write_issue_files(Path(markdown), result, made)
    if tensorboard is not None:
        write_text_event(Path(tensorboard), issue_text(result, made), time.time())
    if write_back is not None:
        write_back.give(ref, result, page)
    return result


def brief(
    source: Source,
    *,
    run: str | None = None,
    settings: Settings | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
) -> str:
    """Return what there is to say about one run as plain text of at most 1,500 tokens, for a prompt or a ticket.

    Verdict, evidence with ids, settings, twelve informative points a curve, what was not checked. Text from the log
    stands between « and ». SeveralRunsError, SourceError as report().
    """
    ref = one_run(source, run=run, tracking_uri=tracking_uri, choice=choice)
    return briefing(next(judging.judged([ref], settings or Settings())))


def history(
    times: Sequence[object],
    metrics: Mapping[str, Sequence[Any]],
    *,
    better: str | Mapping[str, str] | None = None,
    settings: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | None = None,
    replay: bool = False,
) -> History:
    """Return what changed in a job's metrics over its nights; with `replay` what would have been reported when.

    `times` are Unix seconds, dates or texts in ISO 8601, one a run, in any order; each of `metrics` has one value a
    time (NaN or None: none). `better` is lower or higher, for all metrics or by name; else their names say it.
    `settings` has the settings of each run, by name or run by run; a column called commit is the code. UsageError
    when lengths differ or a time or value means nothing; NoRunsError when no metric has twelve nights.
    """
    given = job_history.given(settings, len(times), lambda name: is_label(name) and not is_code(name))
    return job_history.judged(nights(times, metrics, better=better, settings=given), replay=replay)


def histories(
    source: Source,
    *,
    metric: Sequence[str] | None = None,
    better: str | None = None,
    settings: Settings | None = None,
    replay: bool = False,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
) -> list[History]:
    """Return the histories of the jobs of a source: a CSV file of nights, or runs as open_runs() reads them.

    NoRunsError when it holds no job, with the reason; SourceError as open_runs().
    """
    chosen = settings or Settings()
    path = Path(os.fspath(source))
    if path.suffix.lower() in ENDINGS and path.is_file():
        asked = metric or chosen.history.metric or None
        sheet = read_sheet(path, metrics=asked, better=better, label=is_label)
        return [job_history.judged(sheet, dict(chosen.history.limits), replay=replay)]
    asked_for = replace(chosen.history, metric=tuple(metric or chosen.history.metric))
    plain = replace(chosen, select=frozenset(), history=asked_for)
    found = judging.find_runs([os.fspath(source)], tracking_uri=tracking_uri, choice=choice)
    return recurring_jobs.of_results(
        judging.judged(found.refs, plain), asked_for, str(source), better=better, replay=replay
    )


def one_run(source: Source, *, run: str | None, tracking_uri: str | None, choice: Choice) -> RunRef:
    """Return the one run of a source, or the one called `run`, unread."""
    found = judging.find_runs([os.fspath(source)], tracking_uri=tracking_uri, choice=choice)
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
    write_back: WriteBack | None = None,
    progress: Progress | None = None,
    seen: Callable[[DiscoveredRuns], None] | None = None,
    plan: Plan | None = None,
    tell: OnPublished | None = None,
    title: str = "",
) -> AuditResult:
    """Judge every run of the sources and write a site; return the audit, its results without their curves.

    `plan` says how: with which state, in how many processes or on which cluster, which part of the runs (then a shard
    is written in place of a site, for merge()). `seen` is called with what was found before the first run is judged,
    `tell` with the audit when its site is written and before the state remembers it; with `write_back` each verdict is
    written to the tracker that keeps the run, too. `title` is what the index is called.
    SourceError when no source can be read, OutputError when `output` is not empty and no posthoc site, or cannot be
    written; StateError.
    """
    given = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    named = [os.fspath(source) for source in given]
    if plan is not None and plan.cluster is not None:
        reach(plan.cluster)
    with DiscoveryCache(plan.state if plan is not None else None) as memo:
        found = judging.find_runs(named, tracking_uri=tracking_uri, choice=choice, memo=memo)
    if seen:
        seen(found)
    site, chosen = Site(Path(output), guides(), title), settings or Settings()
    audited = run_audit(
        found,
        named,
        chosen,
        site=site,
        plan=plan or Plan(),
        version=analyzer.__version__,
        progress=progress,
        on_published=tell,
    )
    if write_back is not None:
        write_back.give_all(found.refs, audited.results, site)
    return audited


def compare(
    base: Given,
    candidate: Given,
    *,
    metric: str | Sequence[str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    noise_from: SeedNoise | Given | None = None,
    worth: float | str | None = None,
    level: float = 0.95,
    paired: bool | str | None = None,
    outcome: Literal["final", "best", "auc"] = "final",
    at: str | None = None,
    settings: Settings | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
) -> Comparison:
    """Return whether the candidate's runs are better than the base's, by how much, and how sure that is.

    A side is a source, a list of sources, or runs (analyzer.Run) whose runs differ by their seed only. `metric` is the
    primary one (several: the others are secondary), `worth` the smallest difference that would matter (0.002, "1%"),
    `noise_from` what seed noise is borrowed from, `paired` the setting that pairs runs (True: the seed), `at` the
    budget as in "step=1000". UsageError when the sides have no metric or no finished run, SourceError as open_runs().
    """
    from analyzer import comparing  # noqa: PLC0415 - used by two functions alone
    from analyzer.comparing.request import ComparisonRequest, parsed_at, parsed_worth  # noqa: PLC0415 - as above

    axis, budget = parsed_at(at)
    ask = ComparisonRequest(
        metric=(metric,) if isinstance(metric, str) else tuple(metric or ()),
        better=better,
        outcome=outcome,
        axis=axis,
        at=budget,
        paired="seed" if paired is True else paired or "",
        worth=parsed_worth(worth),
        level=level,
        roles=(settings or Settings()).roles,
        version=analyzer.__version__,
    )
    return comparing.compare_given((base, candidate), comparing.Origin(tracking_uri, choice, ask), noise_from)


def seed_noise(source: Given, *, metric: str, tracking_uri: str | None = None, choice: Choice = EVERY) -> SeedNoise:
    """Return how much seeds scatter in a metric, out of the groups of replicates of a source, for compare(noise_from=).

    A group is a folder of runs, or the runs of an experiment with the same settings. Fewer than four groups have no
    `sd`. UsageError when no run logs the metric, SourceError as open_runs().
    """
    from analyzer import comparing  # noqa: PLC0415 - as above

    return comparing.noise_given(source, metric, comparing.Origin(tracking_uri, choice))


def merge(
    folders: Iterable[Source],
    output: Source = "posthoc-site",
    *,
    state: Source | None = None,
    settings: Settings | None = None,
    tell: OnPublished | None = None,
    title: str = "",
) -> AuditResult:
    """Make one site of the shards of an audit that lie in folders; return the audit.

    `state`, its retention in the settings, `tell` and `title` as for audit(). SourceError when a shard is missing,
    damaged or of another audit.
    """
    memory = None if state is None else Path(state)
    site = Site(Path(output), guides(), title)
    return merged([Path(folder) for folder in folders], site, memory, settings or Settings(), on_published=tell)


def understood(
    source: Source,
    settings: Settings,
    *,
    run: str | None = None,
    tracking_uri: str | None = None,
    choice: Choice = EVERY,
) -> Iterator[tuple[Run, list[Understood], str]]:
    """Yield each run of a source, how its tags are understood (tag, points, role, split, why), and its family in words.

    A run that makes posthoc fail has a note that says so, and its tags without roles; the others are told as ever.
    """
    for one in open_runs(source, run=run, tracking_uri=tracking_uri, choice=choice):
        rows: list[Understood]
        kind = ""
        try:
            features = RunFeatures(one, settings.roles)
            curves, kind = features.curves.values(), features.kind.sentence
            rows = [(c.tag, one.series[c.tag].points, c.role.role, c.role.split or "", c.role.why) for c in curves]
        except Exception as error:  # a fault that one run meets must not keep the others from being told
            note = Note(
                "metadata", f"its tags could not be understood ({told(error)}); please report this with the log"
            )
            one = replace(one, notes=(*one.notes, note))  # noqa: PLW2901 - the same run, with what befell it
            rows = [(tag, series.points, "–", "", "") for tag, series in one.series.items()]
        yield one, rows, kind


def guides() -> Mapping[str, Guide]:
    """Return the page of every symptom."""
    return provenance.guides()


def gallery(output: Source) -> Path:
    """Write a page for every symptom, with its cases judged and drawn, and return the index of them.

    OutputError when `output` is not empty and no gallery of ours, or cannot be written.
    """
    exhibits = {
        symptom: [Exhibit(case.name, case.expect, _judged_case(symptom, case)) for case in detector.cases]
        for symptom, detector in detectors.known().items()
    }
    return write_gallery(Path(output), guides(), exhibits, analyzer.__version__)


def _judged_case(symptom: str, case: Case) -> Result:
    return judging.judge(case.make(), Settings(select=frozenset({symptom})), now=0.0)


def vocabulary() -> KnownNames:
    """Return the words that settings may use."""
    limits: dict[str, Mapping[str, float]] = {
        name: {**d.default_limits, **dict.fromkeys(d.retired, math.nan)} for name, d in detectors.known().items()
    }
    return KnownNames(limits | {symptom: {} for symptom in log_guides()}, ROLES, SPLITS)
