"""What it costs to judge elsewhere, and what a very large night would take: `python -m benchmarks.cluster`.

First, as ratios in one run: the same runs judged in this process, by one and by two local worker processes, and by a
Dask cluster of two workers on this machine, pages into a shared folder or brought back. What counts is seconds of work
of all processes, so that a busy machine adds little. Overhead a run is told from starts by two fleets of runs without
points, a small one and a large one, which cost almost nothing else.

Then a plan: 100,000 runs x 50 tags x 10,000 points on 64 cores, simulated with what was measured here: seconds of
reading, judging and drawing of such a run, what the machine that audits does for each run (by itself, one after the
other, while rows come in and when all are there), the overhead of chunks. Cores take chunks as Dask hands them out.
"""

from __future__ import annotations

import argparse
import heapq
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
import psutil

from analyzer import api
from analyzer.auditing import judging, provenance
from analyzer.auditing.judge_one import Job, RunJudge, Task, records_here
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.workers import dask_client
from analyzer.auditing.workers.dask_worker import AT_ONCE
from analyzer.auditing.workers.processes import THREADS
from analyzer.auditing.workers.supervision import Limits, records_by_workers
from analyzer.settings import Settings
from analyzer.writers.site import Site
from benchmarks import night as fleet
from benchmarks.judging import write_scalars
from benchmarks.reading_cases import NAME, write_log

SETTINGS, NOW = Settings(), 1.79e9
FEW, MANY = 200, 1200
START = 5.0
"""Seconds until a machine's processes are ready."""

Rows = Iterable[tuple[Task, str]]
Way = Callable[[Sequence[Task], Job], Rows]


def tasks_of(logs: Path) -> list[Task]:
    """Return all runs below a folder as tasks."""
    refs = judging.find_runs([str(logs)]).refs
    return [Task(i, ref, provenance.making("1", "logs", ref.id, SETTINGS)) for i, ref in enumerate(refs)]


def work(processes: Sequence[int]) -> float:
    """Return the seconds of work of some processes and all that they have started and seen end."""
    return sum(sum(psutil.Process(process).cpu_times()[:4]) for process in processes)


def spent(judged: Rows, processes: Sequence[int]) -> float:
    """Return the seconds of work of judging some runs."""
    before = work(processes)
    for _ in judged:
        pass
    return work(processes) - before


def ways_to_judge(address: str) -> dict[str, Way]:
    """Return what is compared."""
    return {
        "this process": records_here,
        "one worker process": lambda tasks, job: records_by_workers(tasks, job, Limits(1, 600.0)),
        "two worker processes": lambda tasks, job: records_by_workers(tasks, job, Limits(2, 600.0)),
        "Dask, two workers": lambda tasks, job: dask_client.records_by_cluster(tasks, job, address),
        "Dask, pages brought back": lambda tasks, job: _brought_back(tasks, job, address),
    }


def overheads(place: Path, runs: int, rounds: int) -> None:
    """Print what each way costs beside judging in this process."""
    from distributed import Client, LocalCluster

    fleet.make(place / "logs", runs)
    full, cheap = tasks_of(place / "logs"), _without_points(place / "cheap", MANY)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as dask:
        with Client(dask, set_as_default=False) as client:
            processes = [os.getpid(), *client.run(os.getpid).values()]
        best: dict[tuple[str, int], float] = {}
        for _ in range(rounds):
            for name, way in ways_to_judge(dask.scheduler_address).items():
                for part, tasks in enumerate((full, cheap[:FEW], cheap)):
                    took = spent(way(tasks, job_in(place)), processes)
                    best[name, part] = min(best.get((name, part), took), took)
    print(
        f"{runs:,} runs x {len(fleet.TAGS)} tags x {fleet.POINTS} points; chunks of {dask_client.chunk_size(runs, 2)}"
    )
    print("| judged by | s of work | ÷ this process | overhead ms a run | starts, s |\n| --- | --- | --- | --- | --- |")
    here = "this process"
    for name in ways_to_judge(""):
        each, own = ((best[n, 2] - best[n, 1]) / (MANY - FEW) for n in (name, here))
        start = best[name, 1] - best[here, 1] - FEW * (each - own)
        ratio, over = best[name, 0] / best[here, 0], (each - own) * 1000
        print(f"| {name} | {best[name, 0]:.1f} | {ratio:.2f} | {over:.2f} | {start:.1f} |")


def job_in(place: Path) -> Job:
    """Return a job that writes into a new site."""
    site = Path(tempfile.mkdtemp(dir=place)) / "site"
    Site(site, {})
    return Job(SETTINGS, NOW, site)


