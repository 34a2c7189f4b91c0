"""Whether a claimed fault really shows: judged with what no log holds.

The oracle sees the silent loss on clean data, a holdout, a twin trained without the fault, and the step at which
something was done. A claim it cannot confirm, clearly and in what was logged, is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.truth.exhibit import (
    Exhibit,
    Label,
    NotShownError,
    all_finite,
    between,
    logged,
    main_curve,
    need,
    smoothed,
    spread,
    tail,
    twin_level,
)
from benchmarks.truth.shapes import absurdly, echo, left_for_good, metric_gap, stands, turn


def confirm(claim: str, exhibit: Exhibit) -> Label:
    """Return the label that the claim earns; NotShownError when it does not show."""
    with np.errstate(all="ignore"):
        return ORACLES[claim](exhibit)


def not_converging(exhibit: Exhibit) -> Label:
    """Confirm: moves widely, silent loss without net progress, the twin far below."""
    need(all_finite(exhibit), "not finite")
    curve, clean = main_curve(exhibit), exhibit.history.evals["train"]
    n = len(clean)
    early, late = float(np.median(clean[n // 8 : n // 2])), float(np.median(clean[-(n // 3) :]))
    start = exhibit.guess if exhibit.guess and np.isfinite(exhibit.guess) else float(clean[0])
    width = spread(between(curve, 0.15, 1.01))
    need(width >= 0.5, f"moves too little ({width:.2f})")
    need(-0.5 < (early - late) / max(early, 1e-9) < 0.1, "net progress, or rising")
    drift = np.median(between(curve, 0.7, 1.01)) / np.median(between(curve, 0.1, 0.45))
    need(0.85 < drift < 1.4, f"the logged curve drifts ({drift:.2f})")
    reference = twin_level(exhibit)
    need(late - reference > 0.5 * (start - reference), "not far from the trained twin")
    leapt = np.median(between(curve, 0.1, 1.01)) > 3 * np.median(curve.values[:2])
    return Label(
        ("not-converging",),
        ("plateau", "loss-spike", *(("exploding-loss",) if leapt else ())),
        {"not-converging": 0},
        {"spread": width, "early": early, "late": late, "twin": reference},
    )


def plateau(exhibit: Exhibit) -> Label:
    """Confirm: flat within its noise over most of the run, the twin far below."""
    need(all_finite(exhibit), "not finite")
    curve, evals = main_curve(exhibit), exhibit.history.evals
    span = float(curve.at[-1] + 1)
    need(spread(between(curve, 0.4, 1.01)) < 0.35, "moves too widely")
    reference = twin_level(exhibit)
    away = np.abs(evals["train"] - tail(evals["train"], 0.5)) > 0.05 * abs(tail(evals["train"]) - reference)
    settled = int(evals["step"][min(np.flatnonzero(away)[-1] + 1, len(away) - 1)]) if away.any() else 0
    onset = max(exhibit.onset or 0, settled)
    need(onset < 0.4 * span, "stuck for too short a part of the run")
    flat = evals["train"][evals["step"] >= onset]
    start = exhibit.guess if exhibit.guess and np.isfinite(exhibit.guess) else float(evals["train"][0])
    gap = float(np.median(flat)) - reference
    third = max(1, len(flat) // 3)
    fell = float(np.median(flat[:third]) - np.median(flat[-third:]))
    width = spread(curve.values[curve.at >= max(onset, 0.05 * span)])
    need(gap > 0.4 * max(start - reference, 1e-9), "not far from the trained twin")
    need(abs(fell) < 0.06 * gap, f"not flat (fell {fell / gap:.2f} of the gap)")
    shown = curve.values[curve.at >= max(onset, 0.05 * span)]
    drift = float(np.median(shown[: len(shown) // 3]) - np.median(shown[-(len(shown) // 3) :]))
    need(abs(drift) < max(0.25 * float(np.ptp(np.percentile(shown, [10, 90]))), 0.01 * gap), "the logged loss drifts")
    need(float(np.ptp(flat[1:])) < 0.15 * gap, "the silent loss moves")
    need(width < 0.35, f"moves too widely ({width:.2f})")
    return Label(
        ("plateau",),
        ("not-converging",),
        {"plateau": onset},
        {"spread": width, "level": float(np.median(flat)), "twin": reference, "guess": start},
    )


def exploding(exhibit: Exhibit) -> Label:
    """Confirm: rises and stays up: ends at three times its earlier level or more, the silent loss too."""
    curve = main_curve(exhibit)
    finite = np.isfinite(curve.values.astype(np.float32))
    last = int(np.argmin(finite)) if not finite.all() else len(finite)
    values, at = curve.values[:last], curve.at[:last]
    need(len(values) >= 12, "too few finite points")
    onset = exhibit.onset if exhibit.onset is not None else turn(values, at)
    before, after = values[at < onset], values[at >= onset]
    need(len(after) >= 3, "too few points after the onset")
    level = float(np.median(before[-25:])) if len(before) else float(values[0])
    end = tail(after, 0.05)
    need(end > 3 * level, f"ends at {end:.3g} from {level:.3g}")
    noise = float(np.percentile(before[-100:], 95)) if len(before) >= 5 else level
    need(end > 1.5 * noise, "within the earlier noise")
    need(level < 1.2 * float(np.median(values[:5])), "it had left before")
    crossed = left_for_good(values, at, onset, max(2 * level, noise))
    peak = float(np.percentile(after, 98))
    need(min(end, level) > 0, "a level of 0 or below has no leap in decades")
    need(np.log(end / level) > 0.6 * np.log(peak / level), "most of the leap is won back")
    need(end > 0.7 * float(np.median(values[:5])), "ends below its first values")
    if finite.all():
        need(tail(exhibit.history.evals["train"]) > 2 * level, "the silent loss came back")
    tolerated = ("loss-spike", "plateau", "not-converging", *(() if finite.all() else ("non-finite",)))
    return Label(("exploding-loss",), tolerated, {"exploding-loss": crossed}, {"level": level, "end": end})


def non_finite(exhibit: Exhibit) -> Label:
    """Confirm: NaN or infinity in a logged loss without a climb before it."""
    onset, onset_curve = None, None
    for curve in exhibit.curves:
        bad = np.flatnonzero(~np.isfinite(curve.values.astype(np.float32)))
        if curve.role.startswith("loss") and bad.size and (onset is None or curve.at[bad[0]] < onset):
            onset, onset_curve = int(curve.at[bad[0]]), curve
    if onset_curve is None or onset is None:
        raise NotShownError("all logged losses are finite")
    before = onset_curve.values[onset_curve.at < onset]
    climb = float(before[-3:].max() / np.median(before[-20:])) if len(before) >= 5 else 1.0
    need(climb < 2.0, f"a climb before it ({climb:.1f})")
    tolerated = ("exploding-loss", "loss-spike") if climb > 1.4 else ()
    return Label(("non-finite",), tolerated, {"non-finite": onset}, {"climb": climb})


def spike(exhibit: Exhibit) -> Label:
    """Confirm: leaps at the step something was done, beyond the noise of the run, and comes back."""
    need(all_finite(exhibit), "not finite")
    if exhibit.onset is None:
        raise NotShownError("nothing was done")
    curve, span = main_curve(exhibit), float(exhibit.history.steps[-1] + 1)
    before = curve.values[curve.at < exhibit.onset][-60:]
    near = (curve.at >= exhibit.onset) & (curve.at < exhibit.onset + 0.1 * span)
    need(len(before) >= 15 and near.sum() >= 5, "too few points around it")
    peak, level = float(curve.values[near].max()), float(np.median(before))
    noise = 1.4826 * float(np.median(np.abs(before - level)))
    need(peak > 2.5 * level and peak > level + 8 * noise, f"peak {peak:.3g} over {level:.3g} ± {noise:.2g}")
    need(peak > 1.5 * before.max(), "no higher than earlier points")
    elsewhere = curve.values[~near & (curve.at > 0.1 * span)]
    need(peak > 1.3 * elsewhere.max(), "no higher than other points")
    after = curve.values[curve.at > exhibit.onset + 0.3 * span]
    need(len(after) >= 5 and tail(after, 0.3) < 1.15 * level, "does not come back")
    first = int(curve.at[near][np.argmax(curve.values[near] > level + 0.3 * (peak - level))])
    back = np.flatnonzero((curve.at > exhibit.onset) & (curve.values < level + 3 * noise))
    length = int(curve.at[back[0]] - first) if back.size else 0
    clean = exhibit.history.evals
    worst = float(clean["train"][clean["step"] > exhibit.onset].max())
    kept = float(np.median(clean["val"][clean["step"] <= exhibit.onset][-3:]))
    need(tail(clean["val"]) < 1.3 * kept + 0.03 * float(clean["val"][0]), "validation does not come back")
    numbers = {"peak": peak, "level": level, "length": float(length), "silent peak": worst}
    return Label(("loss-spike",), ("exploding-loss",), {"loss-spike": first}, numbers)


def contradictory(exhibit: Exhibit) -> Label:
    """Confirm: the loss falls and the model ranks well, yet a logged metric stays where it is."""
    need(all_finite(exhibit), "not finite")
    curve, evals = main_curve(exhibit), exhibit.history.evals
    start = float(np.median(between(curve, 0.0, 0.1)))
    need(start > 0, f"the loss begins at {start:.3g}")
    fall = 1 - tail(curve.values) / start
    clean_fall = 1 - tail(evals["train"]) / float(evals["train"][0])
    need(min(fall, clean_fall) > 0.2, f"the loss falls by {fall:.2f} only")
    stuck = [c for c in exhibit.curves if c.role.startswith("metric") and stands(c) and absurdly(c)]
    need(bool(stuck), "no metric stands still")
    names = {c.role.split(":")[1] for c in stuck}
    twice = [c for c in exhibit.curves if c.role.startswith("metric") and c.role.split(":")[1] in names]
    need(max(float(tail(c.values) - tail(stuck[0].values)) for c in twice) < 0.1, "it moves in the other part")
    learnt = evals.get("val.auc", evals.get("val.accuracy", evals.get("val.r2")))
    need(learnt is not None and tail(learnt) > 0.7, "nothing was learnt")
    tags = {c.role: float(c.values[-1]) for c in stuck}
    return Label(("contradictory-metrics",), (), {"contradictory-metrics": 0}, {"fall": fall, **tags})


def overfitting(exhibit: Exhibit) -> Label:
    """Confirm: validation and holdout rise after their best, or settle far above training, while training goes on."""
    need(all_finite(exhibit), "not finite")
    shown, evals = logged(exhibit, "loss:val"), exhibit.history.evals
    if shown is None or len(shown.values) < 12:
        raise NotShownError("no validation logged")
    train, val, hold = (smoothed(evals[k]) for k in ("train", "val", "hold"))
    best = int(np.argmin(val))
    noise = 1.4826 * float(np.median(np.abs(np.diff(evals["val"])))) / np.sqrt(2)
    size = abs(val[best]) + 1e-9
    rise, twice = (tail(evals["val"]) - val[best]) / size, (tail(evals["hold"]) - hold[best]) / size
    fell = (train[best] - train[-1]) / max(abs(train[best]), 1e-9)
    gap = (val[-1] - train[-1]) / max(val[0] - train[-1], 1e-9)
    gap_hold = (hold[-1] - train[-1]) / max(hold[0] - train[-1], 1e-9)
    numbers = {"rise": rise, "rise of holdout": twice, "gap": gap, "best": float(evals["step"][best])}
    last = len(val) - 1
    if rise > 0.15 and twice > 0.1 and rise * size > 5 * noise and best < 0.85 * last and fell > 0.1:
        return Label(("overfitting",), (), {"overfitting": int(evals["step"][best])}, numbers)
    need(gap > 0.5 and gap_hold > 0.4, f"rise {rise:.2f}, gap {gap:.2f}: neither shows")
    need(train[-1] < 0.35 * train[0], "training did not go on")
    need(metric_gap(evals) > 0.12, "the metrics do not differ")
    apart = np.flatnonzero(val - train > 0.5 * (val[-1] - train[-1]))
    return Label(("overfitting",), (), {"overfitting": int(evals["step"][apart[0]])}, numbers)


def repetitive(exhibit: Exhibit) -> Label:
    """Confirm: the logged loss repeats with the epoch, and the twin's, whose data is shuffled, does not."""
    need(all_finite(exhibit), "not finite")
    curve, epoch = main_curve(exhibit), exhibit.history.epoch
    apart = float(np.median(np.diff(curve.at)))
    lag = epoch / apart
    need(
        lag >= 6 and len(curve.values) / lag >= 4.5, f"{lag:.1f} points a period, {len(curve.values) / lag:.1f} periods"
    )
    own = echo(curve.values, lag)
    if exhibit.twin is None:
        raise NotShownError("no twin")
    need(own > 0.5, f"echo {own:.2f}")
    twin = exhibit.twin()
    control = echo(twin.loss[curve.at[curve.at < len(twin.loss)]], lag)
    need(own > 0.5 and control < 0.25, f"echo {own:.2f}, of the twin {control:.2f}")
    clean, reference = exhibit.history.evals["train"], tail(exhibit.twin().evals["train"])
    poor = tail(clean, 0.3) - reference > 0.5 * (clean[0] - reference)
    restless = float(np.ptp(clean[len(clean) // 2 :])) > 0.5 * (clean[0] - reference)
    tolerated = ("not-converging", "plateau", "loss-spike") if poor or restless else ()
    numbers = {"echo": own, "twin's echo": control, "period": float(epoch)}
    return Label(("repetitive-loss",), tolerated, {"repetitive-loss": 0}, numbers)


def healthy(exhibit: Exhibit) -> Label:
    """Confirm: learns clearly, holds what it has on validation and holdout, and the silent loss never jumps."""
    allow, evals = exhibit.allow, exhibit.history.evals
    need("non-finite" in allow or all_finite(exhibit), "not finite")
    train = evals["train"]
    end = tail(train)
    start = exhibit.guess if exhibit.guess and np.isfinite(exhibit.guess) else float(train[0])
    if "progress" not in allow:
        need(end < start - 0.25 * abs(start), f"silent loss {end:.3g} from {start:.3g}")
    if "jumps" not in allow:
        settled = train[len(train) // 6 :]
        risen = float(np.max(settled - np.minimum.accumulate(settled)))
        need(risen < 0.12 * abs(float(train[0]) - end), f"the silent loss jumps by {risen:.3g}")
    tolerated = () if "validation" in allow or _sound_validation(exhibit, end) else ("overfitting",)
    if "few evaluations" in allow and evals["val"][-1] > 1.12 * abs(evals["val"].min()):
        tolerated = ("overfitting",)  # too few for a smoother, but who calls such a rise overfitting is not wrong
    for curve in exhibit.curves:
        if curve.role.startswith("metric") and "metrics" not in allow and len(curve.values) >= 8:
            need(not stands(curve) or curve.values[-1] > 0.97, f"{curve.tag} stands still")
    return Label((), tolerated, {}, {"start": start, "end": end, "validation": tail(evals["val"])})


def _sound_validation(exhibit: Exhibit, end: float) -> bool:
    """Whether validation is beyond doubt; False where it is arguable, NotShownError where it is not sound."""
    evals, beyond_doubt = exhibit.history.evals, True
    scale = float(evals["val"][0]) - float(evals["val"].min())
    for name in ("val", "hold"):
        lowest = float(smoothed(evals[name]).min())
        rise = tail(evals[name]) - lowest
        need(rise < 0.12 * abs(lowest) or rise < 0.002 * scale, f"{name} rises by {rise:.3g}")
        beyond_doubt &= rise < 0.05 * abs(lowest) or rise < 0.002 * scale
    apart = tail(evals["val"]) - end
    base = exhibit.guess if "gap" in exhibit.allow and exhibit.guess else max(float(evals["val"][0]) - end, 1e-9)
    need(apart < 0.25 * base, f"gap {apart / base:.2f}")
    return beyond_doubt and apart < 0.15 * base


ORACLES: Mapping[str, Callable[[Exhibit], Label]] = {
    "not-converging": not_converging,
    "plateau": plateau,
    "exploding-loss": exploding,
    "non-finite": non_finite,
    "loss-spike": spike,
    "contradictory-metrics": contradictory,
    "overfitting": overfitting,
    "repetitive-loss": repetitive,
    "healthy": healthy,
}
