"""One training that several formats describe is one run: judged once, from the source that says most.

Curves of another source that repeat those of the best one are dropped, and a note says so. A curve that only the other
source has, or has longer, is taken over, as are the plan, the settings and the status: nothing that was logged is lost.
Which files belong together is settled by where they lie; event files below `runs/` of a Trainer, of which there may be
many, by their curves.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from analyzer.model.roles import read_role
from analyzer.model.run import Run
from analyzer.readers.display_names import shown_path
from analyzer.readers.filelog import kinds
from analyzer.readers.filelog.store import FileRun
from analyzer.readers.formats import Memo, remembered
from analyzer.readers.merge_records import merged, repeats
from analyzer.readers.mlflow.run_metadata import TrackedRun
from analyzer.readers.run_ref import RunRef, Update, VerdictPayload
from analyzer.readers.tensorboard.logdir import EventRun

_TOLERANCE = 60.0  # seconds between the clocks and buffers of two loggers
_ARTIFACTS = "artifacts"
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_MEASURED = frozenset({"loss", "metric", "gradient-norm"})
_EVIDENCE = 2  # different fractional values: one may be equal by chance, or for lack of digits
_MOST_COMPARED = 50
"""Event files that are compared with one Trainer's history; a folder with more is a collection, and left as it is."""


@dataclass(frozen=True)
class TogetherRun(RunRef):
    """A run that `best` describes, and `others` once more."""

    best: RunRef
    others: tuple[RunRef, ...]

    alone: ClassVar[bool] = True

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run of the best source, with what only the others say; always all of it."""
        run = self.best.read()
        for other in self.others:
            run = merged(run, other.read(), _place(other))
        return Update(replace(run, id=self.id, source=self.source), {}, whole=True)

    def stamp(self) -> str | None:
        """Return the stamps of all sources; None when one cannot tell."""
        stamps = [one.stamp() for one in (self.best, *self.others)]
        return None if None in stamps else "+".join(map(str, stamps))


@dataclass(frozen=True)
class TrackedTogetherRun(TogetherRun):
    """One whose best source takes verdicts back."""

    accepts_verdicts: ClassVar[bool] = True

    def write_back(self, word: VerdictPayload) -> str | None:
        """Write the verdict to the tracker that keeps the run."""
        return self.best.write_back(word)


def united(refs: Sequence[RunRef], name: str, memo: Memo | None = None) -> list[RunRef]:
    """Return the runs of a source, those that describe one training made one.

    `name` is that of the source itself; `memo` keeps which curves were found to repeat each other.
    """
    tracked = {ref.key for ref in refs if isinstance(ref, TrackedRun)}
    refs = [ref for ref in refs if not (isinstance(ref, FileRun) and tracked and _is_left_over(ref, tracked))]
    files = [ref for ref in refs if isinstance(ref, FileRun)]
    if not files:
        return list(refs)
    union = _Union()
    finder = _Finder(refs, name, memo)
    for own in files:
        partners = finder.partners(own)
        for partner in partners:  # several event runs are pieces of what the file has whole
            if kinds.known()[own.source].leads or len(partners) > 1:
                union.add(own, partner)
            else:
                union.add(partner, own)
    for artifact, copy in _copies(files, union):
        union.add(union.best(artifact), union.best(copy))
    ordered = [*(ref for ref in refs if not isinstance(ref, FileRun)), *files]
    return [_made_one(ref, union.others(ref)) for ref in ordered if union.best(ref) is ref]


class _Union:
    """Which runs describe one training: each that another one describes better, by that one."""

    def __init__(self) -> None:
        self._better: dict[int, RunRef] = {}
        self._others: dict[int, list[RunRef]] = defaultdict(list)

    def add(self, better: RunRef, other: RunRef) -> None:
        """Take down that `better` says more of a training than `other`; nothing new where they are united already."""
        other = self.best(other)
        if self.best(better) is not other:
            self._better[id(other)] = better
            self._others[id(better)].append(other)

    def best(self, ref: RunRef) -> RunRef:
        """Return the run that says most of the training of `ref`."""
        while id(ref) in self._better:
            ref = self._better[id(ref)]
        return ref

    def others(self, ref: RunRef) -> list[RunRef]:
        """Return all runs that describe the training of `ref` with less."""
        return [one for other in self._others[id(ref)] for one in (other, *self.others(other))]


def _copies(files: Sequence[FileRun], union: _Union) -> Iterator[tuple[FileRun, FileRun]]:
    """Yield logs among a tracker's artifacts, each with a log elsewhere that is the same file byte for byte."""
    among = [ref for ref in files if isinstance(union.best(ref), TrackedRun)]
    sizes = {(ref.source, _size(ref)): ref for ref in among if _size(ref)}
    for ref in files:
        artifact = sizes.get((ref.source, _size(ref)))
        if artifact is not None and not isinstance(union.best(ref), TrackedRun) and _bytes(artifact) == _bytes(ref):
            yield artifact, ref


def _size(ref: FileRun) -> int:
    try:
        return 0 if ref.place.store else ref.place.path(ref.group.files[0][0]).stat().st_size
    except OSError:
        return 0


