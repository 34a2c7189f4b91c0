"""Which numbers decide anything: `python -m benchmarks.sensitivity [--truth DIR] [--public DIR] [--out FILE]`.

Every limit and parameter of a detector, every parameter of a module of `analyzer.features`, and every numeric constant
of a module of detectors, features and statistics is moved by −30 % and by +43 % (÷ 0.7), one at a time, and a fixed
sample of runs is judged again. What is counted is the runs whose outcome changes: their verdict, or the symptoms that
alarm. A number that changes nothing is idle on these runs and may be deleted or merged; one that changes much decides,
and must have a reason.

`--truth` is a folder that `benchmarks.truth make` wrote, `--public` one with logs and a truth.json beside them; the
sample takes runs of each claim in turn. Without both, the runs that the detectors carry as their own cases are judged.
A default value that Python bound to a parameter when it read a function is not moved with its constant.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import itertools
import json
import os
import pkgutil
import re
import resource
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import analyzer
from analyzer import detectors, diagnosis, open_runs
from analyzer.features import RunFeatures
from analyzer.model.result import Result
from analyzer.model.run import Run

DOWN, UP = 0.7, 1 / 0.7
PACKAGES = ("detectors", "features", "stats")
MOST_POINTS = 20_000  # of a run's longest series: what is longer costs time and shows the same rules
NOW = 4e9  # Unix seconds: every log has ended
SECONDS, MEMORY = 2.0, 4 << 30  # of one judgement, and bytes of a process that judges
Outcome = tuple[str, frozenset[str]]
Value = float | int | tuple[float | int, ...]


@dataclass(frozen=True)
class Number:
    """A number of the code: `holder` is Limits or Params, or empty for a constant of the module."""

    module: str
    holder: str
    name: str
    value: Value
    unit: str
    why: str

    @property
    def symptom(self) -> str:
        """The detector that alone reads it, or nothing when others may."""
        package, _, stem = self.module.removeprefix("analyzer.").partition(".")
        return stem.replace("_", "-") if package == "detectors" and stem else ""


def numbers() -> list[Number]:
    """Return every number that can be moved, by module in alphabetical order."""
    return [number for module in _modules() for number in (*_fields_of(module), *_constants_of(module))]


def _modules() -> list[str]:
    found = []
    for package in PACKAGES:
        path = [str(Path(analyzer.__file__).parent / package)]
        found += [f"analyzer.{package}", *(m.name for m in pkgutil.iter_modules(path, f"analyzer.{package}."))]
    for name in found:
        importlib.import_module(name)
    return found


def _fields_of(module: str) -> Iterator[Number]:
    here = sys.modules[module]
    held = {"Limits": getattr(getattr(here, "DETECTOR", None), "limits", None), "Params": getattr(here, "PARAMS", None)}
    for holder, instance in held.items():
        for one in fields(instance) if instance is not None else ():
            about = one.metadata
            yield Number(module, holder, one.name, getattr(instance, one.name), about.get("unit", ""), about["why"])


def _constants_of(module: str) -> Iterator[Number]:
    lines = _source(module).splitlines()
    body = ast.parse(_source(module)).body
    for node, after in itertools.zip_longest(body, body[1:]):
        if not isinstance(node, ast.Assign):
            continue
        docstring = after.value.value if _is_text(after) else ""
        comments = (line.partition("  # ")[2].strip() for line in lines[node.lineno - 1 : node.end_lineno])
        unit, why = _explained(" ".join(str(docstring).split()) or "; ".join(filter(None, comments)))
        for name in (n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)):
            value = getattr(sys.modules[module], name)
            if name.isupper() and _is_number(value):
                yield Number(module, "", name, value, unit, why)


def _source(module: str) -> str:
    return Path(str(sys.modules[module].__file__)).read_text()


def _is_text(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_number(value: object) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(_is_number(one) for one in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _explained(text: str) -> tuple[str, str]:
    """Return unit and reason of a constant from what its docstring or comment says ("unit: reason")."""
    unit, colon, why = text.partition(": ")
    return (unit, why) if colon and len(unit) < 40 else ("", text)


def moved(value: Value, factor: float) -> Value:
    """Return a number times a factor; a whole number stays whole and moves by one at least."""
    if isinstance(value, tuple):
        return tuple(moved(one, factor) for one in value)  # type: ignore[misc]
    if isinstance(value, int):
        return min(round(value * factor), value - 1) if factor < 1 else max(round(value * factor), value + 1)
    return value * factor


@contextmanager
def holding(number: Number, value: Value) -> Iterator[None]:
    """Give a number another value everywhere, for as long as the context lasts."""
    put = _setter_of_field(number) if number.holder else _setter_of_constant(number)
    put(value)
    try:
        yield
    finally:
        put(number.value)


def _setter_of_field(number: Number) -> Callable[[Value], None]:
    here = sys.modules[number.module]
    instance = here.PARAMS if number.holder == "Params" else here.DETECTOR.limits
    kind = type(instance)
    at = [one.name for one in fields(instance)].index(number.name)

    def put(value: Value) -> None:
        object.__setattr__(instance, number.name, value)
        defaults = list(kind.__init__.__defaults__)
        defaults[at] = value
        kind.__init__.__defaults__ = tuple(defaults)
        if number.holder == "Limits":
            here.DETECTOR.__dict__.pop("default_limits", None)  # it is kept once it was asked for

    return put


def _setter_of_constant(number: Number) -> Callable[[Value], None]:
    holders = [number.module, *(name for name in _loaded() if _imports(name, number))]
    return lambda value: [setattr(sys.modules[name], number.name, value) for name in holders] and None


def _loaded() -> list[str]:
    return [
        name for name in sys.modules if name.startswith("analyzer.") and getattr(sys.modules[name], "__file__", None)
    ]


def _imports(module: str, number: Number) -> bool:
    if module == number.module or number.name not in vars(sys.modules[module]):
        return False
    froms = (node for node in ast.walk(ast.parse(_source(module))) if isinstance(node, ast.ImportFrom))
    return any(node.module == number.module and number.name in {a.name for a in node.names} for node in froms)


@dataclass
class Yardstick:
    """Runs with their outcome by the numbers as they are, and what every detector measured of each."""

    runs: list[Run]
    anatomies: list[RunFeatures]
    readings: list[dict[str, list[Any]]]
    outcomes: list[Outcome]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Yardstick:
        """Judge the runs once."""
        anatomies = [RunFeatures(run) for run in runs]
        readings = [{name: list(d.measure(one)) for name, d in detectors.known().items()} for one in anatomies]
        return cls(list(runs), anatomies, readings, [_outcome(run) for run in runs])

    def changes(self, number: Number, factor: float) -> int:
        """Return how many runs have another outcome when a number is multiplied by a factor."""
        value = moved(number.value, factor)
        if value == number.value:
            return 0
        with holding(number, value):
            again = (self._again(i, number.symptom) for i in range(len(self.runs)))
            return sum(one != before for one, before in zip(again, self.outcomes, strict=True))

    def _again(self, i: int, symptom: str) -> Outcome:
        """Judge a run again: only one detector measures where the number belongs to it alone."""
        if not symptom:
            return _outcome(self.runs[i])
        with _measured_before(self.readings[i], self.anatomies[i], symptom):
            return _outcome(self.runs[i])


@contextmanager
def _measured_before(readings: dict[str, list[Any]], features: RunFeatures, but: str) -> Iterator[None]:
    """Let every detector but one return what it measured before, and take the features as it is."""
    known, make = detectors.known(), diagnosis.RunFeatures
    before = dict(known)
    for name, detector in before.items():
        if name != but:
            known[name] = replace(detector, measure=lambda _, found=readings[name]: found)
    diagnosis.RunFeatures = lambda *_, **__: features
    try:
        yield
    finally:
        known.update(before)
        diagnosis.RunFeatures = make


def _outcome(run: Run) -> Outcome:
    try:
        with _at_most(SECONDS):
            result: Result = diagnosis.judge_run(run, now=NOW)
    except Exception as error:
        return type(error).__name__, frozenset()
    return result.verdict, frozenset(f.symptom for f in result.findings if f.alarms)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after so many seconds: with an impossible value a loop may never end."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _limit_memory() -> None:
    """Let what an impossible value asks for raise MemoryError instead of ending the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def sample(folder: Path, count: int) -> list[Run]:
    """Return runs of a folder with a truth.json, of each claim in turn, in an order that is always the same."""
    rows = json.loads((folder / "truth.json").read_text())["runs"]
    claims = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["path"]):
        claims[row.get("claim") or row.get("class") or "healthy"].append(row["path"])
    turns = itertools.zip_longest(*(claims[claim] for claim in sorted(claims)))
    found: list[Run] = []
    for path in (path for turn in turns for path in turn if path is not None):
        if len(found) >= count:
            break
        found += [run for run in open_runs(folder / path) if 0 < _longest(run) <= MOST_POINTS][:1]
    return found


