"""A part of a night, judged elsewhere: which runs belong to it, and the file that carries its rows to the merge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TextIO

from analyzer.auditing import cache_key
from analyzer.auditing.record import RunRecord
from analyzer.errors import SourceError, UsageError
from analyzer.model.codec import noun_of, require, text_of
from analyzer.model.run import Note
from analyzer.writers.text_file import write_whole

SCHEMA = "posthoc-shard/1"


@dataclass(frozen=True, slots=True)
class ShardPart:
    """The part `number` (from 1) of `of` equal parts of a night; a run's part depends on its id alone."""

    number: int
    of: int

    @classmethod
    def parsed(cls, text: str) -> ShardPart:
        """Return the share `I/N`, 1 <= I <= N. UsageError for anything else."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise UsageError(f"--shard {text!r} is not I/N with I from 1 to N, as in 1/8")
        return cls(int(number), int(of))

    def holds(self, run: str) -> bool:
        """Whether a run belongs to it."""
        digest = hashlib.sha256(run.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    @property
    def file(self) -> str:
        """The name of the file that has its rows."""
        return f"shard-{self.number}-of-{self.of}.jsonl"


@dataclass(frozen=True, slots=True)
class Head:
    """What a shard's file says before its rows: what must be the same in all shards of one night, and its own notes.

    `asked` is what was looked at: a night is put beside those before it that were asked for the same.
    `runs` is how many were discovered in all, `names` a digest of all their ids in order, `stale` as Night.stale, `at`
    when it was judged, in Unix seconds: the first shard's is the night's.
    """

    share: ShardPart
    version: str
    judging: str
    sources: tuple[str, ...]
    asked: tuple[str, ...]
    runs: int
    names: str
    notes: tuple[Note, ...]
    stale: tuple[str, ...]
    at: float = 0.0

    def of_the_same_night(self, other: Head) -> bool:
        """Whether both come from audits of the same logs with the same settings and the same number of shards."""
        return self._night == other._night

    @property
    def _night(self) -> tuple[object, ...]:
        return (self.share.of, self.version, self.judging, self.asked, self.runs, self.names)


def names_digest(names: Iterable[str]) -> str:
    """Return a digest of run ids in their order."""
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def write_shard(folder: Path, head: Head, rows: Iterable[tuple[int, RunRecord]]) -> Path:
    """Write a shard's file: its head, then one row a line with its place in the whole night; return its path."""
    path = folder / head.share.file
    first = json.dumps([SCHEMA, cache_key.code(), text_of(head)])
    lines = (json.dumps([number, row.text()]) for number, row in rows)
    write_whole(path, lambda file: file.writelines(f"{line}\n" for line in chain((first,), lines)))
    return path


def read_head(path: Path, code: str) -> Head:
    """Return what a shard says of itself. SourceError when it is none, or of another version."""
    with _opened(path) as file:
        schema, own, head = json.loads(file.readline())
        if schema != SCHEMA:
            raise ValueError(f"it is of schema {schema}")
        if own != code:
            raise SourceError(f"{path} was written by another version of posthoc; audit and merge with the same one")
        return _sound(noun_of(Head, head))


def read_rows(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the rows of a shard by their places in the night, as texts. SourceError for a damaged one."""
    with _opened(path) as file:
        file.readline()
        seen = set()
        for number, text in map(json.loads, file):
            require(RunRecord, text)
            RunRecord.parsed(text)
            if not _is_count(number) or number in seen:
                raise ValueError(f"a row has the number {number!r:.40}, or has it twice")
            seen.add(number)
            yield number, text


def _sound(head: Head) -> Head:
    """Return a head whose values are what their types promise. ValueError for another one."""
    share, runs = head.share, head.runs
    if not (_is_count(share.number) and _is_count(share.of) and 1 <= share.number <= share.of):
        raise ValueError("it does not say which shard it is")
    if not _is_count(runs):
        raise ValueError("it does not say how many runs there are")
    texts = (head.version, head.judging, head.names, *head.sources, *head.asked, *head.stale)
    texts += tuple(text for note in head.notes for text in (note.kind, note.message))
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("what should be text in its first line is not")
    datetime.fromtimestamp(head.at, UTC)  # raises for what no clock writes
    return head


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a shard's file; whatever it holds that is none of a shard becomes a SourceError."""
    try:
        if not path.is_file():  # a pipe would be waited for, and a device read, without end
            raise ValueError("it is not a file")
        with path.open(encoding="utf-8", newline="\n") as file:
            yield file
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise SourceError(f"{path} is not a posthoc shard, or is corrupt ({error}); make it again") from error


def shard_files(folders: Sequence[Path]) -> list[Path]:
    """Return the shard files of the folders. SourceError names a folder that has none."""
    found = []
    for folder in dict.fromkeys(folders):
        files = sorted(folder.glob("shard-*-of-*.jsonl"))
        if not files:
            raise SourceError(f"{folder} holds no shard; give folders that posthoc audit --shard wrote")
        found += files
    return found


def whole_night(shards: Sequence[tuple[Path, Head]]) -> Head:
    """Return the head of the night that the shards make.

    SourceError when they are of different nights, or one is missing or there twice.
    """
    head = shards[0][1]
    for path, other in shards:
        if not head.of_the_same_night(other):
            raise SourceError(f"{path} is of another night than {shards[0][0]}: other logs, settings or shards")
    numbers = [one.share.number for _, one in shards]
    for number in range(1, head.share.of + 1):
        if numbers.count(number) != 1:
            what = "is missing" if number not in numbers else "is there more than once"
            raise SourceError(f"shard {number}/{head.share.of} {what}; an audit is published only when it is complete")
    notes = tuple(dict.fromkeys(note for _, one in shards for note in one.notes))
    stale = tuple(text for text in head.stale if all(text in one.stale for _, one in shards))
    return replace(head, notes=notes, stale=stale, at=min(one.at for _, one in shards))
