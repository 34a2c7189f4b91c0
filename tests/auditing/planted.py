"""Runs that do to their reader what a log should not be able to do: die, hang, eat all memory."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np

from analyzer.model.run import Note, Run, Series
from analyzer.readers import RunRef, Update


@dataclass(frozen=True)
class Planted(RunRef):
    """A run that is read as its name says: dies, exits, hangs, grows, prints, lies elsewhere (on one
    machine only), or (any other) is a loss that falls.
    """

    def load(self, marks):
        kind = self.name.split("-")[0]
        if kind == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "exits":
            os._exit(7)
        if kind == "hangs":
            time.sleep(600)
        if kind == "grows":
            np.ones(1 << 33)
        if kind == "elsewhere" and "POSTHOC_TEST_HERE" not in os.environ:
            note = Note("unreadable", f"{self.name}: cannot be read (No such file)", file=self.name)
            return Update(Run(self.id, self.name, self.source, self.location, notes=(note,)), {}, whole=True)
        if kind == "prints":
            print("from inside", "x" * 100_000)
        steps = np.arange(200)
        loss = Series("loss", steps, 2 * np.exp(-steps / 40) + 0.1, 1.79e9 + steps)
        return Update(Run(self.id, self.name, self.source, self.location, {"loss": loss}), {}, whole=True)


def planted(*names):
    return [Planted(name, name, "tensorboard", name) for name in names]
