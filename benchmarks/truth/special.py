"""Trainings that are no plain supervised loop: adversarial pairs, policies by reward, boosted trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from benchmarks.truth import autograd as ag
from benchmarks.truth import nets
from benchmarks.truth.autograd import Array, Tape, Var, backward
from benchmarks.truth.data import Task
from benchmarks.truth.loop import History, adam

Update = Callable[[Array, Array, float], None]


class _Player:
    """One of two nets that train against each other."""

    def __init__(self, net: nets.Net, rate: float) -> None:
        self.net, self.rate = net, rate
        self.values = {k: v.copy() for k, v in net.start.items()}
        self.updates: dict[str, Update] = {k: adam(0.5) for k in net.start}

    def params(self, tape: Tape | None) -> dict[str, Var]:
        return {k: Var(v, tape) for k, v in self.values.items()}

    def learn(self, params: dict[str, Var]) -> None:
        for name, param in params.items():
            if param.grad is not None:
                self.updates[name](self.values[name], param.grad, self.rate)


def adversarial(real: Array, steps: int, seed: int, form: Literal["non-saturating", "least-squares"]) -> History:
    """Train a generator and a discriminator (Goodfellow et al., 2014; Mao et al., 2017) on rows of `real`.

    `parts` are d_loss and g_loss; the oracle's losses are the sliced Wasserstein distance to the data.
    """
    rng = np.random.default_rng([seed, 5])
    make = nets.mlp(rng, (4, 24, real.shape[1]), family="gan")
    judge = _Player(nets.mlp(rng, (real.shape[1], 24, 24, 1), "leaky", family="gan"), 1e-3)
    maker = _Player(make, 1e-3)
    rows: list[tuple[float, float]] = []
    seen: list[tuple[int, float]] = []
    for step in range(steps):
        true = real[rng.integers(0, len(real), 64)]
        z = rng.standard_normal((64, 4)).astype(np.float32)
        fake = make.forward(maker.params(None), z, None).value
        d_loss = _judged(judge, true, fake, form)
        tape: Tape = []
        params = maker.params(tape)
        score = judge.net.forward(judge.params(None), make.forward(params, z, None), None)  # type: ignore[arg-type]
        loss = (
            ag.mean(ag.softplus(score * -1.0)) if form == "non-saturating" else ag.mean((score - 1.0) * (score - 1.0))
        )
        backward(loss)
        maker.learn(params)
        rows.append((d_loss, float(loss.value)))
        if step % max(1, steps // 40) == 0:
            z = rng.standard_normal((500, 4)).astype(np.float32)
            seen.append((step + 1, _distance(real, make.forward(maker.params(None), z, None).value, rng)))
    table, evals = np.array(rows), np.array(seen)
    parts = {"d_loss": table[:, 0], "g_loss": table[:, 1]}
    return _history(steps, table[:, 1], evals, parts, "gan")


def _judged(judge: _Player, true: Array, fake: Array, form: str) -> float:
    tape: Tape = []
    params = judge.params(tape)
    on_true, on_fake = judge.net.forward(params, true, None), judge.net.forward(params, fake, None)
    if form == "non-saturating":
        loss = ag.mean(ag.softplus(on_true * -1.0)) + ag.mean(ag.softplus(on_fake))
    else:
        loss = (ag.mean((on_true - 1.0) * (on_true - 1.0)) + ag.mean(on_fake * on_fake)) * 0.5
    backward(loss)
    judge.learn(params)
    return float(loss.value)


def _distance(one: Array, other: Array, rng: np.random.Generator) -> float:
    """Mean distance of sorted projections: 0 when both are spread alike."""
    ways = rng.standard_normal((one.shape[1], 20))
    ways /= np.linalg.norm(ways, axis=0)
    at = np.linspace(0, 1, 100)
    return float(np.abs(np.quantile(one @ ways, at, axis=0) - np.quantile(other @ ways, at, axis=0)).mean())


def _history(steps: int, loss: Array, evals: Array, parts: dict[str, Array], family: str) -> History:
    flat = {"step": evals[:, 0], "train": evals[:, 1], "val": evals[:, 1], "hold": evals[:, 1]}
    zero = np.zeros(steps)
    return History(np.arange(steps), loss, zero + 1e-3, zero, 100, flat, parts, family, "Adam")


def policy(states: int, iterations: int, seed: int) -> History:
    """Train a softmax policy by advantage on a corridor of `states` rooms (1: a bandit of eight arms).

    Going right pays at the end only; each iteration plays 16 episodes. The oracle's loss is the regret, what the
    best policy earns beyond this one's expectation.
    """
    rng = np.random.default_rng([seed, 6])
    arms = 8 if states == 1 else 3
    pay = np.sort(rng.uniform(0, 1, arms)) * 10 if states == 1 else np.zeros(arms)
    logits, value = np.zeros((states, arms)), np.zeros(states)
    rows, seen, rate, reward_mean = [], [], 0.5 if states == 1 else 0.3, 0.0
    for iteration in range(iterations):
        earned, length, at, chosen = _episodes(logits, pay, rng)
        chance = _softmax(logits)
        returns = earned[:, None] * 0.98 ** np.maximum(length[:, None] - 1 - np.arange(at.shape[1]), 0)
        live = np.arange(at.shape[1]) < length[:, None]
        advantage = np.where(live, returns - value[at], 0.0)
        before, grad, pull = chance.copy(), np.zeros_like(logits), np.zeros(states)
        np.add.at(grad, (at[live], chosen[live]), advantage[live])
        np.add.at(grad, at[live], -advantage[live][:, None] * chance[at[live]])
        np.add.at(pull, at[live], advantage[live])
        logits += rate * grad / max(1, live.sum())
        value += 0.1 * pull / np.maximum(1, np.bincount(at[live], minlength=states))
        chance = _softmax(logits)
        entropy = float(-(chance * np.log(chance + 1e-12)).sum(axis=1).mean())
        kl = float((before * np.log((before + 1e-12) / (chance + 1e-12))).sum(axis=1).mean())
        pg = float(-(advantage[live] * np.log(before[at[live], chosen[live]] + 1e-12)).mean())
        critic = float((advantage[live] ** 2).mean())
        explained = 1 - float(advantage[live].var() / max(returns[live].var(), 1e-12))
        reward_mean = float(earned.mean()) if not iteration else 0.9 * reward_mean + 0.1 * float(earned.mean())
        rows.append(
            (pg + 0.5 * critic - 0.01 * entropy, pg, critic, -entropy, kl, explained, reward_mean, length.mean())
        )
        best = float(pay.max()) if states == 1 else 10.0
        seen.append((iteration + 1, best - float(earned.mean())))
    table = np.array(rows)
    names = ("loss", "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "explained_variance")
    parts = {name: table[:, i] for i, name in enumerate(names)}
    parts |= {"ep_rew_mean": table[:, 6], "ep_len_mean": table[:, 7]}
    every = np.array(seen).reshape(-1, 2)[:: max(1, iterations // 100)]
    return _history(iterations, table[:, 0], every, parts, "rl")


def _softmax(logits: Array) -> Array:
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _episodes(logits: Array, pay: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Play 16 episodes; returns what each earned, its length, its rooms and its moves (padded)."""
    states, arms = logits.shape
    chance = _softmax(logits).cumsum(axis=1)
    most = 1 if states == 1 else 4 * states
    at = np.zeros((16, most), dtype=np.int64)
    moves = np.zeros_like(at)
    length, earned, room, going = np.full(16, most), np.zeros(16), np.zeros(16, dtype=np.int64), np.ones(16, dtype=bool)
    for t in range(most):
        at[:, t] = room
        move = np.minimum((rng.random(16)[:, None] > chance[room]).sum(axis=1), arms - 1)
        moves[:, t] = move
        if states == 1:
            return pay[move] + rng.standard_normal(16), np.ones(16, dtype=np.int64), at, moves
        room = np.clip(room + move - 1, 0, states)
        done = going & (room == states)
        earned[done], length[done] = 10.0 - 0.05 * t, t + 1
        going &= ~done
        room = np.minimum(room, states - 1)
    return earned, length, at, moves


def boosted(task: Task, rounds: int, seed: int, **settings: float) -> History:
    """Boost trees round by round; losses are root mean squared error or log loss of each round."""
    kind = GradientBoostingClassifier if task.classes else GradientBoostingRegressor
    model = kind(n_estimators=rounds, random_state=seed, **settings)
    model.fit(task.train.x, task.train.y.ravel())
    losses = {}
    for name in ("train", "val", "hold"):
        part = getattr(task, name)
        stages = model.staged_predict_proba(part.x) if task.classes else model.staged_predict(part.x)
        losses[name] = np.array([_round_loss(stage, part.y, bool(task.classes)) for stage in stages])
    evals = {"step": np.arange(rounds + 1.0), **{k: np.append(v[0], v) for k, v in losses.items()}}
    zero = np.zeros(rounds)
    return History(np.arange(rounds), losses["train"], zero, zero, 1, evals, family="boosting")


def _round_loss(stage: Array, y: Array, classes: bool) -> float:
    if not classes:
        return float(np.sqrt(((stage - y.ravel()) ** 2).mean()))
    return float(-np.log(np.maximum(stage[np.arange(len(y)), y], 1e-15)).mean())
