"""Finding the runs of a folder with 100,000 files: `python -m benchmarks.reading_discovery WAY FOLDER`.

It prints seconds, memory that was added, and how often the file system was asked, as JSON. Calls are counted in a
second go, for counting costs time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from benchmarks.reading_cases import tiny_log
from benchmarks.reading_peers import peak

KEY = "folder"
NAME = "a folder with 100,000 files: 10,000 runs, each with one event file and nine files of other kinds"
RUNS, FILES = 10_000, 10
_OTHERS = ("config.yaml", "stdout.txt", "best.ckpt", "last.ckpt", "git.diff", "requirements.txt", "a.png", "b.png")


def make(folder: Path) -> int:
    """Write the folder and return how many files it holds."""
    log = tiny_log()
    for number in range(RUNS):
        run = folder / f"group_{number // 100:03}" / f"run_{number:05}"
        run.mkdir(parents=True)
        (run / f"events.out.tfevents.{1_700_000_000 + number}.host.1.0").write_bytes(log)
        for name in (*_OTHERS, f"{number}.json"):
            (run / name).touch()
    return RUNS * FILES


def ours(folder: Path) -> int:
    """Return how many runs posthoc finds."""
    from analyzer.readers import discover

    return len(discover(str(folder)).refs)


def tensorboards(folder: Path) -> int:
    """Return how many folders with event files tensorboard finds."""
    from tensorboard.backend.event_processing import io_wrapper

    return len(list(io_wrapper.GetLogdirSubdirectories(str(folder))))


def walked(folder: Path) -> int:
    """Return how many files os.walk lists, each looked at by os.stat."""
    return sum((Path(place) / name).stat().st_size >= 0 for place, _, names in os.walk(folder) for name in names)


WAYS: dict[str, Callable[[Path], int]] = {"posthoc": ours, "tensorboard": tensorboards, "os.walk + stat": walked}


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Count the calls of the os module by name."""
    calls: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., object]:
        original = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            calls[name] += 1
            return original(*args, **kwargs)

        return call

    with mock.patch.multiple(os, **{name: counting(name) for name in ("stat", "lstat", "scandir", "listdir", "open")}):
        yield calls


def main() -> None:
    """Search once for the time, once more for the counts, and print both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_discovery", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    search = WAYS[given.way]
    search(Path(__file__).parent) if given.way != "posthoc" else _warm()
    before, began = peak(), time.perf_counter()
    found = search(given.folder)
    seconds, growth = time.perf_counter() - began, peak() - before
    with _counted() as calls:
        search(given.folder)
    asked = {
        "listed": calls["scandir"] + calls["listdir"],
        "looked_at": calls["stat"] + calls["lstat"],
        "opened": calls["open"],
    }
    print(json.dumps({"found": found, "seconds": seconds, "growth": growth, **asked}))


def _warm() -> None:
    """Import what reading imports."""
    from analyzer.readers import formats

    formats.known()


if __name__ == "__main__":
    main()
