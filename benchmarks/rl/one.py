"""One run: trained, written and judged; in a module of its own, since processes import it by name."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from benchmarks.rl.kinds import KINDS, LLM
from benchmarks.rl.score import Said, by_posthoc, by_rl_doctor


def made(job: tuple[str, int], folder: Path) -> tuple[str, int, str, bool]:
    """Train and write one run; return its kind, seed, library, and whether the outcome is as meant."""
    name, seed = job
    kind = KINDS[name]
    log = kind.make(np.random.default_rng([seed, zlib.crc32(name.encode())]))
    library = kind.libraries[seed % len(kind.libraries)]
    library.write(log, folder / f"{name}_{seed}", pace=20.0)
    return name, seed, library.name, bool(kind.bites(log))


def asked(run: tuple[str, int, str], folder: Path, env: Path | None) -> tuple[Said, Said | None]:
    """Return what posthoc says of a run, and what rl-doctor says where it reads such logs."""
    name, seed, library = run
    where = folder / f"{name}_{seed}"
    reads = env is not None and library in {one.name for one in LLM}
    return by_posthoc(where), by_rl_doctor(where, env) if reads and env is not None else None
