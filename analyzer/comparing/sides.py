"""Where the runs of a side come from: sources, experiments, runs at hand, or one source cut by a setting."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from analyzer.auditing.judging import joined, read
from analyzer.auditing.overlapping_sources import once
from analyzer.comparing.engine import Group
from analyzer.comparing.request import ComparisonRequest
from analyzer.comparing.settings_diff import setting_of, text_of
from analyzer.comparing.subject import Subject
from analyzer.errors import UsageError
from analyzer.model.redaction import mask_text
from analyzer.model.run import Run
from analyzer.readers import EVERY, Choice, RunRef, discover
from analyzer.settings.values import suggestion

Source = str | os.PathLike[str]
Given = Source | Run | Iterable[Source | Run]

ID = 8  # characters of an id that stand behind a tracker's name
NAMED = 8  # settings or values that a message names


@dataclass(frozen=True, slots=True)
class Origin:
    """How sources are opened: the tracker and which of its runs."""

    tracking_uri: str | None = None
    choice: Choice = EVERY
    ask: ComparisonRequest = field(default_factory=ComparisonRequest)


def subjects_of(given: Given, origin: Origin) -> tuple[Subject, ...]:
    """Return the runs of a side, read. SourceError when one of its sources is absent or holds no run."""
    items = [given] if isinstance(given, (str, os.PathLike, Run)) else list(given)
    found: list[Run] = [item for item in items if isinstance(item, Run)]
    sources = [os.fspath(item) for item in items if not isinstance(item, Run)]
    if sources:
        found += _read(sources, origin)
    return tuple(Subject(run, _label(run), origin.ask.roles, origin.ask.axis) for run in found)


def _read(sources: Sequence[str], origin: Origin) -> list[Run]:
    runs: list[Run] = []
    plain = [source for source in sources if not _is_experiment(source, origin)]
    if plain:
        runs += [read(ref) for ref in _found(plain, origin, origin.choice)]
    for name in (source for source in sources if source not in plain):
        choice = Choice((name,), origin.choice.filter, origin.choice.deleted)
        runs += [read(ref) for ref in _found([str(origin.tracking_uri)], origin, choice)]
    return runs


def _found(sources: Sequence[str], origin: Origin, choice: Choice) -> list[RunRef]:
    """Return references to the runs of all sources, each run once, their ids made distinct."""
    given, _ = once(sources)
    found = [(source, discover(source, tracking_uri=origin.tracking_uri, choice=choice)) for source in given]
    return [ref for _, ref, _ in joined(found)[0]]


def _is_experiment(source: str, origin: Origin) -> bool:
    """Whether a source is the name of an experiment of the tracker: no path, and no address."""
    return origin.tracking_uri is not None and ":/" not in source and not os.path.lexists(source)


def _label(run: Run) -> str:
    return run.id if not run.name or run.name in run.id else f"{run.name} ({run.id[:ID]})"


def named(sides: Sequence[Given], subjects: Sequence[Sequence[Subject]]) -> list[str]:
    """Return a name for each side: the end of its path, of several sources what they share; all differ."""
    for whole in (True, False):
        paths = [_path_of(given, own, whole=whole) for given, own in zip(sides, subjects, strict=True)]
        most = max(len(PurePosixPath(path).parts) for path in paths)
        for parts in range(1, most + 1):
            names = ["/".join(PurePosixPath(path).parts[-parts:]) for path in paths]
            if len(set(names)) == len(names) and all(names):
                return names
    roles = ("base", "candidate", *(f"candidate {i}" for i in range(2, len(sides))))
    return list(roles[: len(sides)])


def _path_of(given: Given, subjects: Sequence[Subject], *, whole: bool) -> str:
    """Return the path of a side; of several sources their folder, or (not `whole`) what their names share."""
    if isinstance(given, (str, os.PathLike)):
        text = mask_text(os.fspath(given))
        if text.startswith("runs:/") and len(subjects) == 1:
            return subjects[0].label
        return text.rstrip("/") if "://" in text else Path(text).resolve().as_posix()
    if isinstance(given, Run):
        return _label(given)
    items = list(given) if isinstance(given, Sequence) else []
    if len(items) == 1:
        return _path_of(items[0], subjects, whole=whole)
    sources = [Path(mask_text(os.fspath(item))).resolve().as_posix() for item in items if not isinstance(item, Run)]
    names = sources or [s.label for s in subjects]
    shared = _shared_start(names)
    return shared.rpartition("/")[0] if whole and "/" in shared else shared.rstrip("-_/ .0")


def _shared_start(names: Sequence[str]) -> str:
    """Return the characters with which all names begin."""
    first, last = min(names), max(names)
    same = (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(same, min(len(first), len(last)))]


def groups_by(subjects: Sequence[Subject], name: str, base: str | None, only: Sequence[str] = ()) -> list[Group]:
    """Return the groups of one source cut by a setting, the base first; the others in the order of their values.

    UsageError when no run has the setting, it has one value only, or a value that was asked for is not there.
    """
    cut: dict[str, list[Subject]] = {}
    for subject in subjects:
        value = setting_of(subject, name)
        if value is not None:
            cut.setdefault(value, []).append(subject)
    if len(cut) < 2:
        what = f"all runs have {name} = {next(iter(cut))}" if cut else f"no run has a setting {name!r}"
        raise UsageError(f"{what}{_others(subjects, name)}")
    order = sorted(cut, key=_natural)
    wanted = [_value(text, cut, name) for text in ([base] if base is not None else []) + list(only)]
    first = wanted[0] if base is not None else order[0]
    rest = wanted[base is not None :] if only else [value for value in order if value != first]
    return [Group(f"{name}={value}", tuple(cut[value])) for value in (first, *rest)]


def _value(text: str, cut: Mapping[str, object], name: str) -> str:
    value = text_of(text)
    if value in cut or text in cut:
        return value if value in cut else text
    raise UsageError(f"no run has {name} = {text}; there are {', '.join(sorted(cut, key=_natural)[:NAMED])}")


def _natural(text: str) -> tuple[bool, float, str]:
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text


def _others(subjects: Sequence[Subject], name: str) -> str:
    values: dict[str, set[str]] = {}
    for subject in subjects:
        for key in subject.run.params:
            values.setdefault(key, set()).add(str(subject.run.params[key]))
    varying = sorted(key for key, own in values.items() if 1 < len(own) < len(subjects))
    near = suggestion(name, varying)
    return near or (f"; settings that vary are {', '.join(varying[:NAMED])}" if varying else "; no setting varies")
