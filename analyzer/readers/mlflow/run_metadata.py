"""What every run of MLflow has, wherever it is kept: its id there, its experiment, and what comes along with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from analyzer.errors import NoRunsError, SourceError
from analyzer.model.redaction import mask_params, mask_text
from analyzer.model.run import Note, Run, Series
from analyzer.readers.formats import Choice
from analyzer.readers.run_ref import RunRef, Update, VerdictPayload

NAME = "mlflow"
DATASETS, RUN_NAME = "mlflow.datasets", "mlflow.runName"
"""The tag under which a Run has its data sets, and MLflow's own for its name."""
OWN_TAGS = "posthoc."  # how the names of our own tags begin
VERDICT, SYMPTOMS, PAGE = "posthoc.verdict", "posthoc.symptoms", "posthoc/report.html"
"""Tags and artifact that a verdict is handed back as."""
MOST_SYMPTOMS = 5_000  # characters of a tag that every version of MLflow takes
MOST_NAMED = 10


@dataclass(frozen=True)
class TrackedRun(RunRef):
    """A run of MLflow under its id `key` (`id` may have been made distinct), in `experiment` with the id there."""

    key: str
    experiment: str = field(default="", kw_only=True)
    experiment_id: str = field(default="", kw_only=True)

    accepts_verdicts: ClassVar[bool] = True
    of_any: ClassVar[bool] = False
    """Whether it stands for runs of whatever experiments, none of which could be read."""

    def run_of(
        self,
        series: Mapping[str, Series],
        params: Mapping[str, object],
        tags: Mapping[str, str],
        notes: Sequence[Note] = (),
        *,
        declared: str | None = None,
        datasets: Sequence[tuple[str, str, str]] = (),
    ) -> Run:
        """Return the run with all that comes along but our own tags; `datasets` are (name, digest, context)."""
        foreign = {name: value for name, value in tags.items() if not name.startswith(OWN_TAGS)}
        known = {name: str(value) for name, value in mask_params(foreign).items()}
        if datasets:
            known[DATASETS] = "; ".join(_dataset(*one) for one in datasets)
        name = known.get(RUN_NAME) or self.name
        masked = mask_params(params)
        return Run(
            self.id,
            name,
            NAME,
            self.location,
            series,
            masked,
            known,
            notes=tuple(notes),
            declared=declared or None,
            experiment=self.experiment,
        )

    def lost(self, why: str) -> Update:
        """Return the run as one of which nothing could be read."""
        notes = (Note("unreadable", why),)
        run = Run(self.id, self.name, NAME, self.location, notes=notes, experiment=self.experiment)
        return Update(run, {}, whole=True)


@dataclass(frozen=True)
class LostRuns(TrackedRun):
    """Runs that could not be listed, among others that could: a database, the rest of a list. It is one failed run."""

    problem: str

    of_any: ClassVar[bool] = True

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return a run without series and the reason."""
        return self.lost(self.problem)

    def write_back(self, word: VerdictPayload) -> str | None:
        """Raise SourceError with the reason: there is no run to write to."""
        raise SourceError(f"{self.problem}; no verdict was written back")


def _dataset(name: str, digest: str, context: str) -> str:
    inside = ", ".join(part for part in (context, digest) if part)
    return f"{name} ({inside})" if inside else name


Of = TypeVar("Of", bound=TrackedRun)


def of_experiments(refs: Iterable[Of], choice: Choice, where: str) -> list[Of]:
    """Return the runs of the experiments that are wanted, by name or id; NoRunsError, naming those there are."""
    if not choice.experiments:
        return list(refs)
    every = list(refs)
    wanted = set(choice.experiments)
    chosen = [ref for ref in every if ref.of_any or ref.experiment in wanted or ref.experiment_id in wanted]
    if every and not chosen:
        raise NoRunsError(no_experiment(choice, {ref.experiment for ref in every}, where))
    return chosen


def no_experiment(choice: Choice, names: Iterable[str], where: str) -> str:
    """Return the sentence that says that none of the experiments wanted is there, and which ones are."""
    there = sorted(mask_text(name) for name in names if name)
    near = [match for name in choice.experiments for match in difflib.get_close_matches(name, there, 2)]
    shown = near or there[:MOST_NAMED]
    more = ", …" if not near and len(there) > MOST_NAMED else ""
    which = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(shown)}{more}"
    return f"{where}: no run in an experiment called {' or '.join(map(repr, choice.experiments))}; {which}"


def symptoms_text(symptoms: Sequence[str]) -> str:
    """Return symptoms as one tag's text, `none` when there are none: an empty tag is not one in every store."""
    return ",".join(symptoms)[:MOST_SYMPTOMS] or "none"
