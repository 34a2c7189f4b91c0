# ruff: noqa: E501 - a made sentence is easier to read on one line
"""Results made by hand for the writers' tests: sick, healthy, unjudged and hostile ones, their curves by formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analyzer.model.case import falling, noise
from analyzer.model.evidence import Mark, Severity
from analyzer.model.guide import Guide, LimitGuide
from analyzer.model.health import Criterion
from analyzer.model.result import (
    Advice,
    Checked,
    Event,
    Finding,
    JudgedMeasure,
    NotChecked,
    Result,
    SeriesRow,
    fingerprint,
)  # fmt: skip
from analyzer.model.run import Note, Series

STARTED = 1_790_000_000.0


def row(tag, values, role="loss", split=None, direction="lower", steps=None, why="the name says so") -> SeriesRow:
    """Return a series as a writer sees it."""
    values = np.asarray(values, dtype=float)
    at = np.arange(values.size) if steps is None else np.asarray(steps)
    finite = np.flatnonzero(np.isfinite(values))
    best = None
    if finite.size and direction:
        best = int(finite[(np.argmin if direction == "lower" else np.argmax)(values[finite])])
    return SeriesRow(
        tag, int(values.size), role, split, direction, why,
        int(at.min()) if values.size else None, int(at.max()) if values.size else None,
        float(values[-1]) if values.size else None,
        None if best is None else float(values[best]), None if best is None else int(at[best]),
        Series(tag, at, values, STARTED + at.astype(float)),
    )  # fmt: skip


def finding(run, symptom, severity: Severity, tags, summary, **more) -> Finding:
    """Return a finding with its fingerprint worked out."""
    given = {
        "first_step": None, "last_step": None, "cause": None, "speaks_for": (), "advice": (), "measures": (),
        "p_value": None, "explained_by": None,
    } | more  # fmt: skip
    print_ = fingerprint(symptom, run, tuple(tags))
    return Finding(symptom, severity, tuple(tags), summary=summary, fingerprint=print_, **given)


def measure(name, value, limit=None, unit="") -> JudgedMeasure:
    return JudgedMeasure(name, value, limit, unit)


def overfitted(run="exp1/train_a") -> Result:
    """Return a run whose validation loss turns at step 400, with a restart, a spike and a plateau besides."""
    n = 1000
    train = falling(n) * (1 + noise(n, 0.06, 1, skew=1.5))
    train[620] *= 14
    at = np.arange(0, n, 20)
    val = 0.45 + 1.9 * np.exp(-at / 110) + np.where(at > 400, (at - 400) / 600 * 0.34, 0) + noise(at.size, 0.012, 2)
    rate = 1e-3 * np.where(np.arange(n) < 50, np.arange(n) / 50, 0.5 * (1 + np.cos(np.pi * np.arange(n) / n)))
    accuracy = 0.1 + 0.72 * (1 - np.exp(-at / 120)) + noise(at.size, 0.01, 3)
    over = finding(
        run, "overfitting", "error", ("val/loss", "train/loss"),
        "Validation loss was best at step 400 (0.47) and has risen by 66 % since, while training loss went on falling.",
        first_step=400, last_step=980, p_value=0.0001,
        cause="The model memorises the training examples: it goes on improving on them and no longer on others.",
        speaks_for=("training loss fell by another 41 % after step 400", "validation accuracy stood still from step 420"),
        advice=(
            "Use the checkpoint of step 400; going on cost 0.31 of validation loss.",
            "Stop when validation loss has not improved for 5 evaluations.",
            "Add regularisation (weight decay, dropout) or data, or take a smaller model.",
        ),
        measures=(
            measure("rise of validation loss over its best", 0.66, 0.05),
            measure("rise in units of its own noise", 21.4, 3, "σ"),
            measure("fall of training loss since", 0.41),
        ),
        marks=(
            Mark("step", "val/loss", "best: step 400", (400,)),
            Mark("region", "val/loss", "rising", (400, 980)),
            Mark("line", "val/loss", "validation loss, smoothed", tuple(int(s) for s in at), tuple(0.45 + 1.9 * np.exp(-at / 110) + np.where(at > 400, (at - 400) / 600 * 0.34, 0))),
        ),
    )  # fmt: skip
    spike = finding(
        run, "loss-spike", "warning", ("train/loss",), "Training loss leapt to 14 times its level at step 620 and was back after 1 step.",
        first_step=620, last_step=621, advice=("Look at the batch of step 620.", "Clip gradients at about twice their usual norm."),
        measures=(measure("height over the level before", 13.9, 6.2, "times"), measure("steps until back", 1, None, "steps")),
        also=("train/ce_loss", "train/aux_loss"),
    )  # fmt: skip
    wasted = finding(
        run, "wasted-tail", "info", ("val/loss",), "The last 600 steps (3 h 20 min) brought no improvement.",
        first_step=400, last_step=980, explained_by=over.fingerprint,
    )  # fmt: skip
    jump = finding(
        run, "loss-spike", "warning", ("val/accuracy",), "Accuracy jumped at step 500.", first_step=500, last_step=500,
        explained_by="event:lr-drop@500",
    )  # fmt: skip
    return Result(
        run=run, name="train_a", source="tensorboard", location=f"logs/{run}", status="ok", reason="",
        series=(
            row("train/loss", train, split="train", why="“loss” in a folder called train"),
            row("val/loss", val, split="validation", steps=at, why="“loss” in a folder called val"),
            row("val/accuracy", accuracy, "metric", "validation", "higher", at),
            row("lr", rate, "learning-rate", None, None),
            row("grad_norm", np.exp(noise(n, 0.5, 5)), "gradient-norm", "train", None),
            row("epoch", np.arange(n) // 100, "counter", None, None),
            row("weight_decay", np.full(n, 0.01), "constant", None, None),
            row("foo/bar", noise(300, 1, 9), "unknown", None, None, why="no word in it is known"),
        ),
        findings=(over, spike, wasted, jump),
        checked=(
            Checked("non-finite", ("train/loss", "val/loss"), (measure("values that are not finite", 0, 0, "points"),)),
            Checked("repetitive-loss", ("train/loss",), (measure("autocorrelation at the best period", 0.08, 0.3),)),
            Checked("plateau", ("train/loss",), (measure("longest stretch without progress", 0.12, 0.4),)),
        ),
        not_checked=(
            NotChecked("contradictory-metrics", "no metric is logged for the training split"),
            NotChecked("learning-rate-idle", "the rate follows a schedule"),
        ),
        notes=(
            Note("torn-tail", "The last record is not complete: the writer may still be at it.", "events.out.tfevents.1", 94112, 17),
            Note("layout", "Two event files were read as one run, in the order of their first steps."),
        ),
        events=(Event("warm-up", 50, "the learning rate rose until step 50"), Event("lr-drop", 500, "the learning rate halved")),
        params=(("batch_size", 32), ("optimizer", "AdamW"), ("lr", 1e-3), ("api_token", "***")),
        family="supervised", main_tag="train/loss", started=STARTED, ended=STARTED + 12_000,
    )  # fmt: skip


def exploded(run="exp1/train_b") -> Result:
    """Return a run whose loss climbs from step 700 and is NaN from step 900; a metric stays at 0."""
    n = 1200
    loss = falling(n) * np.exp(noise(n, 0.1, 4))
    loss[700:] *= np.exp(np.linspace(0, 9, n - 700))
    loss[900:] = np.nan
    recall = np.zeros(60)
    boom = finding(
        run, "exploding-loss", "error", ("loss",), "Training loss climbs from 0.31 at step 700 to 14.8 at step 899 and is NaN from step 900 on.",
        first_step=700, last_step=899,
        cause="The gradients exploded: their norm left its range 40 steps before the loss did.",
        speaks_for=("gradient norm passes 9 times its median at step 661", "the learning rate was at its highest"),
        advice=("Go back to the last checkpoint before step 660.", "Clip gradients at a norm of about 2.", "Lower the learning rate by a factor of 3, or lengthen the warm-up."),
        measures=(measure("rise over the lowest level", 47.7, 1.5, "times"), measure("steps above it", 199, 20, "steps")),
        marks=(Mark("region", "loss", "climbing", (700, 899)), Mark("level", "loss", "lowest level", (), (0.31,)), Mark("step", "loss", "NaN", (900,))),
    )  # fmt: skip
    nan = finding(
        run, "non-finite", "error", ("loss",), "300 values of the loss are NaN, the first at step 900.", first_step=900, last_step=1199,
        explained_by=boom.fingerprint,
    )  # fmt: skip
    stuck = finding(
        run, "contradictory-metrics", "error", ("val/recall", "loss"), "Recall stays at exactly 0 over 60 evaluations while the loss fell by 86 %.",
        first_step=0, last_step=1180,
        advice=("Lower the decision threshold and see whether recall moves.", "Weigh or resample the rare class."),
        measures=(measure("evaluations at one value", 60, 10, ""),),
    )  # fmt: skip
    return Result(
        run=run, name="train_b", source="mlflow", location=f"mlruns/1/{run}", status="partial", reason="the writer stopped without closing its file",
        series=(
            row("loss", loss, split="train"), row("val/recall", recall, "metric", "validation", "higher", np.arange(0, 1200, 20)),
            row("grad_norm", np.exp(noise(n, 0.3, 6) + np.where(np.arange(n) > 660, 2.0, 0)), "gradient-norm", "train", None),
        ),
        findings=(boom, stuck, nan), checked=(Checked("overfitting", ("loss",), ()),),
        notes=(Note("damage", "38 bytes could not be read; the records around them are kept.", "events.out.tfevents.2", 1024, 38),),
        main_tag="loss", started=STARTED, ended=STARTED + 90_000,
    )  # fmt: skip


def healthy(run="exp2/good") -> Result:
    """Return a run in which nothing is wrong."""
    n = 400
    at = np.arange(0, n, 8)
    return Result(
        run=run, name="good", source="tensorboard", location=f"logs/{run}", status="ok", reason="",
        series=(
            row("loss/train", falling(n) * (1 + noise(n, 0.03, 1)), split="train"),
            row("loss/val", 0.03 + falling(at.size) * (1 + noise(at.size, 0.01, 2)), split="validation", steps=at),
        ),
        checked=(
            Checked("overfitting", ("loss/val", "loss/train"), (measure("rise of validation loss over its best", 0.004, 0.05),)),
            Checked("non-finite", ("loss/train",), (measure("values that are not finite", 0, 0, "points"),)),
        ),
        not_checked=(NotChecked("contradictory-metrics", "no metric was logged"),),
        health=(
            Criterion("learnt", "shown", "loss/train fell from 2.3 to 0.21", {"gain": 0.91}, ("loss/train",)),
            Criterion("kept", "shown", "loss/train ends within noise of its best level", {"errors": 0.4}, ("loss/train",)),
            Criterion("finite", "shown", "all points of 2 losses are finite", {"points": 2000.0}),
            Criterion("metrics", "not-applicable", "no metric is long enough"),
            Criterion("enough-data", "shown", "loss/train has 1,000 finite points", {"points": 1000.0}, ("loss/train",)),
        ),
        further_checks=(
            Advice("Metrics on slices of the data", "No metric is logged at all, so nothing is known about groups."),
            Advice("A held-out test set", "Only training and validation losses are here."),
            Advice("Stability over seeds", "One run with this configuration; two more would tell."),
        ),
        params=(("seed", 7),), main_tag="loss/train", started=STARTED, ended=STARTED + 400,
    )  # fmt: skip


def unjudged(run="exp2/short") -> Result:
    """Return a run that is too short to say anything."""
    return Result(
        run=run, name="short", source="tensorboard", location=f"logs/{run}", status="in-progress", reason="written 3 minutes ago",
        health=(Criterion("enough-data", "unclear", "loss has 4 finite points; 8 are needed", {"points": 4.0}, ("loss",)),),
        series=(row("loss", [2.3, 2.1, 2.2, 2.0], split="train"),),
        not_checked=(NotChecked("overfitting", "no validation loss"), NotChecked("plateau", "4 points, at least 20 are needed")),
        main_tag="loss",
    )  # fmt: skip


def failed(run="exp3/broken") -> Result:
    """Return a run of which nothing could be read."""
    found = finding(
        run,
        "unreadable-log",
        "error",
        (),
        "events.out.tfevents.9 cannot be read: its first record is damaged.",
        advice=("Copy the file again from where it was written.",),
    )
    return Result(
        run=run, name="broken", source="tensorboard", location=f"logs/{run}", status="failed", reason="its first record is damaged",
        findings=(found,),
        notes=(Note("unreadable", "its first record is damaged", "events.out.tfevents.9", 0, 12),),
    )  # fmt: skip


HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\x1b[31m\u202egnp.exe\u2066\x00\u2028\' {{7*7}} \udc80'


def hostile() -> Result:
    """Return the overfitted run with a hostile text wherever a log could put one."""
    result = overfitted(HOSTILE)
    findings = tuple(
        replace(f, tags=(HOSTILE,), summary=f"{f.summary} {HOSTILE}", also=(HOSTILE,), cause=HOSTILE, advice=(HOSTILE,),
                marks=(Mark("step", HOSTILE, HOSTILE, (500,)),))
        for f in result.findings
    )  # fmt: skip
    series = tuple(replace(s, tag=HOSTILE, why=HOSTILE, split=HOSTILE) for s in result.series[:1]) + result.series[1:]
    return replace(
        result, name=HOSTILE, location=HOSTILE, series=series, findings=findings, reason=HOSTILE, status="partial",
        notes=(Note("damage", HOSTILE, HOSTILE, 1, 1),), events=(Event("restart", 500, HOSTILE),), main_tag=HOSTILE,
        params=((HOSTILE, HOSTILE),), not_checked=(NotChecked("plateau", HOSTILE),),
    )  # fmt: skip


def large(findings=12, series=60, points=5000) -> Result:
    """Return a run as large as the budget speaks of."""
    base = overfitted("exp9/large")
    rows = [
        row(f"group{i % 5}/series_{i:02d}/loss", falling(points) * np.exp(noise(points, 0.2, i)), split="train")
        for i in range(series)
    ]
    found = tuple(
        replace(base.findings[0], symptom=f"symptom-{i}", tags=(rows[2 * i].tag, rows[2 * i + 1].tag), fingerprint=f"{i:016x}",
                marks=(Mark("region", rows[2 * i].tag, "here", (400, 900)),))
        for i in range(findings)
    )  # fmt: skip
    return replace(base, series=tuple(rows), findings=found, main_tag=rows[0].tag)


def guides() -> Mapping[str, Guide]:
    """Return a page for each of two symptoms."""
    return {
        symptom: Guide(
            symptom, title, "The model that is kept is worse than one that was already there.\n\nEvery step after the turn is paid for and harms.",
            "The smoothed validation loss is compared with its best.",
            "- A small validation set is noisy.\n- Loss may rise while accuracy still improves: that is calibration.",
            "Stop at the best step.", "Prechelt 1998, Early stopping – but when?",
            (LimitGuide("rise", 0.05, "largest harmless rise over the best, as a part of it"),),
        )
        for symptom, title in (("overfitting", "Validation loss turns and rises"), ("loss-spike", "Loss leaps and returns"))
    }  # fmt: skip
