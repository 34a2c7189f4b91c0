"""A GAN that learns a mixture of two bells on a line; its distance from the data is known by sorting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.rl.logs import Log
from benchmarks.rl.nets import Array, Net, Rng

BATCH, EVERY = 128, 20


@dataclass(frozen=True)
class Duel:
    """Rates of both sides, and how far the data lie from where the generator begins."""

    updates: int = 3000
    rate: float = 2e-3
    critic: float = 2e-3
    far: float = 1.0


def _real(rng: Rng, n: int, far: float) -> Array:
    return np.asarray(far * np.where(rng.random((n, 1)) < 0.5, -1.0, 1.0) + far / 2 + 0.4 * rng.standard_normal((n, 1)))


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def train(rng: Rng, duel: Duel) -> Log:
    """Train and return the log; each point is the mean of EVERY updates."""
    makes, judges, log = Net(rng, 2, 1), Net(rng, 1, 1), Log()
    told: list[tuple[float, ...]] = []
    for update in range(duel.updates):
        real, z = _real(rng, BATCH, duel.far), rng.standard_normal((BATCH, 2))
        fake = makes(z)
        both = np.concatenate([real, fake])
        labels = np.concatenate([np.ones((BATCH, 1)), np.zeros((BATCH, 1))])
        p = _sigmoid(judges(both))
        loss = float(-2 * np.log(np.clip(np.where(labels == 1, p, 1 - p), 1e-12, None)).mean())
        judges.descend(judges.gradient(both, (p - labels) / BATCH)[0], duel.critic)
        q = _sigmoid(judges(fake))
        _, by_fake = judges.gradient(fake, (q - 1) / BATCH)
        makes.descend(makes.gradient(z, by_fake)[0], duel.rate)
        told.append((float(-np.log(np.clip(q, 1e-12, None)).mean()), loss, float(p[:BATCH].mean()), float(q.mean())))
        if update % EVERY == EVERY - 1:
            means = dict(zip(("generator", "discriminator", "real", "fake"), np.mean(told, 0), strict=True))
            log.add(update, update, **means)
            told.clear()
        if update % (5 * EVERY) == 5 * EVERY - 1:
            apart = np.sort(makes(rng.standard_normal((2000, 2))), 0) - np.sort(_real(rng, 2000, duel.far), 0)
            log.add(update, update, fid=float(np.abs(apart).mean()))
    return log
