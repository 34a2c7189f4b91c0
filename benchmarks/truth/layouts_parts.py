"""Layouts of trainings whose loss has parts or is no supervised loss: detectors, ELBO, GAN, RL, boosting."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.truth.autograd import Array
from benchmarks.truth.events import Curve
from benchmarks.truth.loop import History

Named = Callable[[History, int, int], list[Curve]]


def _by_step(h: History, tags: Mapping[str, str], every: int, role: str = "part") -> list[Curve]:
    """Return the parts of every n-th step; `tags` maps a part to its tag."""
    at = h.steps[every - 1 :: every]
    return [Curve(tag, at, h.parts[part][at], at, f"{role}:{part}") for part, tag in tags.items()]


def _by_epoch(h: History, values: Array) -> Array:
    full = len(values) // h.epoch
    return values[: full * h.epoch].reshape(full, h.epoch).mean(axis=1)


def yolo(h: History, _every: int, _names: int) -> list[Curve]:
    """Ultralytics: epoch means of the parts, no total, three rates, the last point of validation written twice."""
    ends = h.steps[h.epoch - 1 :: h.epoch]
    x = np.arange(len(ends))
    made = [Curve(f"train/{p}", x, _by_epoch(h, h.parts[p]), ends, f"part:{p}:train") for p in h.parts if "/" not in p]
    for key, values in h.evals.items():
        if key.startswith("val/"):
            made.append(Curve(key, x, values[1 : len(x) + 1], ends, f"part:{key[4:]}:val"))
        elif key.startswith("val.") and "accuracy" not in key:
            twice = np.append(x, x[-1:])
            name = f"metrics/{key[4:]}(B)"
            made.append(Curve(name, twice, values[1:][twice], ends[twice], f"metric:{key[4:]}:val"))
    return [*made, *(Curve(f"lr/pg{group}", x, h.rate[ends], ends, "rate") for group in range(3))]


def elbo(h: History, every: int, names: int) -> list[Curve]:
    """Negative ELBO with its two parts and the weight of the second."""
    total, first, second = (("train/loss", "train/recon", "train/kl"), ("loss", "recon_loss", "kl_loss"))[names % 2]
    at = h.steps[every - 1 :: every]
    made = [Curve(total, at, h.loss[at], at, "loss:train")]
    made += _by_step(h, {"recon": first, "kl": second, "beta": ("train/beta", "kl_weight")[names % 2]}, every)
    done = h.evals["step"][1:].astype(np.int64)
    return [*made, Curve(("val/loss", "val_loss")[names % 2], done, h.evals["val"][1:], done - 1, "loss:val")]


def gan(h: History, every: int, names: int) -> list[Curve]:
    """Two losses that fight."""
    one, two = (("Loss/D", "Loss/G"), ("d_loss", "g_loss"), ("errD", "errG"))[names % 3]
    return _by_step(h, {"d_loss": one, "g_loss": two}, every)


def sb3(h: History, every: int, _names: int) -> list[Curve]:
    """Stable-Baselines3: everything over environment steps."""
    inside = ("loss", "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "explained_variance")
    made = _by_step(h, {name: f"train/{name}" for name in inside}, every, "rl")
    made += _by_step(h, {name: f"rollout/{name}" for name in ("ep_rew_mean", "ep_len_mean")}, every, "rl")
    at = made[0].at
    made.append(Curve("train/learning_rate", at, np.full(len(at), 3e-4), at, "rate"))
    made.append(Curve("time/fps", at, 900 + 40 * np.sin(np.arange(len(at))), at))
    return [Curve(c.tag, (c.steps + 1) * 512, c.values, c.at, c.role) for c in made]


def xgboost(h: History, _every: int, names: int) -> list[Curve]:
    """MLflow's autologging of boosters: the best round's values once more at an extra step."""
    metric = "rmse" if names % 2 else "logloss"
    one, two = (("train", "eval"), ("training", "valid_1"), ("validation_0", "validation_1"))[names % 3]
    val, x = h.evals["val"][1:], h.steps
    best, end = int(np.argmin(val)), len(x)
    x, at = np.append(x, end), np.append(x, end)
    made = [
        Curve(f"{one}-{metric}", x, np.append(h.loss, h.loss[best]), at, "loss:train"),
        Curve(f"{two}-{metric}", x, np.append(val, val[best]), at, "loss:val"),
    ]
    last = np.array([end])
    return [*made, *(Curve(t, last * 0, np.array([best]), last) for t in ("best_iteration", "stopped_iteration"))]


PARTED: Mapping[str, Named] = {"yolo": yolo, "elbo": elbo, "gan": gan, "sb3": sb3, "mlflow-xgboost": xgboost}
