"""How well runs of reinforcement learning and GANs are judged: `python -m benchmarks.rl [--seeds 4] [--first 1000]`.

Small agents, policies of texts and GANs are trained, healthy and with planted faults, and logged under the tags of
eleven libraries. A fault that did no harm, and a healthy run that did not learn, count for nothing. Printed are, by
kind, the runs that are named (or called healthy), false alarms, runs without a verdict, and runs whose family is right;
every disagreement; and the same for rl-doctor on the logs of language models, where its environment is given (`--env`).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.rl.kinds import KINDS
from benchmarks.rl.one import asked, made
from benchmarks.rl.score import Counts, family_line, table, totals

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # small nets lose by threads
    os.environ.setdefault(_name, "1")  # the processes that train inherit it


def main(argv: Sequence[str] | None = None) -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rl", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=4, help="trainings of each kind; libraries take turns")
    parser.add_argument("--first", type=int, default=1000, help="the first seed")
    parser.add_argument("--only", default="", help="a word of the names of kinds")
    parser.add_argument("--out", type=Path, help="keep the logs and truth.json here")
    parser.add_argument("--env", type=Path, help="an environment with rl-doctor (and tensorboard) in bin/")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    if given.env is not None and not (given.env / "bin" / "rl-doctor").exists():
        parser.error(f"{given.env / 'bin' / 'rl-doctor'} does not exist: install rldoctor into that environment")
    jobs = [(n, s) for n in KINDS if given.only in n for s in range(given.first, given.first + given.seeds)]
    with tempfile.TemporaryDirectory() as spare, get_context("spawn").Pool(given.jobs) as pool:
        folder = given.out or Path(spare)
        runs = pool.map(partial(made, folder=folder), jobs, chunksize=2)
        truth = [{"run": f"{n}_{s}", "kind": n, "library": lib, "clear": clear} for n, s, lib, clear in runs]
        (folder / "truth.json").write_text(json.dumps(truth, indent=1))
        clear = [(name, seed, library) for name, seed, library, bites in runs if bites]
        heard = pool.map(partial(asked, folder=folder, env=given.env), clear, chunksize=2)
    counts: dict[str, Counts] = {}
    peer: dict[str, Counts] = {}
    wrong = []
    for (name, seed, library), (ours, theirs) in zip(clear, heard, strict=True):
        said = counts.setdefault(name, Counts()).add(name, ours)
        if said:
            wrong.append(f"  {name}_{seed} ({library}): {said}")
        if theirs is not None:
            peer.setdefault(name, Counts()).add(name, theirs)
    print(*table(counts, peer), sep="\n")
    print(f"\n{len(runs) - len(clear)} of {len(runs)} runs count for nothing: their outcome is not as meant")
    print(*totals(counts, "\nposthoc"), family_line(counts), sep="\n")
    if peer:
        alike = {name: c for name, c in counts.items() if name in peer}
        print(*totals(alike, "\nposthoc, on the kinds that rl-doctor reads"), *totals(peer, "rl-doctor"), sep="\n")
    else:
        print("\nrl-doctor was not asked: give an environment that holds it by --env")
    print("\ndisagreements:", *wrong, sep="\n")


if __name__ == "__main__":
    main()
