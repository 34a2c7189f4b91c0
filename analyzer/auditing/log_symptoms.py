"""The symptoms that no detector finds: what became of the log, or of a detector. Their pages, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from analyzer.model.guide import Guide, parse_guide

_PAGES = {
    "damaged-log": """Part of the log could not be read.

Why it matters
--------------
Points are missing, and nobody can say which. What is intact around the damage is read and judged, but a curve with
holes may hide a spike or a restart.

How it is measured
------------------
Every record of an event file or a .wandb file carries checksums, and every one is verified; files of MLflow, tables and
JSON lines are read line by line, databases by key. What a checksum or the grammar refuses is dropped and named with
file, offset and number of bytes, or the line.

When it is wrong
----------------
- A last record that is not complete is no damage: the writer may still be at it.
- A file that is copied while it is written to may look damaged; the next copy is whole.

What to do
----------
Copy the log again from where it was written and compare sizes. If the original is damaged too, look at the disk, at
full quotas, and at whether two processes wrote to one file.

References
----------
TensorFlow, the TFRecord format (length, masked CRC-32C of the length, data, masked CRC-32C of the data).
""",
    "unreadable-log": """Nothing of the log could be read.

Why it matters
--------------
This run is not judged at all. A night in which it is missing looks healthier than it is.

How it is measured
------------------
The run was found, by the names or the beginnings of its files, but reading gave no point: no permission, a file that
is gone, damage from the first byte on, or a database that cannot be opened.

When it is wrong
----------------
- The log lies on a drive that was away for a moment; the next audit reads it.
- The file is named like an event file and is none.

What to do
----------
Do what the sentence beside the finding says: check who may read the file, and copy it again from where it was written.

References
----------
The note in the finding names the file and the reason as the system gave it.
""",
    "detector-failed": """A check failed by itself and says nothing of the run.

Why it matters
--------------
The run was not checked for one symptom, or for none at all. Its other findings stand.

How it is measured
------------------
Each detector works apart from the others. One that raises an error costs its own symptom; an error while a run as a
whole is judged costs that run. Neither stops the audit.

When it is wrong
----------------
- Never: it is a fault of posthoc or of a detector that another package brings.

What to do
----------
Please report it with the log and the sentence beside the finding. Until then, --ignore of the detector named there (or
of detector-failed) lets the audit pass.

References
----------
The finding names the detector and the error.
""",
}


@cache
def log_guides() -> Mapping[str, Guide]:
    """Return the page of each symptom that is not a detector's."""
    return {symptom: parse_guide(symptom, page) for symptom, page in _PAGES.items()}
