"""The thread pools that numerical libraries start by themselves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Environment variables that set the size of a pool. With a process for each core more threads only get in the way."""


def keep_single() -> None:
    """Keep the pools of this process at one thread, unless the environment says otherwise; before numpy is imported."""
    for name in POOLS:
        os.environ.setdefault(name, "1")


def is_single() -> bool:
    """Whether this process has a single thread, native ones counted; False where the system does not say."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir()) == 1
    except OSError:
        return False
