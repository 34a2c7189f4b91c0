"""Makes the collection: every recipe's copies, each confirmed by the oracle, and truth.json beside them."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.truth import oracle, recipes
from benchmarks.truth.events import Curve, write_events, write_mlflow, write_yaml
from benchmarks.truth.exhibit import Exhibit, Label, NotShownError
from benchmarks.truth.layouts import lay_out
from benchmarks.truth.loop import History
from benchmarks.truth.recipe import Attempt, Recipe

TRIES = 3  # fresh draws for a copy whose claim does not show
SPLITS = ("tune", "test")


@dataclass(frozen=True)
class Job:
    """One run to make: the n-th copy of a recipe in a split."""

    place: str
    split: str
    recipe: int
    copy: int
    seed: int


@cache
def known_recipes() -> tuple[Recipe, ...]:
    """Every recipe of the package, in the order of modules."""
    modules = [importlib.import_module(f"{recipes.__name__}.{m.name}") for m in pkgutil.iter_modules(recipes.__path__)]
    return tuple(recipe for module in modules for recipe in module.RECIPES)


def make(
    where: Path, *, jobs: int = 2, only: Sequence[str] = (), splits: Sequence[str] = SPLITS, seed: int = 0
) -> list[dict[str, Any]]:
    """Fill `where` with runs and truth.json; `only` keeps recipes whose claim or cause contains one of the words.

    Each `seed` draws other runs of the same recipes: limits moved on one draw can be tried on the next.
    """
    for split in SPLITS:
        shutil.rmtree(where / split, ignore_errors=True)
    where.mkdir(parents=True, exist_ok=True)
    todo = list(_jobs(where, only, splits, seed))
    rows, dropped = [], Counter[str]()
    began = time.perf_counter()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for job, row, why in pool.map(_made, todo, chunksize=1):
            recipe = known_recipes()[job.recipe]
            if row is None:
                dropped[f"{job.split} {recipe.claim} / {recipe.cause}: {why}"] += 1
            else:
                rows.append(row)
    rows.sort(key=lambda row: row["path"])
    document = {"schema": "truth/1", "dropped": dict(sorted(dropped.items())), "runs": rows}
    (where / "truth.json").write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
    print(f"{len(rows)} runs in {time.perf_counter() - began:.0f} s, {sum(dropped.values())} dropped")
    _tell(rows, dropped)
    return rows


def _jobs(where: Path, only: Sequence[str], splits: Sequence[str], seed: int) -> Iterable[Job]:
    for number, recipe in enumerate(known_recipes()):
        if only and not any(word in f"{recipe.claim} {recipe.cause}" for word in only):
            continue
        for split in splits:
            yield from (Job(str(where), split, number, copy, seed) for copy in range(getattr(recipe, split)))


def _tell(rows: Sequence[dict[str, Any]], dropped: Counter[str]) -> None:
    for split in SPLITS:
        seen = Counter((row["expected"] or ["healthy"])[0] for row in rows if row["split"] == split)
        print(split, dict(sorted(seen.items())))
    for why, count in sorted(dropped.items()):
        print(f"  dropped {count}: {why}")


def _made(job: Job) -> tuple[Job, dict[str, Any] | None, str]:
    """Try until the claim shows; the last reason when it never does."""
    recipe = known_recipes()[job.recipe]
    why = "no attempt"
    for trial in range(TRIES):
        drawn = [*f"{recipe.claim}/{recipe.cause}".encode(), job.copy, SPLITS.index(job.split), trial]
        rng = np.random.default_rng(drawn + [job.seed] * (job.seed > 0))
        for attempt in recipe.attempts(rng, job.split):
            try:
                return job, _kept(job, recipe, attempt, rng), ""
            except NotShownError as error:
                why = str(error).partition("(")[0].strip()
            except Exception as error:
                raise RuntimeError(f"{recipe.claim} / {recipe.cause}: {traceback.format_exc()}") from error
    return job, None, why


def _kept(job: Job, recipe: Recipe, attempt: Attempt, rng: np.random.Generator) -> dict[str, Any]:
    """Train, confirm, write; returns the row of truth.json."""
    history = attempt.history()
    curves = lay_out(history, attempt.style)
    if attempt.tampered:
        curves = attempt.tampered(curves)
    exhibit = Exhibit(history, curves, attempt.twin, attempt.onset, attempt.guess, attempt.allow)
    label = _with_neighbours(oracle.confirm(recipe.claim, exhibit), recipe.claim, exhibit)
    drawn = f"/{job.seed}" if job.seed else ""
    name = hashlib.sha256(f"{job.split}/{recipe.claim}/{recipe.cause}/{job.copy}{drawn}".encode()).hexdigest()
    path = _write(Path(job.place) / job.split, name, attempt, curves, rng)
    return {
        "path": f"{job.split}/{path}",
        "split": job.split,
        "layout": attempt.style.layout,
        "data": attempt.data,
        "family": attempt.family or history.family,
        "claim": recipe.claim,
        "cause": recipe.cause,
        "expected": list(label.expected),
        "tolerated": sorted({*label.tolerated, *attempt.tolerated}),
        "onset": label.onset,
        "onset_steps": {symptom: _on_axes(update, curves) for symptom, update in label.onset.items()},
        "points": max(len(c.steps) for c in curves if c.role.startswith(("loss", "part", "rl"))),
        "steps": len(history.steps),
        "epoch": history.epoch,
        "axis": "step" if attempt.style.every else "epoch",
        "oracle": {k: float(f"{v:.5g}") for k, v in label.numbers.items() if np.isfinite(v)},
    }


def _on_axes(update: int, curves: list[Curve]) -> dict[str, tuple[int, int]]:
    """Return, by tag, the logged step of the first point at or after an update, and the last step of the tag."""
    found = {}
    for curve in curves:
        if curve.role.startswith(("loss", "part", "metric", "rl")):
            i = min(int(np.searchsorted(curve.at, update)), len(curve.at) - 1)
            tag = f"{curve.folder}/{curve.tag}" if curve.folder else curve.tag
            found[tag] = (int(curve.steps[i]), int(curve.steps[-1]))
    return found


def _with_neighbours(label: Label, claim: str, exhibit: Exhibit) -> Label:
    """Tolerate in a sick run what another oracle would confirm as well, or nearly."""
    if claim == "healthy":
        return label
    more = set(label.tolerated)
    for other in oracle.ORACLES:
        if other in label.expected or other == "healthy":
            continue
        try:
            oracle.confirm(other, exhibit)
            more.add(other)
        except NotShownError:
            continue
    if claim != "overfitting" and _validation_suffers(exhibit.history):
        more.add("overfitting")
    return replace(label, tolerated=tuple(more))


def _validation_suffers(history: History) -> bool:
    """Whether validation rises or stands apart at least a little, which no claim but overfitting is about."""
    val, train = history.evals["val"], history.evals["train"]
    if not (np.isfinite(val).all() and np.isfinite(train).all()) or len(val) < 5:
        return False
    rise = float(val[-3:].mean() - val.min()) / max(abs(float(val.min())), 1e-9)
    gap = float(val[-1] - train[-1]) / max(float(val[0] - train[-1]), 1e-9)
    return rise > 0.05 or gap > 0.25


def _write(where: Path, name: str, attempt: Attempt, curves: list[Curve], rng: np.random.Generator) -> str:
    """Write the run under a name that tells nothing; returns its path below `where`."""
    start = 1.75e9 + int(name[:4], 16) * 60.0
    pace = float(np.exp(rng.uniform(-3, 1)))
    given = dict(attempt.params)
    if attempt.style.layout.startswith("mlflow"):
        write_mlflow(
            where / "mlruns", name[:32], curves, name=f"run-{name[:5]}", params=given, tags={}, start=start, pace=pace
        )
        return f"mlruns/1/{name[:32]}"
    folder = name[:8]
    if attempt.style.layout == "lightning":
        folder = f"{folder}/lightning_logs/version_{int(name[8], 16) % 3}"
        write_yaml(where / folder / "hparams.yaml", given)
    tensors = attempt.style.layout in {"keras", "clu"}
    suffix = ".v2" if attempt.style.layout == "keras" else ""
    if attempt.resumed is None:
        write_events(where / folder, curves, start=start, pace=pace, as_tensors=tensors, suffix=suffix)
        return folder
    cut = int(attempt.params["stopped_at"])  # type: ignore[call-overload]  # a number of steps
    first = [_until(curve, cut) for curve in curves]
    write_events(where / folder, first, start=start, pace=pace, as_tensors=tensors, suffix=suffix)
    second = lay_out(attempt.resumed(), attempt.style)
    write_events(where / folder, second, start=start + cut * pace + 900, pace=pace, as_tensors=tensors, suffix=suffix)
    return folder


def _until(curve: Curve, cut: int) -> Curve:
    keep = curve.at < cut
    return replace(curve, steps=curve.steps[keep], values=curve.values[keep], at=curve.at[keep])
