"""MMEngine's `vis_data/scalars.json` and the older `<time>.log.json` of MMCV: JSON lines of training and validation.

In rows of a validation `step` counts epochs. It is kept as written: nothing says how many iterations an epoch has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from analyzer.readers.filelog.json_rows import numbers_of
from analyzer.readers.filelog.kind import Candidate, Group, LineKind, Listing


class MMEngine(LineKind):
    """What OpenMMLab's runners write."""

    name = "mmengine"
    names = ("scalars.json", "????????_??????.json", "*.log.json")
    axes = ("step", "iter")

    def is_one(self, candidate: Candidate) -> bool:
        """Whether one of the first rows counts iterations as well as steps or epochs."""
        return any("iter" in row and ("step" in row or "epoch" in row) for row in candidate.objects) or (
            candidate.name == "scalars.json" and any("step" in numbers_of(row) for row in candidate.objects)
        )

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each folder, named after the one around `vis_data`; <time>.json repeats scalars.json."""
        folders: dict[str, list[str]] = defaultdict(list)
        for candidate in listing.candidates(self):
            folders[candidate.folder].append(candidate.path)
        for folder, paths in folders.items():
            scalars = [path for path in paths if path.endswith("scalars.json")]
            read = scalars or [path for path in paths if path.endswith(".log.json")] or paths[:1]
            twins = tuple(path for path in paths if path not in read) if scalars else ()
            around, _, name = folder.rpartition("/")
            yield Group(around if name == "vis_data" and around else folder, tuple((p, "") for p in read), (), twins)


KIND = MMEngine()
