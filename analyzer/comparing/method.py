"""How a comparison was computed, in sentences for the page."""

from __future__ import annotations

from analyzer.comparing.metric_comparison import Judged
from analyzer.comparing.request import ComparisonRequest
from analyzer.model.formatting import counted, number, step

TESTS = {
    "student-t": "Student's t test with a common variance",
    "welch-t": "Welch's t test",
    "moderated-t": "a moderated t test: the variance is shrunk to that of other groups of seeds (Smyth 2004)",
    "paired-t": "a t test on the differences of the pairs",
}
LOUDER = "these runs scatter clearly more"
WHY_NOT = {
    "welch-t": "Welch's test takes the scatter of each side",
    "paired-t": "the differences of pairs have a scatter of their own",
}
OUTCOMES = {
    "final": "its level at the common budget",
    "best": "the best of its smoothed curve up to the common budget",
    "auc": "its mean up to the common budget",
}


def method_of(first: Judged, ask: ComparisonRequest, at: float, reason: str, *, candidates: int) -> tuple[str, ...]:
    """Return the sentences."""
    found = first.found
    said = [f"The outcome of a run is {OUTCOMES[ask.outcome]}: {ask.axis} {step(at)}, {reason}."]
    if found.test is not None and found.df is not None:
        said.append(f"The test is {TESTS[found.test]}, on {number(found.df, 3)} degrees of freedom.")
    else:
        said.append("There is no test: how much seeds scatter is not known.")
    if found.origin in {"pool", "both"} and first.noise is not None and first.noise.sd is not None:
        groups = counted(len(first.noise.groups), "group")
        unit = "of the level" if first.noise.log else f"in {first.choice.tag}"
        said.append(f"Seed noise comes from {groups} of replicates: sd {number(first.noise.sd)} {unit}.")
    elif first.noise is not None and first.noise.sd is not None:
        said.append(f"The pool of other groups is not used: {WHY_NOT.get(found.test or '', LOUDER)}.")
    elif first.noise is not None and first.noise.groups:
        said.append(f"{counted(len(first.noise.groups), 'group')} of replicates are too few to borrow seed noise from.")
    if ask.look != (1, 1):
        said.append(
            f"This is look {ask.look[0]} of {ask.look[1]}: the level is {100 * ask.confidence:.4g} % (O'Brien-Fleming)."
        )
    if candidates > 1:
        said.append(f"p-values of the primary metric are adjusted over {candidates} candidates (Holm).")
    said.append("p-values of the other metrics are adjusted together (Holm) and never make the verdict.")
    return tuple(said)
