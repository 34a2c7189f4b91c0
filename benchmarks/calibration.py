"""How often chance alone passes for a finding: `python -m benchmarks.calibration [--draws 300] [--yardstick DIR]`.

Two tests of ours give p-values: that a held-out loss rose again after its minimum (the null is a curve that has
settled) and that a loss repeats itself (the null is noise of the same colour). Each is tried on curves without either,
whose noise is Gaussian, skewed, heavy-tailed or autocorrelated; the table gives the share of draws below each nominal
level. A calibrated test has shares near the level, a cautious one below it. With a folder of the yardstick its healthy
runs are tried as well: the share of *runs* in which any p-value, corrected for all tests of its run, is that low.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer import detectors, open_runs
from analyzer.anatomy import Anatomy
from analyzer.model.verdict import Evidence
from analyzer.stats import multiplicity, null, spectrum

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Array]
LEVELS = (0.05, 0.01, 0.001)


def _red(rho: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> Array:
        noise = rng.standard_normal(n + 100)
        for i in range(1, noise.size):
            noise[i] += rho * noise[i - 1]
        return np.asarray(noise[100:] * np.sqrt(1 - rho**2))

    return draw


NOISES: dict[str, Draw] = {
    "Gaussian": lambda rng, n: rng.standard_normal(n),
    "skewed (exponential)": lambda rng, n: rng.exponential(1.0, n) - 1.0,
    "heavy tails (t3)": lambda rng, n: rng.standard_t(3, n),
    "AR(1), 0.5": _red(0.5),
    "AR(1), 0.8": _red(0.8),
}


def turned(noise: Array) -> float:
    """Return the p-value of "it rose after its minimum" for a curve that fell and settled."""
    n = noise.size
    curve = 1 + 2 * np.exp(-np.arange(n) / (n / 10)) + 0.05 * noise
    return null.turned(curve, max(3, n // 20))[1]


def repeats(noise: Array) -> float:
    """Return the p-value of "it repeats itself" for noise alone; 1 where no candidate is worth a test."""
    period = spectrum.find_repetition(noise)
    return 1.0 if period is None else period.p_value


def table(title: str, test: Callable[[Array], float], lengths: tuple[int, ...], draws: int) -> None:
    """Print the measured rate for each noise, length and nominal level."""
    print(f"\n## {title}\n| noise | points | {' | '.join(f'p < {level}' for level in LEVELS)} |")
    print("| --- | --- |" + " --- |" * len(LEVELS))
    for name, draw in NOISES.items():
        for n in lengths:
            found = np.array([test(draw(np.random.default_rng([n, seed]), n)) for seed in range(draws)])
            print(f"| {name} | {n} | {' | '.join(f'{np.mean(found < level):.3f}' for level in LEVELS)} |", flush=True)


def healthy(where: Path) -> None:
    """Print the share of the yardstick's healthy runs with a corrected p-value below each level."""
    rows = [row for row in json.loads((where / "truth.json").read_text())["runs"] if not row["expected"]]
    lowest = np.array([min(_corrected(where / row["path"]), default=1.0) for row in rows])
    print(f"\n## {lowest.size} healthy runs, smallest p-value of a run after correction for all of its tests")
    for level in LEVELS:
        print(f"p < {level}: {np.mean(lowest < level):.3f}")


def _corrected(path: Path) -> Iterator[float]:
    for run in open_runs(path):
        anatomy = Anatomy(run)
        readings = [r for d in detectors.known().values() for r in d.measure(anatomy) if isinstance(r, Evidence)]
        yield from multiplicity.holm([r.p_value for r in readings if r.p_value is not None])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=300, help="curves per row (default: 300)")
    parser.add_argument("--yardstick", type=Path, help="folder made by `python -m benchmarks.truth make`")
    given = parser.parse_args()
    table("It rose after its minimum", turned, (8, 12, 20, 40, 100, 400), given.draws)
    table("It repeats itself", repeats, (48, 200, 1000), given.draws)
    if given.yardstick:
        healthy(given.yardstick)


if __name__ == "__main__":
    main()
