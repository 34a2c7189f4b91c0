"""Draws the runs as logged, sheet by sheet, so that labels can be checked by eye (needs matplotlib)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

mpl.use("Agg")
import matplotlib.pyplot as plt

ROWS, COLUMNS = 4, 5
TOP = 30_000  # points drawn of a curve


def look(where: Path, out: Path, *, only: Sequence[str] = (), splits: Sequence[str] = ("tune", "test")) -> None:
    """Write PNG sheets of twenty runs each into `out`, named by claim."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = defaultdict(list)
    for row in json.loads((where / "truth.json").read_text())["runs"]:
        if row["split"] in splits and (not only or any(w in f"{row['claim']} {row['cause']}" for w in only)):
            sheets[row["split"], row["claim"]].append(row)
    for (split, claim), rows in sheets.items():
        rows.sort(key=lambda row: row["cause"])
        for i in range(0, len(rows), ROWS * COLUMNS):
            path = out / f"{split}-{claim}-{i // (ROWS * COLUMNS)}.png"
            _sheet(where, rows[i : i + ROWS * COLUMNS], path)
            print(path)


def _sheet(where: Path, rows: Sequence[dict[str, Any]], path: Path) -> None:
    figure, axes = plt.subplots(ROWS, COLUMNS, figsize=(24, 15), layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, row in zip(axes.flat, rows, strict=False):
        axis.axis("on")
        _draw(axis, row, curves(where / row["path"]))
    figure.savefig(path, dpi=60)
    plt.close(figure)


def _draw(axis: Any, row: dict[str, Any], found: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    losses = {t: c for t, c in found.items() if "loss" in t.lower() and "vs samples" not in t and "scale" not in t}
    skip = ("train_loss_epoch", "train/train_loss", "iterations", "loss validation ppl")
    positive = True
    for tag, (steps, values) in losses.items():
        if any(s in tag for s in skip) or ("epoch_loss" in tag and any("batch_loss" in t for t in losses)):
            continue
        positive &= bool((values[np.isfinite(values)] > 0).all())
        axis.plot(steps[:TOP], values[:TOP], ".-" if len(steps) < 300 else "-", lw=0.6, ms=3, label=tag)
    if positive:
        axis.set_yscale("log")
    right = axis.twinx()
    for tag, (steps, values) in found.items():
        if any(w in tag.lower() for w in ("recall", "f1", "r2", "precision")) and row["claim"] in {
            "contradictory-metrics",
            "healthy",
        }:
            right.plot(steps, values, "--", lw=0.8, c="k", label=tag)
            right.set_ylim(-0.05, 1.05)
    onset = next(iter(row["onset"].values()), None)
    if onset is not None and row["axis"] == "step":
        axis.axvline(onset, c="r", lw=0.6)
    axis.set_title(
        f"{row['cause']} {row['data']} {row['family']}\n"
        f"{row['layout']} {row['path'][-18:]} ~{','.join(row['tolerated'])}",
        fontsize=8,
    )
    if axis.has_data():
        axis.legend(fontsize=6)


def curves(run: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return steps and values by tag (sub-folder first) of a run of either kind."""
    if (run / "meta.yaml").exists():
        return {str(p.relative_to(run / "metrics")): _metric(p) for p in (run / "metrics").rglob("*") if p.is_file()}
    found = {}
    for folder in sorted({p.parent for p in run.rglob("events.out.*")}):
        reader = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}, purge_orphaned_data=False)
        reader.Reload()
        prefix = "" if folder == run else f"{folder.relative_to(run)}/"
        for tag in reader.Tags()["scalars"]:
            events = reader.Scalars(tag)
            found[prefix + tag] = (np.array([e.step for e in events]), np.array([e.value for e in events]))
        for tag in reader.Tags()["tensors"]:
            if tag.startswith("_hparams_/"):
                continue
            events = reader.Tensors(tag)
            values = [float(make_ndarray(e.tensor_proto)) for e in events]
            found[prefix + tag] = (np.array([e.step for e in events]), np.array(values))
    return found


def _metric(path: Path) -> tuple[np.ndarray, np.ndarray]:
    table = np.loadtxt(path, ndmin=2)
    return table[:, 2], table[:, 1]