def _without_points(logs: Path, runs: int) -> list[Task]:
    for run in range(runs):
        (logs / f"r{run:05d}").mkdir(parents=True)
        write_log(logs / f"r{run:05d}" / NAME, ())
    return tasks_of(logs)


def _brought_back(tasks: Sequence[Task], job: Job, address: str) -> Rows:
    orders = dask_client.Orders
    unseen = mock.patch.object(dask_client, "Orders", lambda name, job, _, *rest: orders(name, job, "runs/none", *rest))
    with unseen:
        yield from dask_client.records_by_cluster(tasks, job, address)


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one run of the plan's size: read, judged and drawn on a core; by the machine that audits, `tell` as
    its row comes in and `finish` when all are there. `chunk` is a chunk's way; `size` the run's log in bytes, `spread`
    the relative spread of its cost, `rate` bytes a second that the storage gives to all.
    """

    read: float
    judge: float
    page: float
    tell: float
    finish: float
    chunk: float
    size: float
    spread: float
    rate: float


def measured(place: Path, tags: int, points: int, runs: int) -> Costs:
    """Return the costs on this machine, over some runs of the plan's size."""
    logs = place / "large"
    for run in range(runs):
        (logs / f"r{run}").mkdir(parents=True)
        write_scalars(logs / f"r{run}", _curves(tags, points, run))
    spent = []
    for task in tasks_of(logs):
        marks = [time.process_time()]
        run = judging.read(task.ref)
        marks.append(time.process_time())
        result = judging.judge_plainly(run, SETTINGS, NOW)
        marks.append(time.process_time())
        RunJudge(Job(SETTINGS, NOW, place))._paged(result, task)
        marks.append(time.process_time())
        spent.append(np.diff(marks))
    read, judge, page = np.median(spent, axis=0)
    sums = np.sum(spent, axis=1)
    size = sum(path.stat().st_size for path in logs.rglob("*") if path.is_file()) / runs
    told = _telling(place, tags)
    return Costs(read, judge, page, *told, _chunk_costs(), size, float(sums.std() / sums.mean()), 2e9)


