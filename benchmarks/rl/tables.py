"""Q-learning on a grid with slippery fields, in a table or with features, one point of the log an episode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.rl.logs import Log
from benchmarks.rl.nets import Array, Rng

ROWS, COLUMNS, LIMIT = 4, 6, 60
MOVES = ((1, 0), (0, 1), (0, -1), (-1, 0))
"""Down is first, into a wall: who never tries another move never finds the goal."""


@dataclass(frozen=True)
class Learner:
    """How a table is learnt. `moved` is the share of the run from which the goal lies elsewhere.

    `stops` is the share from which nothing is learnt, `period` the number of episodes between copies of the target
    (None: it is never copied), `floor` the least share of random actions, `spread` the width of features that overlap
    (0: a table), `bootstrap` a weight of the target that should be 1.
    """

    episodes: int = 600
    rate: float = 0.2
    explore: float = 1.0
    floor: float = 0.05
    period: int | None = 1
    slip: float = 0.1
    moved: float = 2.0
    stops: float = 2.0
    spread: float = 0.0
    bootstrap: float = 1.0
    discount: float = 0.95


def train(rng: Rng, learner: Learner) -> Log:
    """Train and return the log; steps count those of the environment. Estimates may diverge beyond all numbers."""
    with np.errstate(all="ignore"):
        return _train(rng, learner)


def _train(rng: Rng, learner: Learner) -> Log:
    places = np.array([(r, c) for r in range(ROWS) for c in range(COLUMNS)], dtype=float)
    away = ((places[:, None] - places[None]) ** 2).sum(-1)
    features = np.exp(-away / learner.spread) if learner.spread else np.eye(len(places))
    weights = np.zeros((len(places), len(MOVES)))
    target, log, steps = weights.copy(), Log(), 0
    for episode in range(learner.episodes):
        done = episode / learner.episodes
        goal = 0 if done >= learner.moved else len(places) - 1
        epsilon = max(learner.floor, learner.explore * (1 - 2 * done)) if learner.explore else 0.0
        place, total, length, errors, sizes = COLUMNS * (ROWS - 1), 0.0, 0, [], []
        for _ in range(LIMIT):
            values = features[place] @ weights
            action = int(rng.integers(4)) if rng.random() < epsilon else int(values.argmax())
            after = _move(place, int(rng.integers(4)) if rng.random() < learner.slip else action)
            reward, ended = float(after == goal), after == goal
            ahead = 0.0 if ended else float((features[after] @ target).max())
            error = reward + learner.bootstrap * learner.discount * ahead - values[action]
            rate = learner.rate if done < learner.stops else 0.0
            weights[:, action] += rate * error * features[place]
            if learner.period == 1:
                target = weights
            errors.append(error**2)
            sizes.append(float(values.max()))
            place, total, length = after, total + reward, length + 1
            if ended:
                break
        if learner.period is not None and learner.period > 1 and episode % learner.period == 0:
            target = weights.copy()
        steps += length
        log.add(episode, steps, reward=total, length=length, loss=_mean(errors), q=_mean(sizes), epsilon=epsilon)
    return log


def _mean(values: list[float]) -> float:
    return float(np.mean(np.asarray(values)))


def _move(place: int, action: int) -> int:
    row, column = divmod(place, COLUMNS)
    row = min(ROWS - 1, max(0, row + MOVES[action][0]))
    return row * COLUMNS + min(COLUMNS - 1, max(0, column + MOVES[action][1]))


def smoothed(log: Log, width: int, every: int) -> Log:
    """Return the log as libraries write it that average the last `width` episodes, every so many of them."""
    out = Log()
    for name, rows in log.points.items():
        values: Array = np.array([value for _, _, value in rows])
        for i in range(every - 1, len(rows), every):
            out.points[name].append((*rows[i][:2], float(values[max(0, i + 1 - width) : i + 1].mean())))
    return out
