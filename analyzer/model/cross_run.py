"""What only a look at many runs together shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from analyzer.model.history import Change

AcrossKind = Literal["in-common", "far-from-siblings", "edge-of-sweep", "duplicates", "history"]
ACROSS_KINDS: tuple[AcrossKind, ...] = ("in-common", "far-from-siblings", "edge-of-sweep", "duplicates", "history")


@dataclass(frozen=True, slots=True)
class Across:
    """One thing seen across runs: a sentence, the runs it speaks of, and a small table of `columns` and `rows`.

    `group` names the experiment or folder it was seen in ("" for the whole night). `evidence` says in words how sure
    it is, `p_value` is corrected for all comparisons of its kind in the night (None where nothing was tested).
    `symptom` is what the runs have in common, where that is the kind.
    `history` is the change of a nightly job, `regressed` whether it is new, worse and not announced by a setting.
    """

    kind: AcrossKind
    group: str
    sentence: str
    runs: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    evidence: str = ""
    advice: tuple[str, ...] = ()
    p_value: float | None = None
    symptom: str = ""
    history: Change | None = None
    regressed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return one element of `across` in findings.json."""
        return {
            "kind": self.kind,
            "group": self.group,
            "sentence": self.sentence,
            "runs": list(self.runs),
            "table": {"columns": list(self.columns), "rows": [list(row) for row in self.rows]},
            "evidence": self.evidence,
            "advice": list(self.advice),
            "p_value": self.p_value,
        } | ({"history": self.history.to_dict()} if self.history is not None else {})