def _longest(run: Run) -> int:
    return max((series.points for series in run.series.values()), default=0)


def cases() -> list[Run]:
    """Return the runs that the detectors carry as their own cases."""
    return [case.make() for detector in detectors.known().values() for case in detector.cases]


_YARDSTICK: list[Yardstick] = []  # what the processes of the pool inherit


def _row(number: Number) -> tuple[int, int]:
    return _YARDSTICK[0].changes(number, DOWN), _YARDSTICK[0].changes(number, UP)


def table(found: Sequence[Number], counts: Sequence[tuple[int, int]], runs: int, source: str) -> str:
    """Return the page: a table of every number with the outcomes that it changes."""
    idle = sum(not any(count) for count in counts)
    lines = [
        "# Sensitivity",
        "",
        "Written by `python -m benchmarks.sensitivity`; do not edit. Each number is moved alone, by −30 % and +43 %;",
        f"the last two columns count the runs, of {runs} ({source}), whose verdict or",
        "alarming symptoms change.",
        "Numbers that are definitions (quantiles of a Gaussian, units) are moved as well: their rows show what a wrong",
        "value would do. Where a moved value is impossible (a share above 1), judging fails and every such run counts.",
        "",
        f"{len(found)} numbers, of which {idle} change nothing on these runs.",
        "",
        "| module | name | value | unit | why | −30 % | +43 % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for number, (down, up) in zip(found, counts, strict=True):
        name = f"{number.holder}.{number.name}" if number.holder else number.name
        cells = (number.module.removeprefix("analyzer."), name, _shown(number.value), number.unit, number.why)
        lines.append(f"| {' | '.join(re.sub(r'[|]', '¦', cell) for cell in cells)} | {down} | {up} |")
    return "\n".join(lines) + "\n"


def _shown(value: Value) -> str:
    return ", ".join(_shown(one) for one in value) if isinstance(value, tuple) else f"{value:.6g}"


def main() -> None:
    """Judge the sample for every number, write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sensitivity", description=__doc__.partition("\n")[0])
    parser.add_argument("--truth", type=Path, help="folder that `python -m benchmarks.truth make` wrote")
    parser.add_argument("--public", type=Path, help="folder with public logs and a truth.json")
    parser.add_argument("--runs", type=int, default=20, help="runs of each folder (default: 20)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--out", type=Path, default=Path("docs/sensitivity.md"))
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    picked = {kind: sample(where, given.runs) for kind in ("truth", "public") if (where := getattr(given, kind))}
    picked = picked or {"cases": cases()}
    names = {"truth": "trained for the purpose", "public": "public logs", "cases": "the detectors' own cases"}
    source = ", ".join(f"{len(runs)} {names[kind]}" for kind, runs in picked.items())
    runs = [run for found in picked.values() for run in found]
    _YARDSTICK.append(Yardstick.of(runs))
    found = numbers()
    with ProcessPoolExecutor(given.jobs, initializer=_limit_memory) as pool:
        counts = []
        for number, count in zip(found, pool.map(_row, found, chunksize=4), strict=True):
            counts.append(count)
            print(f"{number.module} {number.holder} {number.name}: {count[0]} / {count[1]}", flush=True)
    given.out.write_text(table(found, counts, len(runs), source))


if __name__ == "__main__":
    main()
