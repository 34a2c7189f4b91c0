"""How long a run was meant to be, by its parameters, and how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.features.curve import Curve
from analyzer.model.roles import words_of

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

IN_STEPS = {
    *("max steps", "total steps", "train steps", "num steps", "num train steps", "max train steps", "training steps"),
    *("num training steps", "total timesteps", "train iters", "max iters", "max iter", "num iterations", "iterations"),
    *("total iterations", "n steps total", "total training steps"),
}
IN_EPOCHS = {"epochs", "num epochs", "n epochs", "max epochs", "num train epochs", "total epochs", "train epochs"}
STOPS_EARLY = {"patience", "early stopping", "early stop", "early stopping rounds", "early stopping patience"}


@dataclass(frozen=True)
class Plan:
    """`reached` of `planned` units ("steps" or "epochs"); `name` is the parameter, `tag` the series it is read from.

    `early`: the parameter that says that the run may stop early, "" where none does.
    """

    name: str
    planned: float
    reached: float
    unit: str
    tag: str
    early: str

    @property
    def missing(self) -> float:
        """Share of the plan that was not reached, 0 where it was exceeded."""
        return max(0.0, 1 - self.reached / self.planned)


def plan_of(features: RunFeatures) -> Plan | str:
    """Return the plan of the run, or why it is not known."""
    named = {" ".join(words_of(str(name).rpartition("/")[2].rpartition(".")[2])): name for name in features.run.params}
    early = next((named[w] for w in named if w in STOPS_EARLY and _truthy(features.run.params[named[w]])), "")
    main = features.main
    if main is None or main.steps.size < 2 or not main.points.has_steps:
        return "no series that shows how far the run came"
    for wanted, unit in ((IN_STEPS, "steps"), (IN_EPOCHS, "epochs")):
        for words in sorted(wanted & set(named)):
            planned = _number(features.run.params[named[words]])
            reached = _steps(features) if unit == "steps" else _epochs(features, planned)
            # a run that is far beyond its plan, or at a hundredth of it, counts in other units than the plan does
            if planned > 1 and reached is not None and 0.02 <= reached[0] / planned <= 1.05:
                return Plan(named[words], planned, reached[0], unit, reached[1], early)
    return "no parameter says how many steps or epochs were planned"


def _truthy(value: object) -> bool:
    return str(value).strip().lower() not in ("", "none", "false", "0", "no", "null", "-1")


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _counts_steps(curve: Curve) -> bool:
    return curve.steps.size > 1 and curve.role.per != "epoch" and curve.points.has_steps


def _steps(features: RunFeatures) -> tuple[float, str] | None:
    """Return the last step of the run; None where the axis may count epochs."""
    steps = [c for c in features.curves.values() if _counts_steps(c)]
    last = max(steps, key=lambda c: int(c.steps[-1]), default=None)
    if last is None or (last.cadence <= 1 and last.steps.size < 200):
        return None
    return float(last.steps[-1]) + last.cadence, last.tag


def _epochs(features: RunFeatures, planned: float) -> tuple[float, str] | None:
    """Return the epochs that were begun: by a series that counts them, or by a step axis of epochs.

    The cadence of evaluations is no witness here: many runs evaluate more often, or more rarely, than once an epoch.
    """
    for curve in features.having("counter"):
        if {"epoch", "epochs"} & set(words_of(curve.tag)) and curve.n > 1:
            whole = bool((curve.raw % 1 == 0).all())
            return float(curve.raw.max()) + (1.0 if whole and curve.raw.min() == 0 else 0.0), curve.tag
    main = features.main
    if main is None:
        return None
    last = float(main.steps[-1])
    if main.cadence == 1 and last <= planned * 1.05 and main.role.per != "step" and main.steps.size >= last:
        return last + (1.0 if main.steps[0] == 0 else 0.0), main.tag
    return None
