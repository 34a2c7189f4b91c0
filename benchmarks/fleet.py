"""A made fleet that grows over nights, audited each night: `python -m benchmarks.fleet DIR [--nights 14]`.

DIR/logs gets TensorBoard logs of a random search in which high rates diverge, a grid whose widest model is best, twelve
seeds of which one goes wrong, and a folder that was copied; DIR/site tells the last night with those before it.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer import api
from analyzer.auditing.pipeline import Plan
from benchmarks.truth.events import Curve, write_events, write_hparams

FIRST_NIGHT, DAY = 1.79e9, 86_400.0
STEPS, EVERY = 400, 10
Array = NDArray[np.float64]


class Fleet:
    """The runs of the fleet, each written the night that it has trained."""

    def __init__(self, logs: Path) -> None:
        self._logs, self._rng = logs, np.random.default_rng(11)

    def write(self, night: int, nights: int) -> None:
        """Add to the logs what trained before a night (from 0) of so many."""
        at = FIRST_NIGHT + DAY * night
        for i in (i for i in range(48) if i * nights // 48 == night):
            self._searched(i, at + 400 * (i % 40))
        grid = [
            (width, rate, seed) for width in (64, 128, 256, 512, 1024) for rate in (0.001, 0.003) for seed in (0, 1)
        ]
        for i, (width, rate, seed) in enumerate(grid):
            if i * nights // len(grid) == night:
                self._wide(width, rate, seed, at + 300 * i)
        for seed in range(12):
            if seed * nights // 12 == night:
                self._seed(seed, at + 200 * seed)
        if night == nights - 1:
            shutil.copytree(self._logs / "ranker" / "trial_07", self._logs / "old" / "ranker_trial_07")

    def _searched(self, i: int, at: float) -> None:
        rate, batch = float(10 ** self._rng.uniform(-4.5, -0.8)), int(self._rng.choice([32, 64, 128]))
        params = {"lr": round(rate, 6), "batch_size": batch, "warmup": 500 if batch > 32 else 50, "seed": i}
        params |= {
            "optimizer": str(self._rng.choice(["adamw", "sgd"])),
            "dropout": float(self._rng.choice([0, 0.1, 0.2])),
        }
        loss = self._falling(0.25, 60)
        if rate > 0.02 and self._rng.random() < 0.85:
            loss[250:] *= np.exp(np.linspace(0, 7, STEPS - 250))
            loss[340:] = np.where(self._rng.random() < 0.6, np.nan, loss[340:])
        self._write(f"ranker/trial_{i:02d}", params, loss, 0.82 + 0.01 * float(self._rng.normal()), at)

    def _wide(self, width: int, rate: float, seed: int, at: float) -> None:
        score = 0.55 + 0.03 * np.log2(width) + (0.01 if rate > 0.002 else 0) + 0.003 * float(self._rng.normal())
        params = {"width": width, "lr": rate, "seed": seed}
        self._write(f"segment/w{width}_lr{rate}_seed{seed}", params, self._falling(0.3, 80), float(score), at)

    def _seed(self, seed: int, at: float) -> None:
        bad = seed == 8
        loss = self._falling(0.9 if bad else 0.2, 70)
        self._write(f"translate/seed{seed}", {"lr": 0.0005, "layers": 6, "seed": seed}, loss, 0.6 if bad else 0.85, at)

    def _falling(self, floor: float, rate: float) -> Array:
        return (
            floor
            + 2.2 * np.exp(-np.arange(STEPS) / rate) * np.exp(0.04 * self._rng.standard_normal(STEPS))
            + (0.02 * floor * self._rng.standard_normal(STEPS))
        )

    def _write(self, name: str, params: Mapping[str, object], loss: Array, accuracy: float, at: float) -> None:
        folder, steps = self._logs / name, np.arange(STEPS)
        seldom = steps[EVERY - 1 :: EVERY]
        rising = accuracy * (1 - np.exp(-seldom / 60)) + 0.002 * self._rng.standard_normal(seldom.size)
        held = 1.05 * loss[seldom] + 0.01 * self._rng.standard_normal(seldom.size)
        curves = [
            Curve("train/loss", steps, loss, steps),
            Curve("val/loss", seldom, held, seldom),
            Curve("val/accuracy", seldom, rising, seldom),
        ]
        write_events(folder, curves, start=at, pace=20.0)
        write_hparams(folder, params, start=at)


def main() -> None:
    """Make the fleet and audit it night by night."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nights", type=int, default=14, help="nights over which the fleet trains (default: 14)")
    given = parser.parse_args()
    fleet = Fleet(given.folder / "logs")
    for night in range(given.nights):
        fleet.write(night, given.nights)
        now = FIRST_NIGHT + DAY * (night + 1)
        told = api.audit(given.folder / "logs", given.folder / "site", plan=Plan(given.folder / "night.db", now=now))
        print(f"night {night + 1}: {told!r}, {len(told.across)} things across runs")
    print(f"{given.folder / 'site' / 'index.html'}")


if __name__ == "__main__":
    main()
