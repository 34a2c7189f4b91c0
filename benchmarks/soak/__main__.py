"""Audits a fleet for simulated months against a model: `python -m benchmarks.soak [--audits N] [--seed S]`.

Runs appear, grow, are rewritten, renamed, vanish and come back; the clock jumps; findings are suppressed for some days.
Audits are killed, run into a full disk, run two at a time, in parts that are merged, or into a new folder. Each audit
is held against what was planted: verdicts, new, persisting, regressed and resolved findings, vanished runs. The site
may have no dead link, no page of a run that is gone and no temporary file, and every now and then the result must
equal that of an audit without a memory. A difference is printed with the seed of its world and the number of the audit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.soak.auditor import Auditor


def main() -> int:
    """Run the worlds; return 1 when one of them showed a difference."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--audits", type=int, default=2000, help="audits in all (default %(default)s)")
    parser.add_argument("--world", type=int, default=250, help="audits of one fleet (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first fleet (default %(default)s)")
    given = parser.parse_args()
    begun, done, ways, found = time.monotonic(), 0, Counter[str](), 0
    for seed in range(given.seed, given.seed + -(-given.audits // given.world)):
        with tempfile.TemporaryDirectory(prefix="soak-") as place:
            auditor = Auditor(Path(place), seed)
            for _ in range(min(given.world, given.audits - done)):
                differences = auditor.night()
                done += 1
                for one in differences:
                    print(f"seed {seed}, audit {auditor.audits} ({auditor.way}; {auditor.happened}): {one}", flush=True)
                if differences:
                    found += 1
                    break
            ways += auditor.ways
            months = (auditor.world.now - 1.78e9) / 86400 / 30
        print(f"seed {seed}: {auditor.audits} audits over {months:.1f} months", flush=True)
    spent = time.monotonic() - begun
    told = ", ".join(f"{count} {way}" for way, count in ways.most_common())
    print(f"{sum(ways.values())} audits in {spent:.0f} s ({told}): {found} worlds with differences")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
