"""Coverage-guided fuzzing of one parser: `python -m tests.fuzz TARGET --seconds N`.

Needs atheris (`pip install -e ".[fuzz]"`). What is new in coverage goes to tests/fuzz/corpus/TARGET, few and small
files; an input that breaks the law goes there too, as `broken-…`, so that tests/fuzz/test_corpus.py fails until the
parser is right. The next run then calls it `fixed-…`, and keeps it.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).with_name("corpus")
MOST_FILES, MOST_BYTES = 40, 20_000  # of a target's corpus
LONGEST = 1_500  # bytes of an input; what is slow needs no longer one (inputs.grown)
BROKEN, FIXED = "broken-", "fixed-"
_FEW = 300  # files that are traced when the corpus is chosen


def main() -> int:
    """Fuzz, merge and choose; return 1 when an input broke the law, 2 for wrong usage."""
    from tests.fuzz.targets import NAMES

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=120, metavar="N", help="how long (default: 120)")
    parser.add_argument("--engine", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if find_spec("atheris") is None:
        print('fuzzing needs atheris, which is not installed; pip install -e ".[fuzz]" (Linux)', file=sys.stderr)
        return 2
    if options.engine is not None:
        _engine(options.target, options.engine)
    return _fuzzed(options.target, options.seconds)


def _engine(name: str, arguments: Sequence[str]) -> None:
    """Hand over to libFuzzer, which ends the process."""
    import atheris

    warnings.simplefilter("error")  # as pytest has it: a reader that warns was surprised
    with atheris.instrument_imports(include=["analyzer"]):
        from tests.fuzz.targets import target

        one_input = target(name).one_input
    from tests.fuzz.laws import obeys

    own = " ".join([sys.executable, "-m", "tests.fuzz", name, "--engine"])  # what libFuzzer starts to merge
    atheris.Setup([own, *arguments], lambda data: obeys(one_input, data))
    atheris.Fuzz()


def _engine_arguments(place: Path, *, seconds: int) -> list[str]:
    """Return what libFuzzer is told: how long, how large inputs are, where those go that break the law."""
    return [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={place}/{BROKEN}", "-timeout=60",
            "-rss_limit_mb=4096", "-print_final_stats=1", "-verbosity=1"]  # fmt: skip


def _fuzzed(name: str, seconds: int) -> int:
    from tests.fuzz.targets import target

    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        work, merged = Path(place) / "work", Path(place) / "merged"
        work.mkdir()
        merged.mkdir()
        known = [path.read_bytes() for path in folder.iterdir()]  # what broke the law ends this run if it still does
        once = [path.read_bytes() for path in folder.iterdir() if path.name.startswith((BROKEN, FIXED))]
        _written(work, [*known, *target(name).seeds()])
        ended = _run(name, _engine_arguments(Path(place), seconds=seconds), work)
        broken = [path.read_bytes() for path in sorted(Path(place).glob(f"{BROKEN}*"))]
        if not broken and ended:
            return ended
        _run(name, ["-merge=1", f"-max_len={LONGEST}", f"-artifact_prefix={place}/merge-"], merged, work)
        fixed = [data for data in once if data not in broken]
        chosen = _chosen(name, [path.read_bytes() for path in merged.iterdir()], fixed)
        for path in folder.iterdir():
            path.unlink()
        _written(folder, chosen)
        _written(folder, fixed, FIXED)
        _written(folder, broken, BROKEN)
    for path in sorted(folder.glob(f"{BROKEN}*")):
        print(f"{path.relative_to(ROOT)} breaks the law; python -m pytest tests/fuzz shows how", file=sys.stderr)
    return int(bool(broken))


def _run(name: str, arguments: Sequence[str], *folders: Path) -> int:
    command = [sys.executable, "-m", "tests.fuzz", name, "--engine", *arguments, *map(str, folders)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _written(folder: Path, inputs: Iterable[bytes], prefix: str = "") -> None:
    for data in inputs:
        (folder / f"{prefix}{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)


def _chosen(name: str, inputs: Iterable[bytes], kept: Sequence[bytes] = ()) -> list[bytes]:
    """Return the inputs that reach most of the code together, each chosen for what it adds to those before it.

    Those that are `kept` anyway take their part of the room.
    """
    small = sorted(set(inputs).difference(kept), key=lambda data: (len(data), data))[:_FEW]
    reached = {data: _reached(name, data) for data in small}
    chosen: list[bytes] = []
    room = MOST_BYTES - sum(map(len, kept))
    while reached and len(chosen) + len(kept) < MOST_FILES:
        best = max(reached, key=lambda data: (len(reached[data]), -len(data)))
        lines = reached.pop(best)
        if not lines:
            break
        if len(best) > room:
            continue
        chosen.append(best)
        room -= len(best)
        reached = {data: others - lines for data, others in reached.items()}
    return chosen


def _reached(name: str, data: bytes) -> set[tuple[str, int, int]]:
    """Return the steps from line to line of our own code that an input takes."""
    from tests.fuzz.targets import target

    found: set[tuple[str, int, int]] = set()
    ours = str(ROOT / "analyzer")

    def entered(frame, event, argument):  # the signature of sys.settrace()
        file, before = frame.f_code.co_filename, 0
        if not file.startswith(ours):
            return None

        def stepped(frame, event, argument):
            nonlocal before
            if event == "line":
                found.add((file, before, frame.f_lineno))
                before = frame.f_lineno
            return stepped

        return stepped

    sys.settrace(entered)
    try:
        target(name).one_input(data)
    finally:
        sys.settrace(None)
    return found


if __name__ == "__main__":
    sys.exit(main())
