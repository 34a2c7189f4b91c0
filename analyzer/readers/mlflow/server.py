"""Runs of a tracking server: listed page by page, read one by one, the histories of a run by a few threads.

What is asked is MLflow's REST API 2.0, which servers have had since 1.0, with the size of a page always said (those
before 1.28 list their experiments under another name, and send a history in one piece). The interface that plots use
(`get-history-bulk-interval`) leaves points out, and is not asked. A server with workspaces (since 3.10) shows one at a
time: all of them are asked, unless `?workspace=` in the address or MLFLOW_WORKSPACE names one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from analyzer.errors import NoRunsError, SourceError, UsageError
from analyzer.model.formatting import counted
from analyzer.model.redaction import mask_text
from analyzer.model.run import Note, Series
from analyzer.readers.formats import Choice
from analyzer.readers.mlflow import run_metadata
from analyzer.readers.mlflow.responses import (
    History,
    Object,
    datasets,
    key_of,
    metric_names,
    objects,
    pairs,
    parts_of,
    whole,
)
from analyzer.readers.mlflow.rest import WORKSPACE, Limits, RefusedError, Server, in_workspace, server_at
from analyzer.readers.mlflow.run_metadata import NAME, LostRuns, TrackedRun
from analyzer.readers.run_ref import Update, VerdictPayload
from analyzer.readers.sanitize import distinct

API_3 = "/api/3.0/mlflow/"
DEFAULT = "default"  # the workspace that a server takes where none is named
OF_SERVERS = ("MLFLOW_TRACKING", WORKSPACE)  # MLflow's variables that change what is asked
API, ARTIFACTS = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts/"
LIMITS = Limits()
THREADS = 4  # questions at a time
PAGE_RUNS, PAGE_EXPERIMENTS, PAGE_POINTS = 200, 1_000, 50_000
EXPERIMENTS_AT_ONCE = 100
MOST_ENDLESS = 2  # of a run's metrics
MOST_POINTS = 20_000_000  # of one metric
ENDED = ("FINISHED", "FAILED", "KILLED")
_PLACE = re.compile(r"/?experiments/(?P<experiment>\d+)(?:/runs/(?P<run>[0-9a-zA-Z_\-]+))?")


@dataclass(frozen=True)
class ServerRun(TrackedRun):
    """A run of a tracking server. The address may hold a password and is not shown; `state` is the stamp."""

    address: str = field(repr=False)
    state: str | None = None

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run, always all of it; a server that fails in the middle costs this run or one of its metrics."""
        try:
            one = connected(self.address)
            until = one.until()
            info, data, inputs = parts_of(one.ask("GET", f"{API}runs/get", until, query={"run_id": self.key}))
            if key_of(info) != self.key:
                return self.lost(f"run {self.key}: {one.shown} answers with another run, or with none")
            notes: list[Note] = []
            series = _series(one, self.key, metric_names(data.get("metrics")), until, notes)
        except SourceError as error:
            return self.lost(f"run {self.key}: {error}")
        params, tags = pairs(data.get("params")), pairs(data.get("tags"))
        declared = str(info.get("status") or "").upper()
        run = self.run_of(series, params, tags, notes, declared=declared, datasets=datasets(inputs))
        return Update(run, {}, whole=True)

    def write_back(self, word: VerdictPayload) -> str | None:
        """Write the verdict as tags, and the page where the server keeps the artifacts itself."""
        from analyzer.readers.mlflow import write_back  # noqa: PLC0415 - only when asked for

        one = connected(self.address)
        until = one.until()
        info, data, _ = parts_of(one.ask("GET", f"{API}runs/get", until, query={"run_id": self.key}))
        known = pairs(data.get("tags"))
        for name, value in write_back.tags_of(word).items():
            if known.get(name) != value:
                one.ask("POST", f"{API}runs/set-tag", until, body={"run_id": self.key, "key": name, "value": value})
        if word.page is None:
            return None
        place = str(info.get("artifact_uri") or "")
        target = write_back.page_target(place, one.host, one.port)
        if target is None:
            return write_back.kept_elsewhere(one.shown, self.key, place)
        page = word.page.encode("utf-8", "backslashreplace")
        try:
            if not self._has_page(one, target, page, until):
                one.ask("PUT", ARTIFACTS + target, until, body=page)
        except SourceError as error:
            return f"run {self.key}: the page was not stored ({error})"
        return None

    def _has_page(self, one: Server, target: str, page: bytes, until: float) -> bool:
        """Whether the server keeps this very page: what is there already is not written again."""
        folder = run_metadata.PAGE.rpartition("/")[0]
        try:
            there = one.ask("GET", f"{API}artifacts/list", until, query={"run_id": self.key, "path": folder})
            sizes = {str(file.get("path")): whole(file.get("file_size")) for file in objects(there.get("files"))}
            return sizes.get(run_metadata.PAGE) == len(page) and one.content("GET", ARTIFACTS + target, until) == page
        except RefusedError:
            return False

    def stamp(self) -> str | None:
        """Return what the list of runs said of one that has ended: its end and the last value of every metric."""
        return self.state


