"""python -m benchmarks.truth make DIR | score DIR | peers DIR | look DIR."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # small nets lose by threads
    os.environ.setdefault(_name, "1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    make = verbs.add_parser("make", help="train the runs and write them with truth.json")
    make.add_argument("dir", type=Path)
    make.add_argument("--jobs", type=int, default=2)
    make.add_argument("--only", default="", help="comma-separated words of claims or causes")
    make.add_argument("--split", choices=("tune", "test"))
    make.add_argument("--seed", type=int, default=0, help="another number trains other runs of the same kinds")
    look = verbs.add_parser("look", help="draw the runs into PNG sheets, by claim and cause")
    look.add_argument("dir", type=Path)
    look.add_argument("out", type=Path)
    look.add_argument("--only", default="")
    look.add_argument("--split", choices=("tune", "test"))
    score = verbs.add_parser("score", help="audit the runs with posthoc and compare with truth.json")
    score.add_argument("dir", type=Path)
    score.add_argument("-o", "--out", type=Path, help="folder for the audit's site")
    score.add_argument("--findings", type=Path, help="score this findings.json, audit nothing")
    score.add_argument("--listing", type=Path, help="write the disagreements to this file")
    score.add_argument("--split", choices=("tune", "test"))
    score.set_defaults(only="")
    peers = verbs.add_parser("peers", help="score other tools, installed in an environment of their own")
    peers.add_argument("dir", type=Path)
    peers.add_argument("--env", type=Path, required=True, help="the environment with their commands in bin/")
    peers.add_argument("--only", default="", help="comma-separated names of tools")
    peers.add_argument("--jobs", type=int, default=2)
    peers.add_argument("--split", choices=("tune", "test"))
    return parser


def main() -> None:
    """Carry out one verb."""
    given = _parser().parse_args()
    words = [word for word in given.only.split(",") if word]
    splits = (given.split,) if given.split else ("tune", "test")
    if given.verb == "make":
        from benchmarks.truth.make import make

        make(given.dir, jobs=given.jobs, only=words, splits=splits, seed=given.seed)
    elif given.verb == "look":
        from benchmarks.truth.look import look

        look(given.dir, given.out, only=words, splits=splits)
    elif given.verb == "score":
        from benchmarks.truth.score import score

        score(given.dir, split=given.split, out=given.out, findings=given.findings, listing=given.listing)
    elif given.verb == "peers":
        from benchmarks.truth.peers import compare

        compare(given.dir, given.env, split=given.split, only=words, jobs=given.jobs)


if __name__ == "__main__":
    main()
