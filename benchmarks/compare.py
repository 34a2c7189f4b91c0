"""How often a comparison is wrong and what it finds: `python -m benchmarks.compare [--groups FILE] [--draws 800]`.

FILE (default: ../shared/compare/groups.json.gz) holds groups of trainings that differ by their seed only; without it,
groups are simulated (variances that scatter between groups as a scaled F, evaluations every 5 % of a run). Sides are
drawn without replacement out of one group: A/A as they are, A/B with one side shifted by some standard deviations of
the group. Printed, for the half of the groups that nothing was tuned on (`--half tune` for the other): how often each
test says that they differ at nominal 5 %, with 95 % intervals over groups; equivalence where it is true and where it
is not; the runs asked for over the runs needed; and the time of comparing 2 x 10 runs of 1,000 points with a page.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer.comparing.difference import Difference, unpaired
from analyzer.comparing.noise_pool import prior_for, seed_noise_from
from analyzer.comparing.outcome import common_budget, outcomes
from analyzer.comparing.power import more_runs, power_of
from analyzer.comparing.subject import Track
from analyzer.comparing.variance_prior import Prior

Array = NDArray[np.float64]
GROUPS = Path("../shared/compare/groups.json.gz")
ALPHA = 0.05
DESIGNS = ((3, 3, 2.5), (5, 5, 1.5), (1, 5, 2.5), (1, 1, 8.0))
"""Runs of base and candidate, and the shift of A/B in standard deviations of a run."""
LEAST_GROUP = 6


@dataclass(frozen=True)
class Seeds:
    """A group: its benchmark, name, and the outcome of every run."""

    benchmark: str
    name: str
    values: Array

    @property
    def sd(self) -> float:
        """Standard deviation of a run."""
        return float(self.values.std(ddof=1))


def half_of(name: str) -> str:
    """Return the half (tune or report) that a group belongs to."""
    return ("tune", "report")[hashlib.sha1(name.encode()).digest()[0] % 2]


def real_groups(file: Path) -> list[Seeds]:
    """Return the groups of a file with the outcomes at the last step that every run of the group reached."""
    found = []
    for group in json.loads(gzip.decompress(file.read_bytes())):
        tracks = []
        for curve in group["curves"]:
            x, y = np.array([p[0] for p in curve], float), np.array([p[1] for p in curve], float)
            fine = np.isfinite(y)
            x, first = np.unique(x[fine], return_index=True)
            if x.size:
                tracks.append(Track(x, y[fine][first], float(x[-1])))
        middle = np.median([t.x[-1] for t in tracks])
        tracks = [t for t in tracks if t.x[-1] >= middle / 2]
        at = common_budget(tracks)
        values = np.array([o.value for o in outcomes(tracks, at, "final", lower=True, noisy=False)])
        if values.size >= LEAST_GROUP and values.std() > 0:
            found.append(Seeds(group["benchmark"], group["group"], values))
    return found


def made_groups(number: int = 80) -> list[Seeds]:
    """Return simulated groups whose variances scatter as those of real trainings do."""
    rng = np.random.default_rng(7)
    sds = 0.0015 * np.sqrt(1 / (rng.chisquare(8, number) / 8))
    return [Seeds("made", f"made-{i}", 3.2 + sd * rng.normal(size=20)) for i, sd in enumerate(sds)]


def prior_of(group: Seeds, groups: Sequence[Seeds]) -> Prior | None:
    """Return the prior out of the other groups of the same benchmark."""
    rest = [g for g in groups if g.benchmark == group.benchmark and g.name != group.name]
    noise = seed_noise_from("", [(g.name, g.values.size, float(g.values.mean()), g.sd) for g in rest])
    return prior_for(noise, float(group.values.mean()))


def welch(a: Array, b: Array) -> float:
    """Return the p-value of Welch's test, 1 where it has none."""
    from scipy.stats import ttest_ind

    return float(ttest_ind(a, b, equal_var=False).pvalue) if min(a.size, b.size) > 1 else 1.0


def student(a: Array, b: Array) -> float:
    """Return the p-value of Student's test, 1 where it has none."""
    from scipy.stats import ttest_ind

    return float(ttest_ind(a, b).pvalue) if a.size + b.size > 2 else 1.0


def p_of(found: Difference) -> float:
    """Return the p-value of a difference, 1 where it has none."""
    return 1.0 if found.p_value is None else found.p_value


TESTS: dict[str, Callable[[Array, Array, Prior | None], float]] = {
    "posthoc, pool": lambda a, b, prior: p_of(unpaired(a, b, prior)),
    "posthoc, alone": lambda a, b, prior: p_of(unpaired(a, b)),
    "Student": lambda a, b, prior: student(a, b),
    "Welch": lambda a, b, prior: welch(a, b),
}


