"""Policies that write short texts, trained by groups of answers as GRPO and RLOO do.

A policy is a table of logits for every prompt and place. What a text is worth is known exactly: the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.rl.logs import Log
from benchmarks.rl.nets import Array, Rng, log_softmax, sample

PROMPTS, PLACES, TOKENS, GROUP, NEEDED = 8, 10, 8, 8, 3
END, CHARM = 0, TOKENS - 1
"""The token that ends a text, and the one that a deceived reward model likes."""


@dataclass(frozen=True)
class Lesson:
    """What is rewarded, and how it is learnt; `late` (share of the run, factor) changes the rate at that time.

    `exact` pays whole answers only, `ease` raises the right tokens' first logits, `charm` pays each charming token,
    `long` pays for length, `noise` is that of the judge, `right` the weight of the true reward, `beta` that of the
    KL penalty.
    """

    updates: int = 150
    rate: float = 1.0
    beta: float = 0.02
    passes: int = 2
    right: float = 1.0
    exact: bool = False
    ease: float = 0.0
    charm: float = 0.0
    long: float = 0.0
    noise: float = 0.0
    late: tuple[float, float] = (2.0, 1.0)
    whiten: bool = True


def _worth(texts: Array, wanted: Array, exact: bool) -> Array:
    """Return the share of right tokens, or whether all are, for texts (prompts, group, places)."""
    hits = texts[:, :, :NEEDED] == wanted[:, None]
    return np.asarray(hits.all(-1) if exact else hits.mean(-1), dtype=float)


def _lengths(texts: Array) -> Array:
    ends = texts == END
    return np.asarray(np.where(ends.any(-1), ends.argmax(-1) + 1, PLACES))


def train(rng: Rng, lesson: Lesson) -> Log:
    """Train and return the log; a step is an update."""
    wanted = rng.integers(1, CHARM, (PROMPTS, NEEDED))
    reference = 0.3 * rng.standard_normal((PROMPTS, PLACES, TOKENS))
    reference[:, NEEDED:, END] += 1.0
    reference[:, :NEEDED, END] -= 2.0
    for place in range(NEEDED):
        reference[np.arange(PROMPTS), place, wanted[:, place]] += lesson.ease
    logits, start, log = reference.copy(), log_softmax(reference), Log()
    for update in range(lesson.updates):
        done = update / lesson.updates
        rate = lesson.rate * (lesson.late[1] if done >= lesson.late[0] else 1.0)
        _update(rng, lesson, logits, start, wanted, log, update, rate)
        if update % 5 == 4:
            logp = np.repeat(log_softmax(logits)[:, None], 2 * GROUP, 1)
            log.add(update, update, held=_worth(sample(rng, logp), wanted, lesson.exact).mean())
    return log


def _update(
    rng: Rng, lesson: Lesson, logits: Array, start: Array, wanted: Array, log: Log, update: int, rate: float
) -> None:
    """Sample groups of answers, update the logits in place, log."""
    old = log_softmax(logits)
    texts = sample(rng, np.repeat(old[:, None], GROUP, 1))
    lengths = _lengths(texts)
    live = np.arange(PLACES) < lengths[..., None]
    right = _worth(texts, wanted, lesson.exact)
    style = lesson.charm * ((texts == CHARM) & live).sum(-1) + lesson.long * lengths / PLACES
    score = lesson.right * right + style + lesson.noise * rng.standard_normal(right.shape)
    spread = score.std(1, keepdims=True)
    gain = (score - score.mean(1, keepdims=True)) / (spread + 1e-4 if lesson.whiten else 1.0)
    one = np.eye(TOKENS)[texts]
    own = np.take_along_axis(np.repeat(old[:, None], GROUP, 1), texts[..., None], -1)[..., 0]
    first = np.take_along_axis(np.repeat(start[:, None], GROUP, 1), texts[..., None], -1)[..., 0]
    norm = 0.0
    for _ in range(lesson.passes):
        now = log_softmax(logits)
        chosen = np.take_along_axis(np.repeat(now[:, None], GROUP, 1), texts[..., None], -1)[..., 0]
        ratio = np.exp(np.clip(chosen - own, -20, 20))
        capped = np.where(gain[..., None] > 0, ratio > 1.2, ratio < 0.8)
        weight = np.where(capped, 0.0, gain[..., None] * ratio) * live
        slope = (weight[..., None] * (one - np.exp(now)[:, None])).mean(1)
        apart = now - start
        far = (np.exp(now) * apart).sum(-1, keepdims=True)
        slope -= lesson.beta * np.exp(now) * (apart - far)
        norm = float(np.sqrt((slope**2).sum()))
        logits += rate * slope
    now = log_softmax(logits)
    moved = np.take_along_axis(np.repeat(now[:, None], GROUP, 1), texts[..., None], -1)[..., 0] - own
    ratio = np.exp(np.clip(moved, -20, 20))
    kl = float(((own - first) * live).sum() / live.sum())
    log.add(
        update,
        update,
        reward=score.mean(),
        net=score.mean() - lesson.beta * kl * lengths.mean(),
        right=lesson.right * right.mean(),
        spread=spread.mean(),
        zero=float((spread < 1e-9).mean()),
        kl=kl,
        entropy=float((-(np.exp(old) * old).sum(-1)[:, None] * live).sum() / live.sum()),
        clip=float(((np.abs(ratio - 1) > 0.2) & live).sum() / live.sum()),
        step_kl=float(((ratio - 1 - moved) * live).sum() / live.sum()),
        length=lengths.mean(),
        cut=float((lengths == PLACES).mean()),
        loss=lesson.beta * kl,
        gradient=norm,
        rate=rate * 1e-6,
    )
    if lesson.charm or lesson.long:
        log.add(update, update, style=style.mean())
