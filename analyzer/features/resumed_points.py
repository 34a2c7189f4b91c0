"""The points of a series that stand, on the axis they are judged on, with an account of what was done for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
Kind = Literal["no-step", "passes", "overflow", "summary", "trainings", "restart", "mixture"]


@dataclass(frozen=True, slots=True)
class Account:
    """What was done with the steps of a series: its kind, and the words for the note."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class ResumedPoints:
    """The points of a series that stand, by rising step.

    `restarts`: the steps to which a resumed training went back; what lay beyond is overtaken by it and left out
    (`overtaken` points). `accounts`: what was done so that the steps count. `moved`: the steps are not those of the
    log, or points are left out that no restart has overtaken. `pass_length`: the steps of one pass (an epoch) where
    the log counts steps per pass, 0 elsewhere.
    """

    steps: Steps
    values: Array
    wall_times: Array
    restarts: tuple[int, ...] = ()
    overtaken: int = 0
    accounts: tuple[Account, ...] = ()
    moved: bool = False
    pass_length: int = 0

    @property
    def has_steps(self) -> bool:
        """Whether the log counts steps: else the steps are numbers of points, or were found by time."""
        return not any(account.kind == "no-step" for account in self.accounts)

    def kept(self, which: slice | NDArray[np.bool_] | NDArray[np.int64]) -> ResumedPoints:
        """Return the lineage with these of its points only."""
        return replace(self, steps=self.steps[which], values=self.values[which], wall_times=self.wall_times[which])

    def placed(self, steps: Steps, *accounts: Account) -> ResumedPoints:
        """Return the lineage on other steps, with accounts of why."""
        return replace(self, steps=steps, accounts=(*self.accounts, *accounts), moved=True)