def runs_at(address: str, choice: Choice) -> list[TrackedRun]:
    """Return references to the runs of a server, by start. The address of a page of MLflow's own site chooses its runs.

    SourceError when the server does not give its list, NoRunsError when the experiments wanted are not there.
    """
    address, _, place = address.partition("#")
    asked = _PLACE.match(place)
    if asked and asked["run"]:
        if choice.filter is not None:
            raise UsageError(f"{mask_text(address)}: --filter chooses among runs, and this is one; leave it out")
        return run_metadata.of_experiments([run_at(address, asked["run"])], choice, mask_text(address))
    wanted = (asked["experiment"],) if asked else choice.experiments
    found: list[tuple[int, TrackedRun]] = []
    nothing: NoRunsError | None = None
    for place in _workspaces(address):
        try:
            found += _runs_in(place, wanted, choice)
        except NoRunsError as error:  # of the workspace that comes first, where the experiments are in none
            nothing = nothing or error
    if nothing is not None and not found:
        raise nothing
    return [ref for _, ref in sorted(found, key=lambda pair: (pair[0], pair[1].key))]


def _runs_in(address: str, wanted: tuple[str, ...], choice: Choice) -> list[tuple[int, TrackedRun]]:
    """Return start and reference of each run in one workspace.

    Where the list breaks off, the runs before are kept, and one that is lost stands for the rest.
    """
    one = connected(address)
    until = one.until()
    names = _experiments(one, wanted, choice, until)
    found: list[tuple[int, TrackedRun]] = []
    try:
        for info, data in _search(one, list(names), choice, until):
            found.append((whole(info.get("start_time")), _ref(one, address, names, info, data)))
    except SourceError as error:
        if not found:
            raise
        what = f"the list of runs could not be read beyond its first {counted(len(found), 'run')}"
        rest = LostRuns("further runs", "further runs", NAME, one.shown, "", f"{what} ({error})")
        found.append((max(start for start, _ in found) + 1, rest))
    return found


def _workspaces(address: str) -> Iterator[str]:
    """Yield the address of what a server shows without a workspace, then of each other workspace it has.

    The server is asked for them last, when it has shown that it answers. One that does not know of workspaces, or does
    not tell, has none.
    """
    yield address
    one = connected(address)
    if one.workspace:
        return
    until = one.until()
    try:
        if not one.ask("GET", f"{API_3}server-info", until).get("workspaces_enabled"):
            return
    except RefusedError:
        return
    for each in objects(one.ask("GET", f"{API_3}workspaces", until).get("workspaces")):
        name = str(each.get("name", ""))
        if name and name != DEFAULT:
            yield in_workspace(address, name)


def run_at(address: str, key: str) -> ServerRun:
    """Return a reference to one run. NoRunsError when the server has none of this id."""
    nothing = NoRunsError(f"{mask_text(address)}: no run has the id {key}")
    for place in _workspaces(address.partition("#")[0]):
        one = connected(place)
        until = one.until()
        try:
            info, data, _ = parts_of(one.ask("GET", f"{API}runs/get", until, query={"run_id": key}))
        except RefusedError as error:
            if error.status != 404:
                raise
            nothing = NoRunsError(f"{one.shown}: no run has the id {key}")
            continue
        number = str(info.get("experiment_id", ""))
        known = one.ask("GET", f"{API}experiments/get", until, query={"experiment_id": number}).get("experiment")
        title = str(known.get("name", "")) if isinstance(known, dict) else ""
        return _ref(one, place, {number: title}, info, data)
    raise nothing


MOST_SERVERS = 32  # that connections are kept to at a time; each workspace of a server is one
_servers: dict[tuple[object, ...], Server] = {}  # connections are kept from run to run, in each process its own


def connected(address: str) -> Server:
    """Return the server at an address, the same one (with its connections) as long as address and login stay."""
    variables = tuple((name, value) for name, value in sorted(os.environ.items()) if name.startswith(OF_SERVERS))
    key = (os.getpid(), address, variables, LIMITS)
    if key not in _servers:
        if len(_servers) >= MOST_SERVERS or any(known[0] != os.getpid() or known[2:] != key[2:] for known in _servers):
            _servers.clear()
        _servers[key] = server_at(address, LIMITS)
    return _servers[key]


def _experiments(one: Server, wanted: tuple[str, ...], choice: Choice, until: float) -> dict[str, str]:
    """Return names by id of all experiments, or of those that are wanted by id or name."""
    view = "ALL" if choice.deleted else "ACTIVE_ONLY"
    names = {}
    for each in _all_experiments(one, view, until):
        names[str(each.get("experiment_id", ""))] = str(each.get("name", ""))
    chosen = {number: name for number, name in names.items() if not wanted or number in wanted or name in wanted}
    if names and not chosen:
        raise NoRunsError(run_metadata.no_experiment(Choice(wanted), names.values(), one.shown))
    return chosen


