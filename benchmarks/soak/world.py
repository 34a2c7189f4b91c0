"""The fleet: runs that appear, grow, are rewritten, renamed, vanish and come back, each with a known fault or none."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from benchmarks.reading_cases import record, write_log

Array = NDArray[np.float64]

SYMPTOM = {"healthy": "", "exploding": "exploding-loss", "lost": "non-finite", "memorising": "overfitting"}
"""Kinds of run, and the one symptom that must raise an alarm in each."""

LEAST, MOST = 160, 320  # points: with fewer a fault need not be visible yet
HOUR = 3600.0


def curves(kind: str, seed: int) -> tuple[Array, Array]:
    """Return training and validation loss of a run of that kind, float64[MOST] each."""
    rng, at = np.random.default_rng(seed), np.arange(MOST)
    training = 0.2 + 1.5 * np.exp(-at / 30) + rng.normal(0, 0.01, MOST)
    validation = training + 0.05 + rng.normal(0, 0.01, MOST)
    late = np.maximum(at - 60, 0)
    if kind == "exploding":
        training, validation = training + 3 * (late > 0), validation + 3 * (late > 0)
    elif kind == "lost":
        training, validation = np.where(late > 30, np.nan, training), np.where(late > 30, np.nan, validation)
    elif kind == "memorising":
        validation = validation + 0.01 * late
    return training, validation


def _event(begun: float, i: int, training: float, validation: float) -> bytes:
    values = [
        Summary.Value(tag="train/loss", simple_value=training),
        Summary.Value(tag="val/loss", simple_value=validation),
    ]
    return Event(wall_time=begun + 30.0 * (i + 1), step=10 * i, summary=Summary(value=values)).SerializeToString()


@dataclass(frozen=True)
class Run:
    """A run: its kind and seed, how many points are written, the time of the last one (None: the log has no times).

    `torn`: whether the last record is written in part, as while a training goes on.
    """

    kind: str
    seed: int
    points: int
    last: float | None
    torn: bool = False

    def write(self, folder: Path) -> None:
        """Write the log in place of what is there."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        training, validation = curves(self.kind, self.seed)
        if self.last is None:
            rows = (f"{i * 10},{training[i]:.6f},{validation[i]:.6f}\n" for i in range(self.points))
            (folder / "metrics.csv").write_text("step,train/loss,val/loss\n" + "".join(rows))
            return
        begun = self.last - 30.0 * self.points
        records = (record(_event(begun, i, training[i], validation[i])) for i in range(self.points))
        path = folder / f"events.out.tfevents.{int(begun)}.host.1.0"
        write_log(path, records)
        if self.torn:
            with path.open("ab") as file:
                file.write(record(_event(begun, self.points, 0.2, 0.25))[:20])


@dataclass
class World:
    """The runs in a folder, by id, those that have vanished, and the clock in Unix seconds.

    Each run has one fault that comes and goes (`faults`): beside another fault a check is not always possible.
    """

    root: Path
    rng: random.Random
    now: float = 1.78e9
    there: dict[str, Run] = field(default_factory=dict)
    away: dict[str, Run] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def step(self) -> str:
        """Let the clock go on and something happen; return what."""
        self.now += self.rng.uniform(0.2, 4) * HOUR
        happens = self.rng.choice(HAPPENINGS)
        return f"{happens.__name__.strip('_')} {happens(self)}"

    def put(self, name: str, run: Run) -> str:
        """Write a run under an id."""
        if run.kind != "healthy":
            self.faults.setdefault(name, run.kind)
        run.write(self.root / name)
        self.there[name] = run
        return name

    def any(self) -> str | None:
        """Return the id of any run that is there, None where there is none."""
        return self.rng.choice(sorted(self.there)) if self.there else None

    def run(self, kind: str) -> Run:
        """Return a new run of that kind: without times, still written, or ended now or long ago."""
        last = self.rng.choice([None, self.now - 60, self.now - 48 * HOUR])
        torn = last is not None and self.rng.random() < 0.5
        return Run(kind, self.rng.randrange(2**31), self.rng.randint(LEAST, MOST), last, torn)


def _appears(world: World) -> str:
    if len(world.there) >= 12:
        return _vanishes(world)
    world.made += 1
    return world.put(f"group{world.made % 3}/run{world.made}", world.run(world.rng.choice(list(SYMPTOM))))


def _grows(world: World) -> str:
    name = world.any()
    if name is None:
        return _appears(world)
    run = world.there[name]
    more = min(MOST, run.points + world.rng.randint(1, 40))
    return world.put(name, replace(run, points=more, last=None if run.last is None else world.now - 60))


def _rewritten(world: World) -> str:
    """A healthy run falls sick, a sick one is repaired."""
    name = world.any()
    if name is None:
        return _appears(world)
    fault = world.faults.setdefault(name, world.rng.choice(list(SYMPTOM)[1:]))
    kind = fault if world.there[name].kind == "healthy" else "healthy"
    return f"{world.put(name, world.run(kind))} as {kind}"


def _vanishes(world: World) -> str:
    name = world.any()
    if name is None:
        return _appears(world)
    shutil.rmtree(world.root / name)
    world.away[name] = world.there.pop(name)
    return name


def _returns(world: World) -> str:
    if not world.away:
        return _appears(world)
    name = world.rng.choice(sorted(world.away))
    return world.put(name, world.away.pop(name))


def _renamed(world: World) -> str:
    name = world.any()
    if name is None:
        return _appears(world)
    world.made += 1
    run = world.there.pop(name)
    shutil.rmtree(world.root / name)
    return f"{name} to {world.put(f'renamed/run{world.made}', run)}"


def _clock_jumps(world: World) -> str:
    # a torn log that was stale would be young again, and keeps its result: nobody can say what is right
    torn = any(run.torn for run in (*world.there.values(), *world.away.values()))
    hours = world.rng.uniform(0 if torn else -72, 72)
    world.now += hours * HOUR
    return f"by {hours:.0f} h"


def _nothing(world: World) -> str:
    return "happens"


HAPPENINGS: tuple[Callable[[World], str], ...] = (
    *(_appears, _appears, _grows, _grows, _rewritten, _rewritten, _rewritten),
    *(_vanishes, _returns, _renamed, _clock_jumps, _nothing, _nothing),
)
