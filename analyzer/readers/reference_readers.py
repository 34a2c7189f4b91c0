"""The same event file read by other libraries, point by point beside posthoc's own reading: what `posthoc doctor` asks.

TensorBoard's EventAccumulator is asked for everything (no reservoir, nothing purged at a restart); tbparse is asked as
its users ask it. Both stop at the first damaged record, and tbparse has scalars written as tensors (TF 2) in another
table, which is looked at, too.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer.readers import discover
from analyzer.readers.folder_walk import walk

Point = tuple[str, int, str]
"""Tag, step, and the value as the hexadecimal text of its float64: NaN equals itself."""

EVENT_FILE = "tfevents"
"""What the name of an event file contains."""

_EVERYTHING = {"scalars": 0, "tensors": 0, "images": 1, "audio": 1, "histograms": 1, "compressedHistograms": 1}
"""EventAccumulator's size guidance: 0 keeps all; what is no scalar is not kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What another library read of a file: points that posthoc has, too, and those that one of the two lacks.

    `only_here` is posthoc's alone, `only_there` the library's; `example` is one of the latter in words. `fault` says
    why the library read nothing, "" when it did.
    """

    library: str
    points: int = 0
    equal: int = 0
    only_here: int = 0
    only_there: int = 0
    example: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """One event file: points that posthoc read, what it noted, and the readings of other libraries."""

    file: Path
    points: int
    notes: tuple[str, ...]
    readings: tuple[Reading, ...]


def event_files(source: Path) -> list[Path]:
    """Return the event files of a folder, or the file itself if it is one."""
    if source.is_dir():
        tree = walk(source)
        there = (folder.inside(name) for folder in tree.folders for name in folder.files if EVENT_FILE in name)
        return [tree.root / path for path in there]
    return [source] if EVENT_FILE in source.name else []


def checkup(file: Path) -> Checkup:
    """Return what posthoc and each library that is installed read of an event file."""
    here: Counter[Point] = Counter()
    notes: list[str] = []
    for ref in discover(str(file)).refs:
        run = ref.read()
        notes += [note.message for note in run.notes]
        for tag, series in run.series.items():
            here.update(zip(_repeated(tag, series.points), series.steps.tolist(), _texts(series.values), strict=True))
    return Checkup(file, here.total(), tuple(notes), tuple(_reading(name, file, here) for name in LIBRARIES))


def _repeated(tag: str, times: int) -> Iterator[str]:
    return (tag for _ in range(times))


def _texts(values: NDArray[np.float64]) -> list[str]:
    return [float(value).hex() for value in values]


def _reading(library: str, file: Path, here: Counter[Point]) -> Reading:
    try:
        with _quiet():
            there = LIBRARIES[library](file)
    except ImportError:
        return Reading(library, fault="not installed")
    except Exception as error:  # whatever another library makes of a damaged file
        return Reading(library, fault=f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
    missing = there - here
    first = next(iter(missing), None)
    words = f"{first[0]} at step {first[1]}: {float.fromhex(first[2])!r}" if first else ""
    return Reading(library, there.total(), (here & there).total(), (here - there).total(), missing.total(), words)


def _accumulator(file: Path) -> Counter[Point]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415 - slow to import
    from tensorboard.util.tensor_util import make_ndarray  # noqa: PLC0415 - as above

    events = EventAccumulator(str(file), size_guidance=_EVERYTHING, purge_orphaned_data=False)
    events.Reload()
    found: Counter[Point] = Counter()
    tags = events.Tags()
    for tag in tags["scalars"]:
        found.update((tag, one.step, float(one.value).hex()) for one in events.Scalars(tag))
    for tag in tags["tensors"]:
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            arrays = ((one.step, make_ndarray(one.tensor_proto)) for one in events.Tensors(tag))
            found.update((tag, step, float(array.reshape(-1)[0]).hex()) for step, array in arrays if array.size == 1)
    return found


def _tbparse(file: Path) -> Counter[Point]:
    from tbparse import SummaryReader  # noqa: PLC0415 - slow to import, and not always there

    reader = SummaryReader(str(file))
    found: Counter[Point] = Counter()
    for frame in (reader.scalars, reader.tensors):
        if {"tag", "step", "value"} <= set(frame.columns):
            rows = zip(frame["tag"], frame["step"], frame["value"], strict=True)
            found.update((str(tag), int(step), float(value).hex()) for tag, step, value in rows if np.ndim(value) == 0)
    return found


LIBRARIES: Mapping[str, Callable[[Path], Counter[Point]]] = {"EventAccumulator": _accumulator, "tbparse": _tbparse}
"""Each returns the scalar points of a file. ImportError when it is not installed."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' own messages (restarts, damage) off the terminal: the comparison says it."""
    logger = logging.getLogger("tensorboard")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
