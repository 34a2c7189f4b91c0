"""How often chance alone passes for a fault: `python -m benchmarks.calibration [--draws 1000] [--jobs 2]`.

Every detector that speaks of the course of a curve asks one of three questions: is the end worse than the best level
(*relapse*), does the level break upwards (*shift*), does the noise change (*scatter*). Each is asked here of curves
that have no fault: one that settles and one that goes on falling, at several lengths, with noise of several kinds.
For each question the table gives two shares of the curves in percent: those in which the answer is *significant* (at
least 3.5 standard errors, the detectors' limit), and those in which a detector *alarms* (the difference also matters,
undoes something and is not usual for the curve). A cell that alarms in more than 0.5 % is marked.

A second table tells how often the test of a period (the only one that gives a p-value) passes nominal levels on noise
of the same kinds; a calibrated test has shares near the level, a cautious one below it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from analyzer import detectors
from analyzer.features import RunFeatures
from analyzer.features.course import Course
from analyzer.model.case import made_run
from analyzer.model.evidence import Evidence, Found, judge
from analyzer.stats import spectrum

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Array]
Level = Callable[[int], Array]

LENGTHS = (8, 12, 20, 50, 200, 1000, 5000)  # points
LEVELS = (0.05, 0.01, 0.001)  # nominal levels of the p-value
CLEAR = 3.5  # standard errors: the limit of the detectors
ALLOWED = 0.005  # share of curves without a fault that may alarm
NOISE = 0.05  # standard deviation of the noise; the curves end near a level of 1
BURN = 100  # values of an AR(1) process before the first that is used
DETECTORS = {
    "relapse": ("exploding-loss", "slow-divergence", "lost-progress"),
    "shift": ("exploding-loss", "loss-spike", "unsteady-loss"),
    "scatter": ("unsteady-loss",),
}
MEASURES = {
    "exploding-loss": "rise over the level before",
    "slow-divergence": "rise at the end over the best level",
    "lost-progress": "end over the best level",
    "loss-spike": "share of the run until it is made good",
}


def _red(rho: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> Array:
        noise = lfilter([np.sqrt(1 - rho**2)], [1.0, -rho], rng.standard_normal(n + BURN))
        return np.asarray(noise[BURN:], np.float64)

    return draw


NOISES: dict[str, Draw] = {
    "Gaussian": lambda rng, n: rng.standard_normal(n),
    "skewed (exponential)": lambda rng, n: rng.exponential(1.0, n) - 1.0,
    "heavy tails (t3)": lambda rng, n: rng.standard_t(3, n) / np.sqrt(3.0),
    "AR(1), 0.5": _red(0.5),
    "AR(1), 0.8": _red(0.8),
    "in proportion to the level": lambda rng, n: rng.standard_normal(n),
}

CURVES: dict[str, Level] = {
    "settled": lambda n: 1 + 2 * np.exp(-np.arange(n) / (n / 10)),
    "falling": lambda n: 0.8 + 2.2 * (1 + 20 * np.arange(n) / n) ** -0.5,
}


@dataclass(frozen=True)
class Cell:
    """Counts of one kind of curve: significant answers and alarms by question."""

    curve: str
    noise: str
    points: int
    draws: int
    significant: Counter[str]
    alarms: Counter[str]


def made(curve: str, noise: str, points: int, seed: int) -> Array:
    """Return a curve without a fault, float64[points]."""
    rng = np.random.default_rng([points, seed, *(noise + curve).encode()])
    level = CURVES[curve](points)
    size = NOISE * (level if noise == "in proportion to the level" else 1.0)
    return np.asarray(level + size * NOISES[noise](rng, points))


def significant(values: Array) -> list[str]:
    """Return the questions whose answer is significant for a curve."""
    course = Course(np.arange(values.size), values)
    return [name for name in DETECTORS if (one := getattr(course, name)) is not None and one.errors >= CLEAR]


def alarms(values: Array, asked: list[str]) -> list[str]:
    """Return the questions whose answer raises an alarm in one of their detectors."""
    features = RunFeatures(made_run({"train/loss": values}))
    return [name for name in asked if any(_alarms(features, name, symptom) for symptom in DETECTORS[name])]


def _alarms(features: RunFeatures, question: str, symptom: str) -> bool:
    detector = detectors.known()[symptom]
    for reading in detector.measure(features):
        if not isinstance(reading, Evidence) or not isinstance(judge(reading, detector.default_limits), Found):
            continue
        about_level = "noise after over noise before" not in {m.name for m in reading.measures}
        known = symptom not in MEASURES or any(m.name == MEASURES[symptom] for m in reading.measures)
        if reading.severity != "info" and known and about_level == (question != "scatter"):
            return True
    return False


def cell(given: tuple[str, str, int, int]) -> Cell:
    """Return the counts of `draws` curves of one kind."""
    curve, noise, points, draws = given
    clear, alarmed = Counter[str](), Counter[str]()
    for seed in range(draws):
        values = made(curve, noise, points, seed)
        found = significant(values)
        clear.update(found)
        if found:
            alarmed.update(alarms(values, found))
    return Cell(curve, noise, points, draws, clear, alarmed)


def cells(draws: int, jobs: int, lengths: tuple[int, ...] = LENGTHS) -> Iterator[Cell]:
    """Yield the counts of every kind of curve, in the order of the table."""
    kinds = [(c, noise, n, draws) for c in CURVES for noise in NOISES for n in lengths]
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(cell, kinds)


def _row(one: Cell) -> str:
    shares = []
    for name in DETECTORS:
        clear, alarmed = one.significant[name] / one.draws, one.alarms[name] / one.draws
        mark = " !" if alarmed > ALLOWED else ""
        shares.append(f"{100 * clear:.1f} / {100 * alarmed:.1f}{mark}")
    return f"| {one.curve} | {one.noise} | {one.points:,} | {' | '.join(shares)} |"


def _print_course(draws: int, jobs: int) -> None:
    print(f"## Curves without a fault: significant / alarmed, % of {draws:,}")
    print(f"| curve | noise | points | {' | '.join(DETECTORS)} |\n| --- | --- | --- |{' --- |' * len(DETECTORS)}")
    over = 0
    for one in cells(draws, jobs):
        print(_row(one), flush=True)
        over += sum(one.alarms[name] > ALLOWED * draws for name in DETECTORS)
    print(f"\ncells that alarm in more than {100 * ALLOWED} %: {over}")


def _period_chance(noise: Array) -> float:
    """Return the p-value of "it repeats itself" for noise alone; 1 where no echo is worth a test."""
    period = spectrum.find_repetition(noise)
    return 1.0 if period is None else period.p_value


def _print_periods(draws: int) -> None:
    print(f"\n## Noise without a period: share of {draws} draws below each nominal level")
    print(f"| noise | points | {' | '.join(f'p < {level}' for level in LEVELS)} |")
    print("| --- | --- |" + " --- |" * len(LEVELS))
    for name, draw in NOISES.items():
        for n in (48, 200, 1000):
            found = np.array([_period_chance(draw(np.random.default_rng([n, seed]), n)) for seed in range(draws)])
            print(f"| {name} | {n} | {' | '.join(f'{np.mean(found < level):.3f}' for level in LEVELS)} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=1000, help="curves per row (default: 1000)")
    parser.add_argument("--period-draws", type=int, default=100, help="noises per row of the second table, 0 for none")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    given = parser.parse_args()
    _print_course(given.draws, given.jobs)
    if given.period_draws:
        _print_periods(given.period_draws)


if __name__ == "__main__":
    main()