def drawn(groups: Sequence[Seeds], size: int, draws: int, rng: np.random.Generator) -> list[tuple[Seeds, Array]]:
    """Return draws without replacement, as many from each group that is large enough."""
    usable = [g for g in groups if g.values.size >= size]
    each = math.ceil(draws / max(1, len(usable)))
    return [(g, rng.permutation(g.values)[:size]) for g in usable for _ in range(each)]


def interval(said: Sequence[tuple[str, bool]], rng: np.random.Generator) -> str:
    """Return a share in percent with its interval by a bootstrap over groups."""
    names = sorted({name for name, _ in said})
    rates = {name: [x for n, x in said if n == name] for name in names}
    means = np.array([np.mean(rates[name]) for name in names])
    draws = means[rng.integers(0, means.size, size=(2000, means.size))].mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{100 * means.mean():5.1f} [{100 * low:4.1f}, {100 * high:4.1f}]"


def rates(groups: Sequence[Seeds], draws: int) -> None:
    """Print how often each test says that two sides differ."""
    rng = np.random.default_rng(1)
    priors = {g.name: prior_of(g, groups) for g in groups}
    print(f"{'design':28s} {'test':16s} {'A/A %':>20s} {'A/B %':>20s}")
    for base, candidate, shift in DESIGNS:
        samples = drawn(groups, base + candidate, draws, rng)
        for name, test in TESTS.items():
            same, other = [], []
            for group, values in samples:
                a, b = values[:base], values[base:]
                same.append((group.name, test(a, b, priors[group.name]) < ALPHA))
                other.append((group.name, test(a, b + shift * group.sd, priors[group.name]) < ALPHA))
            label = f"{base} v {candidate}, {shift} sd ({len(samples)})"
            print(f"{label:28s} {name:16s} {interval(same, rng):>20s} {interval(other, rng):>20s}")


def equivalence(groups: Sequence[Seeds], draws: int) -> None:
    """Print how often equivalence is said where it is true (no shift, 10 v 10, worth 1.7 sd) and where it is not."""
    rng = np.random.default_rng(2)
    samples = drawn(groups, 20, draws, rng)
    said: dict[str, list[tuple[str, bool]]] = {"true": [], "false": []}
    for group, values in samples:
        worth = 1.7 * group.sd
        for truth, shift in (("true", 0.0), ("false", worth)):
            found = unpaired(values[:10], values[10:] + shift)
            said[truth].append((group.name, found.equivalent(worth, 1 - ALPHA)))
    print(f"equivalence said where true {interval(said['true'], rng)}, where false {interval(said['false'], rng)}")


def asked(groups: Sequence[Seeds], draws: int) -> None:
    """Print runs asked (from 5 v 5 with the pool) over the runs that the group's own scatter needs, a side."""
    rng = np.random.default_rng(3)
    ratios = []
    for group, values in drawn(groups, 10, draws, rng):
        worth = group.sd
        found = unpaired(values[:5], values[5:], prior_of(group, groups))
        more = more_runs(found, worth, 1 - ALPHA)
        needed = next(
            n for n in range(2, 200) if power_of(worth, group.sd * math.sqrt(2 / n), 2 * n - 2, 1 - ALPHA) >= 0.8
        )
        ratios.append((5 + (more or 0)) / needed)
    near = np.mean([0.5 <= r <= 2 for r in ratios])
    print(f"runs asked over runs needed: median {np.median(ratios):.2f}, within a factor of two {100 * near:.0f} %")


def speed() -> None:
    """Print the CPU time of comparing 2 x 10 runs of 1,000 points with a page."""
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(4)
        for side in ("a", "b"):
            for seed in range(10):
                values = 3 + 2 * np.exp(-np.arange(1000) / 150) + 0.01 * rng.normal(size=1000)
                place = Path(folder) / side / f"seed-{seed}.csv"
                place.parent.mkdir(exist_ok=True)
                place.write_text("step,val/loss\n" + "".join(f"{i},{v:.6f}\n" for i, v in enumerate(values)))
        words = ["compare", f"{folder}/a", f"{folder}/b", "-q", "-o", f"{folder}/page.html"]
        import resource

        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "analyzer", *words], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"2 x 10 runs of 1,000 points with a page: {cpu:.2f} s CPU, {time.perf_counter() - start:.2f} s")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=Path, default=GROUPS)
    parser.add_argument("--draws", type=int, default=800)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="report")
    options = parser.parse_args()
    groups = real_groups(options.groups) if options.groups.exists() else made_groups()
    chosen = [g for g in groups if options.half in ("all", half_of(g.name))]
    kind = f"groups of {options.groups}" if options.groups.exists() else "simulated groups"
    print(f"{kind}: {len(chosen)} of {len(groups)}")
    rates(chosen, options.draws)
    equivalence(chosen, options.draws)
    asked(chosen, options.draws)
    speed()


if __name__ == "__main__":
    main()
