"""However a night comes about, it says the same: fresh, incremental, in parts, killed and gone on with, by workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer import api
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.shard import ShardPart
from analyzer.settings import Settings, Suppression
from benchmarks.truth.events import write_hparams
from tests.auditing.workers.clusters import local_cluster, processes

ROOT = Path(__file__).parents[2]
TOLD_BY_MEMORY = ("state", "first_seen", "last_seen", "judged_anew")
SETTINGS = Settings(suppress=(Suppression("non-finite", "known", run="nan/*"),))
NOW = 1_790_100_000.0


def write(folder, values):
    with SummaryWriter(str(folder)) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("train/loss", float(value), step, walltime=1.79e9 + step)


def settled(folder, rate, values):
    """Write a run with its learning rate as a hyper-parameter."""
    write(folder, values)
    write_hparams(folder, {"lr": rate}, start=1.79e9)


def falling(seed, points=200):
    rng = np.random.default_rng(seed)
    return 0.2 + 2 * np.exp(-np.arange(points) / 40) * (1 + 0.05 * rng.normal(size=points))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    for i in range(6):
        write(root / "good" / f"r{i}", falling(i))
    for i in range(3):
        write(root / "nan" / f"r{i}", np.where(np.arange(200) > 150, np.nan, falling(i)))
    write(root / "up" / "r0", np.where(np.arange(200) > 120, 8.0, falling(1)) + 0.01 * falling(2))
    write(root / "short", [2.0, 1.9])
    for i in range(11):
        sick = np.where(np.arange(200) > 150, np.nan, falling(20 + i)) if i > 5 else falling(20 + i)
        settled(root / "sweep" / f"r{i}", 0.1 if i > 5 else 0.01, sick)
    shutil.copytree(root / "good" / "r0", root / "copy")
    (root / "broken").mkdir()
    (root / "broken" / "events.out.tfevents.1").write_bytes(b"nothing of the kind" * 9)
    torn = root / "torn"
    write(torn, falling(9))
    event = next(torn.iterdir())
    event.write_bytes(event.read_bytes()[:-7])
    return root


@pytest.fixture(scope="module")
def fresh(logs, tmp_path_factory):
    site = tmp_path_factory.mktemp("fresh")
    return said(audit(logs, site / "site", jobs=0)), pages(site / "site")


def audit(logs, site, now=NOW, **plan):
    return api.audit([logs], site, settings=SETTINGS, plan=Plan(now=now, **plan))


def said(night):
    """Return a night without what only a memory adds, and times."""
    told = json.loads(json.dumps(night.to_dict()))
    del told["resolved"], told["vanished"], told["judged_anew"]
    for run in told["runs"]:
        for finding in run["findings"]:
            for key in TOLD_BY_MEMORY:
                finding.pop(key, None)
    return told


def pages(site):
    return {page.name: page.read_bytes() for page in (site / "runs").iterdir()}


def states(night):
    return {f.state for result in night.results for f in result.findings}


def test_there_is_something_across_runs_to_be_equal(fresh):
    kinds = [one["kind"] for one in fresh[0]["across"]]
    assert kinds == ["in-common", "duplicates"]
    assert fresh[0]["across"][0]["sentence"] == "5 of 5 runs with non-finite had lr = 0.1; 0 of 6 others."


def test_workers(logs, fresh, tmp_path):
    for jobs in (1, 2):
        assert said(audit(logs, tmp_path / str(jobs), jobs=jobs)) == fresh[0]
        assert pages(tmp_path / str(jobs)) == fresh[1]


def test_a_second_night_over_unchanged_logs(logs, fresh, tmp_path, monkeypatch):
    first = audit(logs, tmp_path / "site", state=tmp_path / "s.db")
    assert said(first) == fresh[0] and states(first) == {"new"}
    read = []
    monkeypatch.setattr(
        "analyzer.auditing.judge_one.read", lambda ref, read_=api.judging.read: read.append(ref.id) or read_(ref)
    )
    second = audit(logs, tmp_path / "site", state=tmp_path / "s.db", jobs=0)
    assert said(second) == fresh[0] and states(second) == {"persisting"} and second.resolved == ()
    assert read == ["broken"] and pages(tmp_path / "site") == fresh[1]


def test_a_night_in_parts(logs, fresh, tmp_path):
    for number in (3, 1, 2):
        audit(logs, tmp_path / f"part{number}", share=ShardPart(number, 3), jobs=0)
    parts = [tmp_path / f"part{i}" for i in (1, 2, 3)]
    assert said(api.merge(parts, tmp_path / "site")) == fresh[0]
    assert pages(tmp_path / "site") == fresh[1]
    assert (tmp_path / "site" / "index.html").is_file() and not (tmp_path / "part1" / "index.html").exists()
    told = api.merge(parts, tmp_path / "site", state=tmp_path / "s.db")
    again = api.merge(parts, tmp_path / "site", state=tmp_path / "s.db")
    assert said(again) == fresh[0] and states(told) == {"new"} and states(again) == {"persisting"}


@pytest.fixture(scope="module")
def dask():
    with local_cluster() as found:
        yield found


@pytest.mark.xdist_group("cluster-equality")
def test_on_a_cluster(logs, fresh, dask, tmp_path):
    first = audit(logs, tmp_path / "site", state=tmp_path / "s.db", cluster=dask.scheduler_address)
    assert said(first) == fresh[0] and states(first) == {"new"} and pages(tmp_path / "site") == fresh[1]
    second = audit(logs, tmp_path / "site", state=tmp_path / "s.db", cluster=dask.scheduler_address)
    assert said(second) == fresh[0] and states(second) == {"persisting"} and pages(tmp_path / "site") == fresh[1]


@pytest.mark.xdist_group("cluster-equality")
def test_on_a_cluster_that_loses_a_worker_in_the_middle(logs, fresh, dask, tmp_path):
    """Nothing is lost, nobody is judged twice, and the state has every run."""
    workers, seen = processes(dask), []

    def kill_one(done, total):
        seen.append(done)
        if done == 1:
            os.kill(workers[0], signal.SIGKILL)

    plan = Plan(now=NOW, state=tmp_path / "s.db", cluster=dask.scheduler_address)
    night = api.audit([logs], tmp_path / "site", settings=SETTINGS, plan=plan, progress=kill_one)
    assert said(night) == fresh[0] and pages(tmp_path / "site") == fresh[1]
    assert seen == [*range(len(night.results) + 1)]
    again = audit(logs, tmp_path / "site", state=tmp_path / "s.db", jobs=0)
    assert said(again) == fresh[0] and states(again) == {"persisting"}


def changed(logs, where):
    """Return a copy of the logs in which one run has grown, one was rewritten, one vanished and one is new."""
    copy = Path(shutil.copytree(logs, where))
    write(copy / "good" / "r0", falling(50, 300))  # a second file beside the first
    shutil.rmtree(copy / "nan" / "r0")
    write(copy / "nan" / "r0", falling(60))
    shutil.rmtree(copy / "good" / "r5")
    write(copy / "new" / "r0", np.where(np.arange(200) > 150, np.nan, falling(3)))
    return copy


def test_grown_rewritten_vanished_and_new_runs(logs, tmp_path):
    copy = Path(shutil.copytree(logs, tmp_path / "logs"))
    audit(copy, tmp_path / "site", now=NOW - 60, state=tmp_path / "s.db")
    shutil.rmtree(copy)
    changed(logs, copy)
    second = audit(copy, tmp_path / "site", state=tmp_path / "s.db")
    assert said(second) == said(audit(copy, tmp_path / "other", jobs=0))
    assert pages(tmp_path / "site") == pages(tmp_path / "other")
    assert {r["run"] for r in second.resolved} <= {"nan/r0", "good/r0"}
    assert ("nan/r0", "non-finite") in [(r["run"], r["symptom"]) for r in second.resolved]
    new = [(r.run, f.symptom) for r in second.results for f in r.findings if f.state == "new"]
    assert [one.run for one in second.vanished] == ["good/r5"]
    assert audit(copy, tmp_path / "site", now=NOW + 60, state=tmp_path / "s.db").vanished == ()
    assert ("new/r0", "non-finite") in new and not [run for run, _ in new if run.startswith(("nan", "up"))]


def command(logs, site, state, *more):
    words = [sys.executable, "-m", "analyzer", "audit", str(logs), "-o", str(site), "--state", str(state), *more]
    return subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)


def links_lead_somewhere(site):
    index = site / "index.html"
    names = set(index.read_text().split('href="runs/')[1:]) if index.is_file() else set()
    return all((site / "runs" / name.partition('"')[0]).is_file() for name in names)


def by_command(site):
    document = json.loads((site / "findings.json").read_text("utf-8"))
    for run in document["runs"]:
        for finding in run["findings"]:
            del finding["first_seen"], finding["last_seen"]
    return document


@pytest.fixture(scope="module")
def never_killed(logs, tmp_path_factory):
    place = tmp_path_factory.mktemp("never")
    assert command(logs, place / "site", place / "s.db", "-q").wait(120) == 0
    return by_command(place / "site")


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
@pytest.mark.parametrize("jobs", ["0", "2"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.9])
def test_killed_and_gone_on_with(logs, never_killed, tmp_path, jobs, part):
    """The night is the one that was never killed, and what nobody was told is still new."""
    site, state = tmp_path / "site", tmp_path / "s.db"
    killed = command(logs, site, state, "--jobs", jobs, "-q")
    enough = part * len(never_killed["runs"])
    while len(list(site.glob("runs/*.html"))) <= enough and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert links_lead_somewhere(site)
    assert command(logs, site, state, "-q").wait(120) == 0 and links_lead_somewhere(site)
    assert by_command(site) == never_killed
