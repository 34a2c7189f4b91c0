"""A run that was found and not yet read: small, picklable, and able to read itself in any process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from analyzer.errors import SourceError
from analyzer.model.run import Note, Run
from analyzer.readers.sanitize import cleaned


@dataclass(frozen=True, slots=True)
class VerdictPayload:
    """What is handed back to a tracker: the verdict, the symptoms found (worst first), the run's page if it has one."""

    verdict: str
    symptoms: tuple[str, ...]
    page: str | None


@dataclass(frozen=True)
class RunRef(ABC):
    """Where one run lies. Cheap: holds names, never points; `dataclasses.replace` gives it another id.

    `id`, `name`, `source` and `location` are those of the Run that read() returns, secrets already masked.
    """

    id: str
    name: str
    source: str
    location: str

    accepts_verdicts: ClassVar[bool] = False
    """Whether write_back() can write to where the run is kept."""

    alone: ClassVar[bool] = False
    """Whether nothing but this run lies at its location, though that is no folder of this machine."""

    @abstractmethod
    def load(self, marks: Mapping[str, str]) -> Update:
        """Read for update(), which also guards and cleans what this gives: the part that a format writes."""

    def read(self) -> Run:
        """Return the run. Never raises for what a log contains: what cannot be read is said in the run's notes."""
        return self.update({}).run

    def update(self, marks: Mapping[str, str]) -> Update:
        """Return what has come since the reading that gave `marks`; all of it when they are empty or do not fit.

        A format that cannot tell reads everything again. Secrets are masked and texts bounded; a reader that fails
        costs this run alone.
        """
        try:
            found = self.load(marks)
            return replace(found, run=cleaned(found.run))
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            text = f"{self.location}: its reader failed ({what}); please report this with the log"
            failed = Run(self.id, self.name, self.source, self.location, notes=(Note("unreadable", text),))
            return Update(cleaned(failed), {}, whole=True)

    def stamp(self) -> str | None:
        """Return a short text that is the same as long as the run's logs are untouched; None: always read again.

        Costs no more than a look at sizes and times.
        """
        return None

    def write_back(self, word: VerdictPayload) -> str | None:
        """Write a verdict to where the run is kept, because the user asked for it; twice is the same as once.

        Returns None when all of it is there, else one sentence on what could not be written. SourceError when
        nothing could.
        """
        raise SourceError(f"{self.location}: logs of this kind take no verdict back; only MLflow's do")


@dataclass(frozen=True)
class Update:
    """What reading again gave. `marks` are to be handed in next time, by file; texts that only the reader understands.

    `whole`: the run has all points, for it was read from the beginning; else only those that have come since.
    """

    run: Run
    marks: Mapping[str, str]
    whole: bool


@dataclass(frozen=True)
class Discovery:
    """What a source holds: its runs in a stable order, and what lies there besides and is not read."""

    refs: tuple[RunRef, ...]
    notes: tuple[Note, ...] = ()

    def __iter__(self) -> Iterator[RunRef]:
        return iter(self.refs)
