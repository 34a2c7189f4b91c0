"""How often chance alone is told as something seen across runs: `python -m benchmarks.across [--nights 400]`.

Whole nights of made results: sweeps of 12 to 300 runs with settings of all kinds (numbers drawn at random or from a
grid, levels, switches, settings that go along with others, seeds, names, paths), and sickness, final losses and metrics
that have nothing to do with them. The first table is the share of nights in which anything at all is told; the second
how often what was planted is found.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from analyzer.auditing.cross_run import across
from analyzer.model.cross_run import ACROSS_KINDS
from analyzer.model.health import Criterion
from analyzer.model.result import Checked, Finding, Result, SeriesRow, fingerprint

SYMPTOMS = ("exploding-loss", "non-finite", "overfitting", "plateau", "not-converging", "loss-spike", "repetitive-loss")
Fleet = list[Result]
Params = dict[str, object]


def run(name: str, params: Params, sick: Sequence[str], *, loss: float = 0.3, accuracy: float = 0.8) -> Result:
    """Return a run that has some symptoms and is clear of the others, with a lowest loss and a held-out metric."""
    findings = tuple(
        Finding(
            s, "error", ("loss",), 10, 90, f"{s} from step 10", None, (), (), (), None, None, fingerprint(s, name, ())
        )
        for s in sick
    )
    clear = tuple(Checked(symptom, ("loss",), ()) for symptom in SYMPTOMS if symptom not in sick)
    rows = (
        SeriesRow("loss", 100, "loss", "train", "lower", "", 0, 99, loss * 1.1, loss, 90),
        SeriesRow("val/accuracy", 20, "metric", "validation", "higher", "", 0, 99, accuracy, accuracy, 95),
    )
    return Result(
        name, name, "tensorboard", name, "ok", "", rows, findings, clear, health=(
            Criterion("learnt", "shown", ""), Criterion("enough-data", "shown", ""),
        ),
        params=tuple(params.items()), main_tag="loss", started=1.79e9, ended=1.79e9 + 5000 * loss,
    )  # fmt: skip


def settings(rng: np.random.Generator, i: int) -> Params:
    """Return settings as people log them: some independent, some that go along with another, and what is none."""
    lr = float(10 ** rng.uniform(-5, -1))
    batch = int(rng.choice([16, 32, 64, 128]))
    return {
        "lr": lr,
        "lr_final": lr / 100,
        "batch_size": str(batch),
        "warmup": 1000 if batch > 32 else 100,
        "optimizer": str(rng.choice(["adam", "sgd", "lion"], p=[0.7, 0.2, 0.1])),
        "weight_decay": float(rng.choice([0.0, 0.01, 0.1])),
        "dropout": float(rng.uniform(0, 0.5)),
        "amp": bool(rng.random() < 0.1),
        "layers": int(rng.integers(2, 13)),
        "augment": str(rng.choice(["none", "flip", "mix"])),
        "hidden": int(2 ** rng.integers(5, 10)),
        "clip": float(rng.choice([0.5, 1.0, 5.0])),
        "seed": int(rng.integers(1 << 30)),
        "run_name": f"brave-fish-{i}",
        "output_dir": f"/scratch/{i}",
    }


def random_search(rng: np.random.Generator) -> Fleet:
    """Return a night of one to three random searches; how often a symptom strikes differs widely."""
    night: Fleet = []
    for sweep in range(int(rng.integers(1, 4))):
        size = int(rng.choice([12, 20, 40, 80, 300]))
        rates = {symptom: float(rng.choice([0.05, 0.1, 0.3, 0.5])) for symptom in SYMPTOMS}
        for i in range(size):
            sick = [symptom for symptom, rate in rates.items() if rng.random() < rate]
            loss, accuracy = float(np.exp(rng.normal(-1, 0.6))), float(rng.beta(8, 2))
            night.append(run(f"sweep{sweep}/r{i:03d}", settings(rng, i), sick, loss=loss, accuracy=accuracy))
    return night


def grid(rng: np.random.Generator) -> Fleet:
    """Return a night of a full grid with seeds in which no setting makes a difference."""
    values = [10.0**-k for k in range(1, int(rng.integers(5, 8)))]
    night: Fleet = []
    for lr in values:
        for batch in (32, 64, 128):
            for seed in range(int(rng.integers(1, 4))):
                params: Params = {"lr": lr, "batch_size": batch, "seed": seed}
                sick = [symptom for symptom in SYMPTOMS if rng.random() < 0.2]
                name = f"grid/lr{lr:g}_bs{batch}_seed{seed}"
                night.append(
                    run(name, params, sick, loss=float(rng.lognormal(-1, 0.2)), accuracy=float(rng.beta(40, 9)))
                )
    return night


def line(rng: np.random.Generator) -> Fleet:
    """Return a night of one setting swept alone, with one to three seeds, that makes no difference."""
    seeds = int(rng.integers(1, 4))
    return [
        run(
            f"line/d{d}_seed{s}",
            {"depth": 2**d, "seed": s},
            [],
            accuracy=float(rng.normal(0.8, 0.02)),
            loss=0.3 + d / 9,
        )
        for d in range(int(rng.integers(8, 11)))
        for s in range(seeds)
    ]


def seeds(spread: Callable[[np.random.Generator, int], np.ndarray]) -> Callable[[np.random.Generator], Fleet]:
    """Return a maker of nights of ten families of siblings whose losses and metrics scatter as `spread` says."""

    def night(rng: np.random.Generator) -> Fleet:
        made: Fleet = []
        for family in range(10):
            size = int(rng.integers(6, 30))
            loss, accuracy = np.exp(spread(rng, size) * 0.4 - 1), 0.7 - 0.05 * spread(rng, size)
            params: Params = {"lr": 10.0**-family, "model": "small"}
            made += [
                run(f"f{family}/seed{i}", params | {"seed": i}, [], loss=float(loss[i]), accuracy=float(accuracy[i]))
                for i in range(size)
            ]
        return made

    return night


NULLS: dict[str, Callable[[np.random.Generator], Fleet]] = {
    "random searches, random sickness": random_search,
    "a grid with seeds, nothing matters": grid,
    "one setting alone, nothing matters": line,
    "siblings, Gaussian": seeds(lambda rng, n: rng.standard_normal(n)),
    "siblings, heavy tails (t3)": seeds(lambda rng, n: rng.standard_t(3, n)),
    "siblings, skewed (exponential)": seeds(lambda rng, n: rng.exponential(1.0, n)),
}


def high_rate_diverges(rng: np.random.Generator) -> Fleet:
    """Return 60 runs of a random search of which most above a rate of 0.01 diverge, in one way or another."""
    night = []
    for i in range(60):
        params = settings(rng, i)
        chance = 0.8 if float(str(params["lr"])) >= 0.01 else 0.03
        sick = [str(rng.choice(["exploding-loss", "non-finite"]))] if rng.random() < chance else []
        sick += ["overfitting"] if rng.random() < 0.3 else []
        night.append(run(f"sweep/r{i:03d}", params, sick, loss=float(rng.lognormal(-1, 0.5))))
    return night


def no_dropout_overfits(rng: np.random.Generator) -> Fleet:
    """Return 48 runs in which those of one level overfit."""
    night = []
    for i in range(48):
        params = settings(rng, i) | {"augment": ["none", "flip", "mix"][i % 3]}
        sick = ["overfitting"] if rng.random() < (0.8 if i % 3 == 0 else 0.1) else []
        night.append(run(f"sweep/r{i:03d}", params, sick))
    return night


def one_bad_seed(rng: np.random.Generator) -> Fleet:
    """Return twelve siblings, one of which ends at four times the loss of the others."""
    loss = np.exp(0.05 * rng.standard_normal(12) - 1.5)
    loss[5] *= 4
    return [run(f"seeds/seed{i}", {"lr": 0.1, "seed": i}, [], loss=float(loss[i])) for i in range(12)]


def wider_is_better(rng: np.random.Generator) -> Fleet:
    """Return a grid of five widths and three rates with two seeds, the metric getting better with each width."""
    return [
        run(f"grid/w{w}_lr{r}_seed{s}", {"width": 2**w, "lr": 10.0**-r, "seed": s}, [],
            accuracy=0.6 + 0.03 * w - 0.02 * abs(r - 2) + 0.006 * float(rng.standard_normal()))
        for w in range(5, 10) for r in (1, 2, 3) for s in (0, 1)
    ]  # fmt: skip


def twice(rng: np.random.Generator) -> Fleet:
    """Return two runs with the same loss and metric to the last digit, and four others."""
    night = [run(f"d/r{i}", {}, []) for i in range(6)]
    digests = [f"60:{int(rng.integers(1 << 60)):016x}" for _ in range(12)]
    digests[2:4] = digests[:2]
    return [
        replace(one, series=tuple(replace(row, digest=digests[2 * i + j]) for j, row in enumerate(one.series)))
        for i, one in enumerate(night)
    ]


PLANTED: dict[str, tuple[str, str, Callable[[np.random.Generator], Fleet]]] = {
    "most runs above a rate diverge (60 runs)": ("in-common", "lr", high_rate_diverges),
    "one level of three overfits (48 runs)": ("in-common", "augment", no_dropout_overfits),
    "one of 12 siblings ends at 4 times the loss": ("far-from-siblings", "seed5", one_bad_seed),
    "the metric gets better to the edge (30 runs)": ("edge-of-sweep", "width", wider_is_better),
    "a run that was trained twice": ("duplicates", "d/r0", twice),
}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.across", description=__doc__.partition("\n")[0])
    parser.add_argument("--nights", type=int, default=400, help="nights per row (default: 400)")
    nights = parser.parse_args().nights
    print(f"| nights in which nothing is to be told | any | {' | '.join(ACROSS_KINDS)} |")
    print("| --- | --- |" + " --- |" * len(ACROSS_KINDS))
    for name, make in NULLS.items():
        told = [{one.kind for one in across(make(np.random.default_rng([7, i])))[0]} for i in range(nights)]
        counts = Counter(kind for kinds in told for kind in kinds)
        rates = " | ".join(f"{100 * counts[kind] / nights:.1f} %" for kind in ACROSS_KINDS)
        print(f"| {name} | {100 * sum(map(bool, told)) / nights:.1f} % | {rates} |", flush=True)
    print("\n| planted | found | told besides |\n| --- | --- | --- |")
    for name, (kind, word, plant) in PLANTED.items():
        hits = others = 0
        for i in range(nights):
            told_ = across(plant(np.random.default_rng([8, i])))[0]
            right = [one for one in told_ if one.kind == kind and word in one.sentence]
            hits += bool(right)
            others += bool(len(told_) > len(right))
        print(f"| {name} | {100 * hits / nights:.0f} % | {100 * others / nights:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
