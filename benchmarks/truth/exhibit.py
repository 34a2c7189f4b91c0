"""What the oracle looks at: a training with its log and its twin, and the numbers all claims are judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.truth.autograd import Array
from benchmarks.truth.events import Curve
from benchmarks.truth.loop import History


@dataclass(frozen=True)
class Exhibit:
    """A training with its log.

    `twin` trains without the fault when asked; `onset` is the update something was done at;
    `guess` the loss of the best constant answer; `allow` names healthy checks that this kind of run may fail.
    """

    history: History
    curves: list[Curve]
    twin: Callable[[], History] | None = None
    onset: int | None = None
    guess: float | None = None
    allow: frozenset[str] = frozenset()


@dataclass
class Label:
    """What is true of a run. `onset` by symptom is in updates (the unit of steps logged)."""

    expected: tuple[str, ...]
    tolerated: tuple[str, ...] = ()
    onset: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


class NotShownError(Exception):
    """The claim does not hold; the text says why."""


def need(holds: bool | np.bool_, why: str) -> None:
    """Raise NotShownError unless it holds."""
    if not bool(holds):
        raise NotShownError(why)


def logged(exhibit: Exhibit, role: str) -> Curve | None:
    """Return the logged curve of a role with the most points."""
    fit = [c for c in exhibit.curves if c.role == role]
    return max(fit, key=lambda c: len(c.steps)) if fit else None


def main_curve(exhibit: Exhibit) -> Curve:
    """Training loss as logged; NotShownError where it is too short."""
    curve = logged(exhibit, "loss:train")
    if curve is None or len(curve.values) < 20:
        raise NotShownError("fewer than 20 logged points")
    return curve


def all_finite(exhibit: Exhibit) -> bool:
    """Whether all losses and gradients reach the log as finite single-precision numbers."""
    return all(
        np.isfinite(c.values.astype(np.float32)).all()
        for c in exhibit.curves
        if c.role.startswith(("loss", "part", "grad")) or c.tag.startswith("evaluation_")
    )


def tail(values: Array, share: float = 0.1) -> float:
    """Median of the last tenth (three points at least)."""
    return float(np.median(values[-max(3, int(len(values) * share)) :]))


def between(curve: Curve, low: float, high: float) -> Array:
    """Return the logged values between two shares of the run."""
    span = curve.at[-1] + 1
    return curve.values[(curve.at >= low * span) & (curve.at < high * span)]


def spread(values: Array) -> float:
    """Width of the middle 80 % over the median's size."""
    low, mid, high = np.percentile(values, [10, 50, 90])
    return float((high - low) / max(abs(mid), 1e-12))


def twin_level(exhibit: Exhibit) -> float:
    """Where a trained model would be."""
    if exhibit.twin is None:
        raise NotShownError("no twin")
    return tail(exhibit.twin().evals["train"])


def smoothed(values: Array) -> Array:
    """Return the running mean over a twentieth, as long as the values."""
    width = max(1, len(values) // 20) | 1
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")