def _bytes(ref: FileRun) -> bytes | None:
    try:
        return ref.place.read(ref.group.files[0][0]).data
    except OSError:
        return None


def _is_left_over(ref: FileRun, tracked: Container[str]) -> bool:
    """Whether a log lies among the artifacts of a run that the tracker does not list: deleted, or of another store."""
    parts = ref.group.files[0][0].split("/")
    owners = [owner for owner, part in itertools.pairwise(parts) if part == _ARTIFACTS]
    return any(_RUN_ID.fullmatch(owner) and owner not in tracked for owner in owners)


def _made_one(best: RunRef, others: Sequence[RunRef]) -> RunRef:
    if not others:
        return best
    owner = next((o.source for o in others if isinstance(o, FileRun) and kinds.known()[o.source].owns_events), None)
    kind = TrackedTogetherRun if best.accepts_verdicts else TogetherRun
    return kind(best.id, best.name, owner or best.source, best.location, best, tuple(others))


class _Finder:
    """Where runs of trackers and event files lie."""

    def __init__(self, refs: Sequence[RunRef], name: str, memo: Memo | None) -> None:
        self._name, self._memo = name, memo
        self._by_key: dict[str, RunRef] = {}
        self._by_id: dict[str, EventRun] = {}
        self._by_folder: dict[str, EventRun] = {}
        for ref in refs:
            if isinstance(ref, TrackedRun):
                self._by_key.setdefault(ref.key, ref)
            elif isinstance(ref, EventRun):
                self._by_id.setdefault(ref.id, ref)
                for folder in ref.lies_in():
                    self._by_folder.setdefault(folder, ref)

    def partners(self, ref: FileRun) -> list[RunRef]:
        """Return the runs that describe the same training as a run in files."""
        parts = ref.group.files[0][0].split("/")
        for place, part in enumerate(parts[1:], 1):
            if part == _ARTIFACTS and parts[place - 1] in self._by_key:
                return [self._by_key[parts[place - 1]]]
        here = next((self._by_folder[folder] for folder in ref.lies_in() if folder in self._by_folder), None)
        same = here or self._by_id.get(shown_path(ref.group.home or self._name))
        if same is not None:
            certain = kinds.known()[ref.source].own_folder or self._share(ref, same)
            return [same] if certain else []
        certain_ones, likely = self._below(ref.group.nested), self._below(ref.group.around)
        compared = likely if len(likely) <= _MOST_COMPARED else []
        return [*certain_ones, *(one for one in compared if one not in certain_ones and self._share(ref, one))]

    def _below(self, folders: Iterable[str]) -> list[EventRun]:
        """Return the runs with event files in the folders or below them."""
        found = (event for folder, event in self._by_folder.items() if _is_below(folder, folders))
        return list({id(event): event for event in found}.values())

    def _share(self, one: RunRef, other: RunRef) -> bool:
        stamps = (one.stamp(), other.stamp())
        stamp = None if None in stamps else "+".join(map(str, stamps))
        where = f"curves of {one.location} and {other.location}"
        found = remembered(self._memo, where, stamp, lambda: "yes" if _shares(one.read(), other.read()) else "no")
        return found == "yes"


def _is_below(folder: str, nested: Iterable[str]) -> bool:
    return any(not one or folder == one or folder.startswith(f"{one}/") for one in nested)


def _shares(one: Run, other: Run) -> bool:
    """Whether two runs have losses or metrics in common; equal learning rates show an equal plan only."""
    if _apart(one, other):
        return False
    measured = [series for tag, series in one.series.items() if read_role(tag).role in _MEASURED]
    common = [a for a in measured if any(repeats(a, b) or repeats(b, a) for b in other.series.values())]
    values = {value for series in common for value in series.values[:100].tolist() if value % 1}
    return len(values) >= _EVIDENCE


def _apart(one: Run, other: Run) -> bool:
    """Whether two runs were written at different times: trained again, with the same values from the same seed."""
    spans = [_span(run) for run in (one, other)]
    (begun, ended), (other_begun, other_ended) = spans
    return ended + _TOLERANCE < other_begun or other_ended + _TOLERANCE < begun


def _span(run: Run) -> tuple[float, float]:
    """Return the first and last time of a run in Unix seconds; all times where none is known."""
    times = np.concatenate([np.empty(0), *(series.wall_times for series in run.series.values())])
    known = times[np.isfinite(times)]
    return (float(known.min()), float(known.max())) if known.size else (-np.inf, np.inf)


def _place(ref: RunRef) -> str:
    """Return the path of a run's first log in the source."""
    if isinstance(ref, FileRun):
        return shown_path(ref.group.files[0][0])
    if isinstance(ref, EventRun):
        folder, _, names = ref.folders[0]
        return shown_path(f"{folder}/{names[0]}" if folder else names[0])
    return ref.id


def logs_of(refs: Iterable[RunRef]) -> frozenset[str]:
    """Return the paths of all plain files that runs are read from, and of those that only repeat them."""
    found: set[str] = set()
    for ref in refs:
        if isinstance(ref, TogetherRun):
            found |= logs_of([ref.best, *ref.others])
        elif isinstance(ref, FileRun):
            found |= {*(path for path, _ in ref.group.files), *ref.group.twins}
    return frozenset(found)
