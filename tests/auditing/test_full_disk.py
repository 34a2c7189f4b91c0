"""A disk that fills while a site is published leaves the index and findings.json of one audit, whole."""

import os
import resource
import signal

import pytest

import analyzer
from analyzer.auditing.pipeline import Plan
from analyzer.errors import OutputError

NOW = 1.78e9
PUBLISHED = ("index.html", "findings.json", "findings.jsonl")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of file sizes are POSIX")


def write(folder, points, params=0):
    folder.mkdir(parents=True, exist_ok=True)
    head = ["step", "train/loss", *(f"metric{i}" for i in range(params))]
    rows = [",".join(map(str, [i, 0.2 + 2 * 0.98**i, *[1.0 + i] * params])) for i in range(points)]
    (folder / "metrics.csv").write_text("\n".join([",".join(head), *rows]) + "\n")


def audit(logs, site, now):
    return analyzer.audit(logs, site, plan=Plan(jobs=0, pages="problems", now=now))


def limited(work, most):
    """Do something in a child in which no file may grow beyond so many bytes; return whether it ended in a sentence."""
    child = os.fork()
    if not child:
        code = 2
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            work()
            code = 0
        except OutputError:
            code = 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def held(site):
    return {name: (site / name).read_bytes() for name in PUBLISHED}


def test_index_and_findings_are_those_of_one_audit_whichever_file_finds_no_room(tmp_path):
    logs, site = tmp_path / "logs", tmp_path / "site"
    for i in range(6):
        write(logs / f"run{i}", 200, params=12)
    audit(logs, site, NOW)
    before = held(site)
    write(logs / "another", 200, params=12)
    audit(logs, tmp_path / "next", NOW + 86400)
    sizes = sorted({len(raw) for raw in held(tmp_path / "next").values()})
    assert len(sizes) == len(PUBLISHED)  # each limit below lets other files through
    for most in (size - 1 for size in sizes):
        assert limited(lambda: audit(logs, site, NOW + 86400), most) == 1
        assert held(site) == before
        assert not [path for path in site.rglob("*") if path.name.endswith(".tmp")]
    audit(logs, site, NOW + 86400)
    assert all(held(site)[name] != before[name] for name in PUBLISHED)
