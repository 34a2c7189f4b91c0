"""A period that comes again is laid over itself; what is marked unevenly is not."""

import numpy as np

from analyzer.model.evidence import Mark
from analyzer.writers.folded_curve import folded
from tests import made

AT = np.arange(1000)


def marks(steps):
    return [Mark("step", "loss", "", (int(s),)) for s in steps]


def test_the_shape_of_a_period_comes_out_of_noise_and_fall():
    wave = np.where(AT % 40 < 20, 1.5, 0.5)
    loss = (0.2 + 2 / (1 + AT / 100)) * wave * np.exp(np.random.default_rng(0).normal(0, 0.1, AT.size))
    row, told = folded([made.row("loss", loss)], marks(range(40, 1000, 40)))
    assert told.startswith("One period of 40 steps") and row.curve.steps.max() < 40
    high, low = row.curve.values[row.curve.steps < 20], row.curve.values[row.curve.steps >= 20]
    assert high.min() > 2 * low.max()


def test_uneven_marks_few_marks_and_labelled_marks_make_no_period():
    row = made.row("loss", 1 + AT % 40)
    assert folded([row], marks((10, 40, 300, 310, 700, 900))) is None
    assert folded([row], marks((40, 80, 120))) is None
    assert folded([row], [Mark("step", "loss", "here", (s,)) for s in range(40, 1000, 40)]) is None
    assert folded([made.row("other", AT)], marks(range(40, 1000, 40))) is None