def _all_experiments(one: Server, view: str, until: float) -> Iterator[Object]:
    asked = {"view_type": view, "max_results": PAGE_EXPERIMENTS}
    try:
        for page in pages(one, "POST", "experiments/search", asked, until):
            yield from objects(page.get("experiments"))
    except RefusedError as error:
        if error.status not in (404, 405):
            raise
        try:  # as servers before 1.28 have it, without pages
            old = one.ask("GET", f"{API}experiments/list", until, query={"view_type": view})
        except RefusedError:
            raise error from None
        yield from objects(old.get("experiments"))


def _search(one: Server, experiments: list[str], choice: Choice, until: float) -> Iterator[tuple[Object, Object]]:
    body: dict[str, object] = {"run_view_type": "ALL" if choice.deleted else "ACTIVE_ONLY", "max_results": PAGE_RUNS}
    if choice.filter is not None:
        body["filter"] = choice.filter
    for start in range(0, len(experiments), EXPERIMENTS_AT_ONCE):
        some = {**body, "experiment_ids": experiments[start : start + EXPERIMENTS_AT_ONCE]}
        for page in pages(one, "POST", "runs/search", some, until):
            for run in objects(page.get("runs")):
                info, data, _ = parts_of({"run": run})
                if key_of(info):
                    yield info, data


def pages(one: Server, method: str, path: str, asked: Mapping[str, object], until: float) -> Iterator[Object]:
    """Yield the pages of a list. SourceError when it does not end, or turns round."""
    token, seen = "", set[str]()
    for _ in range(one.limits.pages):
        what = {**asked, "page_token": token} if token else asked
        page = one.ask(
            method,
            API + path,
            until,
            **({"body": what} if method == "POST" else {"query": what}),
        )
        yield page
        token = page.get("next_page_token") or ""
        if not token:
            return
        if not isinstance(token, str) or token in seen:
            raise SourceError(f"{one.shown}: the pages of {path} repeat themselves without an end")
        seen.add(token)
    raise SourceError(f"{one.shown}: {path} has more than {one.limits.pages:,} pages")


def _series(one: Server, key: str, metrics: list[str], until: float, notes: list[Note]) -> dict[str, Series]:
    """Return all metrics of a run; one that cannot be had is named, what came of it is kept."""
    series: dict[str, Series] = {}
    endless: list[str] = []
    with ThreadPoolExecutor(min(THREADS, max(1, len(metrics)))) as pool:
        histories = pool.map(lambda metric: _history(one, key, metric, until, endless), metrics)
        for name, history in zip(metrics, histories, strict=True):
            tag = distinct(name, series)
            notes += [Note("damage", f"{tag}: {why}") for why in history.problems]
            found = history.series(tag)
            if found is not None:
                series[tag] = found
    return series


def _history(one: Server, key: str, metric: str, until: float, endless: list[str]) -> History:
    """Return a metric's history; its name is put into `endless` when an answer about it did not come to its end.

    Once that happened to several of a run's metrics, the others are not asked for: each would take as long.
    """
    history = History()
    if len(endless) >= MOST_ENDLESS:
        history.problems.append(f"it was not asked for, as answers about {len(endless)} other metrics had no end")
        return history
    asked = {"run_id": key, "metric_key": metric, "max_results": PAGE_POINTS}
    try:
        for page in pages(one, "GET", "metrics/get-history", asked, until):
            history.add(page.get("metrics"))
            if history.size > MOST_POINTS:
                raise SourceError(f"it has more than {MOST_POINTS:,} points")
        if not history.size and not history.problems:
            history.problems.append("the run has this metric, and the server no point of it")
    except SourceError as error:
        endless += [metric] if isinstance(error, RefusedError) and error.endless else []
        history.problems.append(f"its history could not be read to the end ({error})")
    return history


def _ref(one: Server, address: str, names: Mapping[str, str], info: Object, data: Object) -> ServerRun:
    key = key_of(info)
    number = str(info.get("experiment_id", ""))
    title = str(info.get("run_name") or pairs(data.get("tags")).get(run_metadata.RUN_NAME) or key)
    inside = f"?workspace={one.workspace}" if one.workspace else ""
    place = f"{one.shown}/#/experiments/{number}/runs/{key}{inside}"
    return ServerRun(
        key,
        title,
        NAME,
        place,
        key,
        address,
        _state(info, data),
        experiment=names.get(number, ""),
        experiment_id=number,
    )


def _state(info: Object, data: Object) -> str | None:
    """Return what changes when a run that has ended is logged to again; None for one that goes on."""
    if info.get("status") not in ENDED or not info.get("end_time"):
        return None
    last = sorted(json.dumps(metric, sort_keys=True) for metric in objects(data.get("metrics")))
    params = sorted(pairs(data.get("params")).items())
    ended = [info.get(name) for name in ("status", "end_time", "lifecycle_stage")]
    return hashlib.sha256(json.dumps([ended, last, params]).encode()).hexdigest()
