"""Small runs by formula, in memory and as event files."""

import numpy as np

from analyzer.model.case import falling, noise
from benchmarks import judging


def small_curve(points=400, seed=0):
    steps = np.arange(points)
    train = falling(points, 3.0, 1.0) * np.exp(noise(points, 0.02, seed))
    val = falling(points // 10, 3.1, 1.1) * np.exp(noise(points // 10, 0.003, seed + 1))
    return {"train/loss": (steps, train), "val/loss": (steps[:: points // (points // 10)], val)}


def written(folder, curves):
    for name, curve in curves.items():
        series = {tag: values for tag, (_, values) in curve.items() if values.size == 400}
        judging.write_scalars(folder / name, series)
    return folder
