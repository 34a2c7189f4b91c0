"""The run ends before it was meant to.

Why it matters
--------------
A run that was killed, crashed or ran out of time looks like any other curve, only shorter: compared with finished
runs it seems worse than its settings are, and its learning-rate schedule has never come to its end.

How it is measured
------------------
The last step or epoch is compared with the plan, if a parameter contains it (max_steps, num_train_epochs, epochs,
total_timesteps, …), and the tracker's own word for how the run ended (FAILED, KILLED) is taken as it is. A run that
the tracker calls RUNNING although nothing has been added for hours has died without a word: its process would have
said that it finished.

When it is wrong
----------------
A run that stops early on purpose ends before its plan: a parameter that speaks of patience explains it. A plan that
counts in other units than the log (batches per device, samples) is not compared. A run that is still going on has not
been cut off. One that failed after its last planned epoch has all of its training: what failed came afterwards.

What to do
----------
Look at the end of the job's log: time limit, memory, preemption, an exception. Resume from the last checkpoint, with
the schedule's state, before comparing it with other runs.

References
----------
None: it is a comparison with the plan.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.planned_length import Plan, plan_of
from analyzer.model.case import Case, falling, made_run
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, percent, step
from analyzer.model.run import Run

ADVICE = (
    "Look at the end of the job's own log: time limit, memory, preemption, an exception.",
    "Resume from the last checkpoint with the schedule's state before comparing it with other runs.",
)
AFTERWARDS = ("The training itself is whole; look at what the job does after it: evaluation, export, upload.",)


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    missing: float = field(default=0.05, metadata={"why": "share of the planned steps or epochs that is missing"})
    ended: float = field(
        default=0.5, metadata={"why": "whether the run failed, was killed or died without a word (1) or not (0)"}
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need: the last step, the plan, the tracker's status ("" for none), what it means."""

    last: int
    plan: Plan | None
    declared: str = ""
    complete: bool = False


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of what the tracker says, or of the plan."""
    declared, main = features.run.declared, features.main
    plan = plan_of(features)
    if main is None or main.steps.size < 4:
        yield Unfit("fewer than four points: too short to say where it was to end")
    elif features.ongoing:
        yield Unfit("the run is still going on")
    elif declared is not None and declared in STATUSES:
        yield _declared(declared, main.tags, int(main.steps.max()), plan if isinstance(plan, Plan) else None)
    elif isinstance(plan, str):
        yield Unfit(plan)
    else:
        yield _planned(plan, int(features.curves[plan.tag].steps.max()))


def _declared(declared: str, tags: tuple[str, ...], last: int, plan: Plan | None) -> Evidence:
    """Return what the tracker's status means: harmless where the training was complete by then."""
    complete = plan is not None and plan.missing <= Limits().missing
    grave = not complete and (declared == "FAILED" or (declared == "RUNNING" and plan is not None))
    return Evidence(
        tags,
        (Measure("the run did not end as finished", 1.0, "ended", unit="0 or 1"),),
        "warning" if grave else "info",
        first_step=last,
        last_step=last,
        signs=(Sign(f"status-{declared.lower()}"),),
        facts=Facts(last, plan, declared, complete=complete),
        marks=tuple(Mark("step", tag, "cut off", (last,)) for tag in tags[:1] if not complete),
    )


def _planned(plan: Plan, last: int) -> Evidence:
    return Evidence(
        (plan.tag,),
        (Measure("share of the plan that is missing", plan.missing, "missing", unit="ratio"),),
        "info",
        first_step=last,
        last_step=last,
        cause="early-stopping" if plan.early else None,
        facts=Facts(last, plan),
        marks=(Mark("step", plan.tag, "ends here", (last,)),),
        explained_by=f"event:early-stopping@{last}" if plan.early else None,
    )


STATUSES = {
    "FAILED": "the tracker says that the run failed",
    "KILLED": "the tracker says that the run was killed",
    "RUNNING": "the tracker calls the run running, but nothing has been added for a long time: it has probably died",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    plan = facts.plan
    if not facts.declared:
        assert plan is not None  # noqa: S101 - a finding without a status has a plan
        summary = (
            f"the run ends after {number(plan.reached)} of {number(plan.planned)} planned {plan.unit} "
            f"({plan.name}): {percent(plan.missing)} is missing"
        )
        return Words(summary, f"stopping early, as {plan.early} allows" if plan.early else None, (), ADVICE)
    of = f" ({number(plan.reached)} of {number(plan.planned)} planned {plan.unit})" if plan else ""
    what = STATUSES[facts.declared]
    if facts.complete:
        what = "the run was never marked as finished" if facts.declared == "RUNNING" else what
        what += " after training was complete"
    return Words(
        f"{what}; its last point is step {step(facts.last)}{of}",
        None,
        (f"its status is {facts.declared}",),
        AFTERWARDS if facts.complete else ADVICE,
    )


def _ended(run: Run, declared: str) -> Run:
    return replace(run, declared=declared)


def _epochs(points: int, done: int, planned: int, **params: object) -> Run:
    epoch = [i * done // points for i in range(points)]
    return made_run({"train/loss": falling(points), "epoch": epoch}, epochs=planned, **params)


DETECTOR = Detector(
    "cut-off",
    __doc__,
    measure,
    Limits(),
    (
        Case("a third of its epochs", "fires", lambda: _epochs(200, 10, 30)),
        Case("failed", "fires", lambda: _ended(made_run({"train/loss": falling(200)}), "FAILED")),
        Case("failed after its last epoch", "almost", lambda: _ended(_epochs(200, 10, 10), "FAILED")),
        Case("running for ever at a third of its epochs", "fires", lambda: _ended(_epochs(200, 10, 30), "RUNNING")),
        Case("all of its epochs", "quiet", lambda: _epochs(200, 10, 10)),
        Case("stopped early on purpose", "almost", lambda: _epochs(200, 10, 30, patience=5)),
    ),
    yields_to=("non-finite", "exploding-loss"),
    describe=describe,
)
