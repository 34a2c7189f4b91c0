"""How well changes over nights are found, beside apache-otava: `python -m benchmarks.history [--histories 154]`.

Simulated histories of 60 to 200 nights with noise of seven kinds (normal, heavy tails, correlated, single bad nights,
rounded, a weekly wave, a slow trend) and of six courses (nothing, a step of 3 to 6 sd, a step of 2 sd, a drift of 15 to
30 nights, a step that is taken back); jobs of ten metrics; changes that a setting announces. Seeds of the part that the
weights were tuned on and of the part that is reported (`--part`) do not overlap.

F1, precision and recall are of the account of all nights, within five nights of what was planted; false alarms a year
and metric, and the delay in nights, of the replay. Changes never told count as infinite delays. Otava (extra `peers`)
is asked anew every night on the same histories: a changepoint is told when it first comes up, five nights from all
before.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.histories.job_columns import LEAST_NIGHTS, nights
from analyzer.histories.job_history import DEFAULT, Limits, history

Array = NDArray[np.float64]
KINDS = ("normal", "heavy", "correlated", "outliers", "rounded", "weekly", "trend")
COURSES = ("none", "step", "step", "small", "drift", "back")
NEAR = 5
PARTS = {"tune": 0, "report": 100_000}
Truth = list[tuple[int, int, float]]
"""Planted changes: first night, last night (of a drift), size in sd."""
Told = tuple[list[int], list[tuple[int, int]]]
"""Indices of the changes of all nights, and (index, night) of what was told."""


def noise(rng: np.random.Generator, n: int, kind: str) -> Array:
    """Return noise of about unit standard deviation."""
    z = rng.normal(size=n)
    if kind == "heavy":
        return rng.standard_t(4, n) / np.sqrt(2)
    if kind == "correlated":
        r = rng.uniform(0.2, 0.6)
        wide = rng.normal(size=n + 50)
        for i in range(1, n + 50):
            wide[i] += r * wide[i - 1]
        return (wide * np.sqrt(1 - r * r))[50:]
    if kind == "outliers":
        bad = rng.random(n) < 0.03
        z[bad] += rng.choice([-1, 1], bad.sum()) * rng.uniform(5, 12, bad.sum())
    if kind == "rounded":
        z = np.round(z * 1.2) / 1.2
    if kind == "weekly":
        z = 0.8 * z + 0.8 * np.sin(2 * np.pi * np.arange(n) / 7)
    if kind == "trend":
        z = z + np.arange(n) * rng.choice([-1, 1]) * 0.02
    return z


def planted(rng: np.random.Generator, n: int, course: str) -> tuple[Array, Truth]:
    """Return what is added to the noise, and the truth of it."""
    at = np.arange(n)
    sign = rng.choice([-1, 1])
    size = 2.0 if course == "small" else float(rng.uniform(3, 6))
    if course in ("step", "small"):
        start = int(rng.integers(20, n - 15))
        return sign * size * (at >= start), [(start, start, size)]
    if course == "drift":
        length = int(rng.integers(15, 31))
        start = int(rng.integers(20, n - length - 5))
        return sign * size * np.clip((at - start + 1) / length, 0, 1), [(start, start + length, size)]
    if course == "back":
        start, length = int(rng.integers(20, n - 35)), int(rng.integers(12, 20))
        return sign * size * ((at >= start) & (at < start + length)), [
            (start, start, size),
            (start + length, start + length, size),
        ]
    return np.zeros(n), []


def made(seed: int) -> tuple[Array, Truth, str]:
    """Return a history, what was planted in it, and its kind of noise."""
    rng = np.random.default_rng(seed)
    n, kind = int(rng.integers(60, 201)), KINDS[seed % len(KINDS)]
    values = noise(rng, n, kind)
    added, truth = planted(rng, n, COURSES[(seed // len(KINDS)) % len(COURSES)])
    return values + added, truth, kind


def job(seed: int) -> tuple[dict[str, Array], Truth]:
    """Return ten metrics of a job, of which a step moves half or none."""
    rng = np.random.default_rng([seed, 10])
    n, kind = int(rng.integers(60, 201)), KINDS[seed % len(KINDS)]
    start = int(rng.integers(20, n - 15))
    moved = seed % 3 > 0
    size = float(rng.uniform(3, 6))
    metrics = {
        f"m{i}": noise(rng, n, kind) + (size * (np.arange(n) >= start) if moved and i < 5 else 0.0) for i in range(10)
    }
    return metrics, [(start, start, size)] if moved else []


@dataclass
class Score:
    """What was found of what was planted."""

    name: str
    hits: int = 0
    false: int = 0
    missed: int = 0
    alarms: int = 0
    nights: int = 0
    seconds: float = 0.0
    delays: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    by_kind: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))

    def add(self, told: Told, truth: Truth, n: int, kind: str) -> None:
        """Count one history."""
        changes, alarms = told
        own = self.by_kind[kind]
        right: set[int] = set()
        for first, last, size in truth:
            near = {i for i in changes if first - NEAR <= i <= last + NEAR}
            right |= near
            own[0 if near else 2] += 1
            when = [night for i, night in alarms if first - NEAR <= i <= last + NEAR and night >= first]
            what = "drift" if last > first else ">= 3 sd" if size >= 3 else "2 sd"
            self.delays[what].append(min(when) - first if when else np.inf)
        own[1] += len(set(changes) - right)
        self.alarms += sum(not any(a - NEAR <= i <= b + NEAR for a, b, _ in truth) for i, _ in alarms)
        self.nights += n

    def row(self) -> str:
        """Return the score as a line of the table."""
        hits, false, missed = (sum(own[i] for own in self.by_kind.values()) for i in range(3))
        precision, recall = hits / max(1, hits + false), hits / max(1, hits + missed)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        delays = " / ".join(f"{np.median(self.delays[k]):g}" for k in (">= 3 sd", "2 sd", "drift") if k in self.delays)
        a_year = self.alarms / max(1, self.nights) * 365
        found = f"{f1:.3f} ({precision:.2f} / {recall:.2f})"
        return f"| {self.name} | {found} | {a_year:.2f} | {delays} | {self.seconds:.1f} |"

    def kinds(self) -> str:
        """Return F1 by kind of noise."""
        scores = {kind: 2 * a / max(1, 2 * a + b + c) for kind, (a, b, c) in self.by_kind.items()}
        return ", ".join(f"{kind} {score:.2f}" for kind, score in scores.items())


def ours(metrics: dict[str, Array], limits: Limits) -> Told:
    """Return what posthoc finds."""
    n = len(next(iter(metrics.values())))
    found = history(nights(range(n), metrics, better="lower"), limits, replay=True)
    return [one.index for one in found.changes], [(one.index, one.told or 0) for one in found.alarms]


def otava(p_value: float) -> Callable[[dict[str, Array]], Told]:
    """Return what asks apache-otava at a limit."""
    from otava.analysis import compute_change_points

    def points(values: Array) -> list[int]:
        found, _ = compute_change_points(values.tolist(), window_len=50, max_pvalue=p_value, min_magnitude=0.0)
        return [int(one.index) for one in found]

    def ask(metrics: dict[str, Array]) -> Told:
        changes, alarms = list[int](), list[tuple[int, int]]()
        for values in metrics.values():
            known: list[int] = []
            for night in range(LEAST_NIGHTS - 1, values.size):
                fresh = [i for i in points(values[: night + 1]) if all(abs(i - k) > NEAR for k in known)]
                known += fresh
                alarms += [(i, night) for i in fresh]
            changes += points(values)
        return _once(changes), _told_once(alarms)

    return ask


def _once(changes: Sequence[int]) -> list[int]:
    """Return changes of several metrics as one each, as posthoc tells them."""
    kept: list[int] = []
    for index in sorted(changes):
        if not kept or index - kept[-1] > NEAR:
            kept.append(index)
    return kept


def _told_once(alarms: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for index, night in sorted(alarms, key=lambda one: one[1]):
        if all(abs(index - known) > NEAR for known, _ in kept):
            kept.append((index, night))
    return kept


def announced(count: int, first: int) -> tuple[int, int, int]:
    """Return how many changes with a setting were found, announced, and how many without one were announced."""
    found = named = wrong = 0
    for seed in range(first, first + count):
        rng = np.random.default_rng([seed, 3])
        n, kind = int(rng.integers(60, 201)), KINDS[seed % len(KINDS)]
        values = noise(rng, n, kind)
        start, other = int(rng.integers(20, n - 15)), int(rng.integers(5, n))
        values[start:] += rng.uniform(3, 6)
        with_it = seed % 2 == 0
        at = start if with_it else other
        if not with_it and abs(other - start) <= 2 * NEAR:
            continue
        settings = {"max_depth": ["6"] * at + ["12"] * (n - at)}
        for one in history(nights(range(n), {"m": values}, better="lower", settings=settings)).changes:
            if abs(one.index - start) <= NEAR:
                found += with_it
                named += with_it and one.announced
                wrong += not with_it and one.announced
    return found, named, wrong


def main() -> None:
    """Measure and print the tables."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--histories", type=int, default=154)
    ask.add_argument("--jobs", type=int, default=12)
    ask.add_argument("--part", choices=PARTS, default="report")
    ask.add_argument("--weights", type=float, nargs="*", default=[DEFAULT.weight])
    ask.add_argument("--peers", action="store_true", help="also apache-otava (extra peers), which takes long")
    options = ask.parse_args()
    first = PARTS[options.part]
    askers: dict[str, Callable[[dict[str, Array]], Told]] = {
        f"posthoc, weight {w:g}": (lambda m, w=w: ours(m, Limits(weight=w))) for w in options.weights
    }
    if options.peers:
        askers |= {f"otava, p {p:g}": otava(p) for p in (1e-3, 1e-4, 1e-5)}
    head = "F1 (precision / recall) | false alarms a year | median delay >= 3 sd / 2 sd / drift | seconds |"
    print(f"| {options.histories} histories | {head}\n| --- | --- | --- | --- | --- |")
    for name, asker in askers.items():
        score, began = Score(name), time.perf_counter()
        for seed in range(first, first + options.histories):
            values, truth, kind = made(seed)
            score.add(asker({"m": values}), truth, values.size, kind)
        score.seconds = time.perf_counter() - began
        print(score.row(), flush=True)
        print(f"<!-- F1 by noise: {score.kinds()} -->", flush=True)
    print(f"\n| {options.jobs} jobs x 10 metrics | {head}\n| --- | --- | --- | --- | --- |")
    for name, asker in askers.items():
        score, began = Score(name), time.perf_counter()
        for seed in range(first, first + options.jobs):
            metrics, truth = job(seed)
            score.add(asker(metrics), truth, len(metrics["m0"]), KINDS[seed % len(KINDS)])
        score.seconds = time.perf_counter() - began
        print(score.row(), flush=True)
    found, named, wrong = announced(options.histories, first)
    print(f"\nannounced: {named} of {found} found changes that came with a setting, {wrong} of the others")
    _speed()


def _speed() -> None:
    rng = np.random.default_rng(5)
    metrics = {f"m{i}": rng.normal(size=1000) + 4 * (np.arange(1000) > 700) for i in range(10)}
    given = nights(range(1000), metrics, better="lower")
    began = time.perf_counter()
    history(given)
    print(f"1,000 nights x 10 metrics: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