def _curves(tags: int, points: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    fall = 0.2 + 2 * (1 + 40 * np.arange(points) / points) ** -0.8
    names = ["train/loss", "val/loss", "val/accuracy", "lr", *(f"layer{i}/norm" for i in range(tags))][:tags]
    return {name: fall * np.exp(0.1 * rng.standard_normal(points)) for name in names}


def _telling(place: Path, tags: int, runs: int = 150) -> tuple[float, float]:
    """Return what the machine that audits does for a run besides judging: as rows come in, and when all are there.

    It is measured over a night in which nothing is judged.
    """
    for run in range(runs):
        (place / "told" / f"r{run}").mkdir(parents=True)
        write_scalars(place / "told" / f"r{run}", _curves(tags, 40, run))
    times: list[float] = []

    def seen(*_: int) -> None:
        times.append(time.process_time())

    plan = Plan(state=place / "told.db", now=NOW + 1e6)
    api.audit([place / "told"], place / "told-site", plan=plan)
    found = []
    for _ in range(3):
        start = time.process_time()
        api.audit(
            [place / "told"], place / "told-site", plan=plan, progress=lambda *_: times.append(time.process_time())
        )
        found.append((times[-1] - start, time.process_time() - times[-1]))
    first, second = min(found, key=sum)
    return first / runs, second / runs


def _chunk_costs() -> float:
    """Return seconds that a chunk of no work takes by way of Dask."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as dask,
        Client(dask, set_as_default=False) as client,
    ):
        payload = os.urandom(200_000)
        client.gather([client.submit(len, payload, pure=False) for _ in range(10)])
        start = time.perf_counter()
        client.gather([client.submit(bytes, payload, pure=False) for _ in range(100)])
        return (time.perf_counter() - start) / 100


def simulated(costs: Costs, runs: int, cores: int, seed: int = 1) -> tuple[float, dict[str, float]]:
    """Return the seconds of a night, and how busy each part was: cores, storage, the machine that audits."""
    rng = np.random.default_rng(seed)
    own = costs.read + costs.judge + costs.page
    each = max(own, costs.size * cores / costs.rate)  # a core may have to wait for the storage
    size = dask_client.chunk_size(runs, cores)
    queue = deque(min(size, runs - at) for at in range(0, runs, size))
    events: list[tuple[float, int, int]] = [(START, 0, 0)] * cores  # when, runs done, runs that come back undone
    idle, busy, teller, last = 0, 0.0, 0.0, 0.0
    while events:
        now, done, rest = heapq.heappop(events)
        last, idle = now, idle + 1
        teller = max(teller, now) + done * costs.tell
        queue.extend(part for part in (-(-rest // 2), rest // 2) if part)
        while idle and queue:
            count = queue.popleft()
            most = AT_ONCE * max(1, int(np.ceil(dask_client.SPAN / each / AT_ONCE)))
            judged, idle = min(count, most), idle - 1
            work = judged * each * max(0.2, rng.normal(1.0, costs.spread / np.sqrt(judged))) + costs.chunk
            busy += judged * own
            heapq.heappush(events, (now + work, judged, count - judged))
    whole = max(last, teller) + runs * costs.finish
    shares = {"cores": busy / cores / whole, "storage": runs * costs.size / costs.rate / whole}
    return whole, shares | {"the machine that audits": runs * (costs.tell + costs.finish) / whole}


def plan(costs: Costs, given: argparse.Namespace) -> None:
    """Print the night's hours, what holds it up, and how they change with each cost."""
    whole, busy = simulated(costs, given.plan_runs, given.cores)
    points = given.plan_runs * given.tags * given.points
    print(f"\n{given.plan_runs:,} runs x {given.tags} tags x {given.points:,} points ({points / 1e9:,.0f} G points,")
    print(f"{given.plan_runs * costs.size / 1e12:.2f} TB) on {given.cores} cores, storage of {costs.rate / 1e9:g} GB/s")
    each = given.tags * given.points
    print(f"a run: read {costs.read * 1e3:.0f} ms ({costs.read / each * 1e9:.0f} ns a point), judged", end=" ")
    print(f"{costs.judge * 1e3:.0f} ms, drawn {costs.page * 1e3:.0f} ms, told {costs.tell * 1e3:.1f} +", end=" ")
    print(f"{costs.finish * 1e3:.1f} ms; a chunk's way: {costs.chunk * 1e3:.1f} ms")
    told = ", ".join(f"{name} {share:.0%}" for name, share in busy.items())
    print(f"**{whole / 3600:.2f} hours**; busy: {told}; held up by {max(busy, key=lambda name: busy[name])}")
    print("\n| if | hours | held up by |\n| --- | --- | --- |")
    changes = {
        "reading took twice as long": {"read": 2 * costs.read},
        "judging took twice as long": {"judge": 2 * costs.judge},
        "drawing took twice as long": {"page": 2 * costs.page},
        "telling took ten times as long": {"tell": 10 * costs.tell, "finish": 10 * costs.finish},
        "a chunk cost a second": {"chunk": 1.0},
        "the storage gave a quarter": {"rate": costs.rate / 4},
        "no pages were drawn": {"page": 0.0},
    }
    for name, change in changes.items():
        hours, busy = simulated(replace(costs, **change), given.plan_runs, given.cores)
        print(f"| {name} | {hours / 3600:.2f} | {max(busy, key=lambda part: busy[part])} |")
    for cores in (given.cores // 2, given.cores * 2, given.cores * 8):
        hours, busy = simulated(costs, given.plan_runs, cores)
        print(f"| there were {cores} cores | {hours / 3600:.2f} | {max(busy, key=lambda part: busy[part])} |")


def main() -> None:
    """Measure, print the table of overheads, then the plan."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    add = parser.add_argument
    add("--runs", type=int, default=400, help="runs of the fleet (default %(default)s)")
    add("--rounds", type=int, default=3, help="how often each way goes (default %(default)s)")
    add("--plan-runs", type=int, default=100_000, help="runs of the plan (default %(default)s)")
    add("--tags", type=int, default=50)
    add("--points", type=int, default=10_000)
    add("--cores", type=int, default=64)
    add("--storage", type=float, default=2.0, help="GB/s that the storage gives (default %(default)s)")
    given = parser.parse_args()
    if THREADS[0] not in os.environ:  # as in worker processes: a core is a core
        arguments = [sys.executable, "-m", "benchmarks.cluster", *sys.argv[1:]]
        os.execve(sys.executable, arguments, os.environ | dict.fromkeys(THREADS, "1"))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "runs").mkdir()
        overheads(place, given.runs, given.rounds)
        costs = replace(measured(place, given.tags, given.points, runs=6), rate=given.storage * 1e9)
        plan(costs, given)


if __name__ == "__main__":
    main()
