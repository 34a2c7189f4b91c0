"""Agents that hold a sliding point near the origin: PPO and REINFORCE with networks of a few hundred weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.rl.logs import Log
from benchmarks.rl.nets import Array, Net, Rng, log_softmax, sample

COPIES, LIMIT, REACH, ACTIONS = 16, 40, 3.0, 3
"""Points that slide beside each other, steps of an episode, the distance that ends it, and left, rest, right."""
DISCOUNT, TRACE = 0.95, 0.9


@dataclass(frozen=True)
class Agent:
    """How the agent learns; `late` (share of the run, factor) changes the rate at that time.

    The faults: `frozen` never updates, `wrong_sign` climbs down, `mirrored` swaps left and right from that share of
    the run on, `dead` is the share from which the reward is 0, `decided` scales the first logits, `sticks` ends the
    learning at a share, and `scale` multiplies all rewards.
    """

    updates: int = 120
    rate: float = 0.01
    passes: int = 4
    clip: float | None = 0.2
    norm: float | None = 0.5
    bonus: float = 0.01
    critic: bool = True
    critic_rate: float = 0.01
    late: tuple[float, float] = (2.0, 1.0)
    scale: float = 1.0
    frozen: bool = False
    wrong_sign: bool = False
    decided: float = 0.1
    mirrored: float = 2.0
    dead: float = 2.0
    sticks: float = 2.0
    anneals: bool = False


@dataclass(frozen=True)
class Batch:
    """What all copies did in one episode each: (steps, copies, …), `alive` before each action."""

    seen: Array
    actions: Array
    logp: Array
    rewards: Array
    alive: Array


def episode(rng: Rng, policy: Net, *, mirrored: bool, dead: bool, scale: float) -> Batch:
    """Let all copies act until their episodes end."""
    place, speed = rng.uniform(-1.5, 1.5, COPIES), np.zeros(COPIES)
    alive = np.ones(COPIES, dtype=bool)
    rows: list[tuple[Array, ...]] = []
    for _ in range(LIMIT):
        seen = np.stack([place, 3 * speed, np.abs(place)], -1)
        logp = log_softmax(policy(seen))
        action = sample(rng, logp)
        push = 0.12 * (1 - action if mirrored else action - 1)
        speed = 0.9 * speed + push + 0.03 * rng.standard_normal(COPIES)
        place = place + speed
        reward = np.zeros(COPIES) if dead else scale * np.exp(-4 * place**2)
        rows.append((seen, action, logp[np.arange(COPIES), action], reward * alive, alive.copy()))
        alive &= np.abs(place) < REACH
    return Batch(*(np.stack(column) for column in zip(*rows, strict=True)))


def train(rng: Rng, agent: Agent) -> Log:
    """Train and return the log; steps count those of the environment."""
    log, policy = Log(), Net(rng, 3, ACTIONS, gain=agent.decided)
    value = Net(rng, 3, 1)
    steps = 0
    for update in range(agent.updates):
        done = update / agent.updates
        rate = agent.rate * (agent.late[1] if done >= agent.late[0] else 1.0) * (1 - done if agent.anneals else 1.0)
        batch = episode(rng, policy, mirrored=done >= agent.mirrored, dead=done >= agent.dead, scale=agent.scale)
        steps += int(batch.alive.sum())
        log.add(update, steps, reward=batch.rewards.sum(0).mean(), length=batch.alive.sum(0).mean(), rate=rate)
        told = _learn(rng, agent, policy, value, batch, 0.0 if agent.frozen or done >= agent.sticks else rate)
        log.add(update, steps, **told)
    return log


def _advantages(batch: Batch, value: Net, critic: bool) -> tuple[Array, Array, Array]:
    """Return advantages, targets of the value function, and its estimates, all (steps, copies)."""
    returns = np.zeros_like(batch.rewards)
    told = value(batch.seen.reshape(-1, 3)).reshape(returns.shape) if critic else np.zeros_like(returns)
    ahead, later = np.zeros(COPIES), np.zeros(COPIES)
    for t in reversed(range(LIMIT)):
        next_ = told[t + 1] * batch.alive[t + 1] if t + 1 < LIMIT else told[t]  # the limit of time is no end
        error = batch.rewards[t] + DISCOUNT * next_ - told[t]
        ahead = batch.alive[t] * (error + DISCOUNT * TRACE * ahead)
        later = batch.rewards[t] + DISCOUNT * later
        returns[t] = ahead + told[t] if critic else later
    return returns - told, returns, told


def _learn(rng: Rng, agent: Agent, policy: Net, value: Net, batch: Batch, rate: float) -> dict[str, float]:
    """Update both networks; return what is logged of it."""
    gains, targets, told = _advantages(batch, value, agent.critic)
    held = batch.alive.astype(bool)
    seen, actions, old = batch.seen[held], batch.actions[held].astype(int), batch.logp[held]
    gain, target = gains[held], targets[held]
    gain = (gain - gain.mean()) / (gain.std() + 1e-8) * (-1 if agent.wrong_sign else 1)
    rows, norms = np.arange(len(old)), []
    for _ in range(agent.passes if agent.critic else 1):
        for part in np.array_split(rng.permutation(rows), 4 if agent.critic else 1):
            logp = log_softmax(policy(seen[part]))
            p, chosen = np.exp(logp), logp[np.arange(len(part)), actions[part]]
            ratio = np.exp(np.clip(chosen - old[part], -20, 20))
            weight = gain[part] * ratio
            if agent.clip is not None:
                weight = np.where(np.where(gain[part] > 0, ratio > 1 + agent.clip, ratio < 1 - agent.clip), 0, weight)
            one = np.eye(ACTIONS)[actions[part]] - p
            spread = -(p * logp).sum(-1, keepdims=True)
            slope = -(weight[:, None] * one) + agent.bonus * p * (logp + spread)
            if rate:
                norms.append(policy.descend(policy.gradient(seen[part], slope / len(part))[0], rate, agent.norm))
            if agent.critic and rate:
                error = value(seen[part]) - target[part, None]
                value.descend(value.gradient(seen[part], error / len(part))[0], agent.critic_rate, agent.norm)
    logp = log_softmax(policy(seen))
    moved = logp[rows, actions] - old
    ratio = np.exp(np.clip(moved, -20, 20))
    out = {
        "entropy": float(-(np.exp(logp) * logp).sum(-1).mean()),
        "policy_loss": float(-(gain * ratio).mean()),
        "step_kl": float((ratio - 1 - moved).mean()),
        "clip": float((np.abs(ratio - 1) > 0.2).mean()),
    }
    if norms:
        out["gradient"] = float(np.mean(norms))
    if agent.critic:
        loss = float(((told[held] - target) ** 2).mean())
        out |= {"value_loss": loss, "explained": 1 - loss / (target.var() + 1e-12), "loss": out["policy_loss"] + loss}
    return out
