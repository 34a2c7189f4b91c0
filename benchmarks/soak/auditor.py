"""Audits the fleet in every way that there is, and holds the result against the model."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import analyzer
from analyzer.api import guides
from analyzer.auditing.merging import merged
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.shard import ShardPart
from analyzer.errors import PosthocError
from analyzer.model.result import AuditResult
from analyzer.settings import Settings, Suppression
from analyzer.writers.site import Site
from benchmarks.soak.model import Expected, Model
from benchmarks.soak.world import SYMPTOM, World

FRESH_EVERY = 20  # audits after which the result is held against one without a memory
REFUSED = 3  # exit code of an audit in a child that ended in a sentence
BROKEN = 4  # the same for any other exception
PLANTED = frozenset(SYMPTOM.values()) - {""}


class Auditor:
    """A fleet with its site, state and suppressions; `night` lets something happen and audits."""

    def __init__(self, place: Path, seed: int) -> None:
        """Begin with an empty fleet in a folder."""
        self.place, self.rng = place, random.Random(seed)
        self.world = World(place / "logs", random.Random(seed + 1))
        self.world.root.mkdir()
        self.out, self.state = place / "site0", place / "state.db"
        self.models = [Model()]  # more than one after an audit of which nobody knows whether it came to its end
        self.suppressed: dict[str, date] = {}
        self.audits, self.way, self.happened, self.usual = 0, "", "", 0.2
        self.ways: Counter[str] = Counter()
        for _ in range(3):
            self.happened = self.world.step()

    def night(self) -> list[str]:
        """Let something happen, audit, and return every difference from what the model expects."""
        self.happened = self.world.step()
        while not self.world.there:
            self.happened = self.world.step()
        self._suppress()
        self.audits += 1
        way = self.rng.choices(list(WAYS), [weight for weight, _ in WAYS.values()])[0]
        self.way = way
        self.ways[way] += 1
        differences = WAYS[way][1](self)
        if not differences and self.audits % FRESH_EVERY == 0:
            differences = self._as_fresh()
        return differences

    def _suppress(self) -> None:
        day = datetime.fromtimestamp(self.world.now, UTC).date()
        if self.rng.random() < 0.1 and (name := self.world.any()) is not None:
            self.suppressed[name] = day + timedelta(days=self.rng.randint(-1, 3))
        elif self.rng.random() < 0.1 and self.suppressed:
            del self.suppressed[self.rng.choice(sorted(self.suppressed))]

    def _settings(self) -> Settings:
        known = [
            Suppression(symptom, "planted", run=name, expires=expires)
            for name, expires in self.suppressed.items()
            for symptom in sorted(PLANTED)
        ]
        return Settings(suppress=tuple(known))

    def _audit(self, out: Path, *, state: Path | None, share: ShardPart | None = None) -> AuditResult:
        plan = Plan(state=state, jobs=0, now=self.world.now, share=share)
        return analyzer.audit(self.world.root, out, settings=self._settings(), plan=plan)

    def _expected(self, model: Model) -> Expected:
        return model.audit(self.world.there, self.world.now, self.suppressed)

    def _verified(self, result: AuditResult) -> list[str]:
        """Hold a result against every memory that is possible; keep those that it agrees with."""
        told: list[list[str]] = []
        agreeing = []
        for model in self.models:
            differences = _differences(result, self._expected(model), self.world.faults)
            told.append(differences)
            if not differences:
                agreeing.append(model)
        self.models = _distinct(agreeing or self.models[:1])
        return [] if agreeing else min(told, key=len)

    def plainly(self) -> list[str]:
        """Audit in this process."""
        begun = time.monotonic()
        result = self._audit(self.out, state=self.state)
        self.usual = 0.8 * self.usual + 0.2 * (time.monotonic() - begun)
        return self._verified(result) or _site_faults(self.out, result)

    def elsewhere(self) -> list[str]:
        """Audit into a new folder, and forget the old one."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out = self.place / f"site{self.audits}"
        return self.plainly()

    def killed(self) -> list[str]:
        """Kill an audit at a random moment, and audit again."""
        code = _in_child(lambda: self._audit(self.out, state=self.state), kill_after=self.rng.uniform(0, self.usual))
        return self._ended(code, "a killed audit") or self.plainly()

    def on_a_full_disk(self) -> list[str]:
        """Let no file grow beyond a random size, as on a disk that fills, and audit again without that."""
        size = int(10 ** self.rng.uniform(2, 5.7))
        before = self._published()
        code = _in_child(lambda: self._audit(self.out, state=self.state), most=size)
        after = self._published()
        if None not in before and len({one == other for one, other in zip(before, after, strict=True)}) > 1:
            return [f"files of at most {size} bytes: the index and findings.json are of different audits"]
        return self._ended(code, f"files of at most {size} bytes") or self.plainly()

    def _published(self) -> list[bytes | None]:
        """Return what the index and findings.json hold, None for one that is not there; each audit changes both."""
        paths = (self.out / "index.html", self.out / "findings.json")
        return [path.read_bytes() if path.is_file() else None for path in paths]

    def _ended(self, code: int | None, what: str) -> list[str]:
        """Take in that an audit ended with a code (None: killed): nobody knows whether it was remembered."""
        if code == BROKEN:
            return [f"{what}: an exception that is no sentence"]
        after = [model.copy() for model in self.models]
        for model in after:
            self._expected(model)
        self.models = _distinct(after if code == 0 else [*self.models, *after])
        return []

    def two_at_once(self) -> list[str]:
        """Audit in a child and here at the same time, each into a site of its own."""
        other = self.place / f"beside{self.audits}"
        child = _started(lambda: self._audit(other, state=self.state))
        before = [model.copy() for model in self.models]
        first = [model.copy() for model in self.models]
        for model in first:
            self._expected(model)
        self.models = [*before, *first]
        result = self._audit(self.out, state=self.state)
        differences = self._verified(result) or _site_faults(self.out, result)
        code = _code(os.waitpid(child, 0)[1])
        shutil.rmtree(other, ignore_errors=True)
        if code:
            return [f"the audit beside it ended with exit code {code}"]
        again = [model.copy() for model in self.models]
        for model in again:
            self._expected(model)
        self.models = _distinct([*self.models, *again])
        return differences

    def in_parts(self) -> list[str]:
        """Audit in two parts, and merge them."""
        parts = [self.place / f"part{i}" for i in (1, 2)]
        for i, part in enumerate(parts, 1):
            shutil.rmtree(part, ignore_errors=True)
            self._audit(part, state=None, share=ShardPart(i, 2))
        site = Site(self.out, guides(), "")
        result = merged(parts, site, self.state, self._settings(), now=self.world.now)
        return self._verified(result) or _site_faults(self.out, result)

    def _as_fresh(self) -> list[str]:
        fresh = self.place / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        known, anew = self._audit(self.out, state=self.state), self._audit(fresh, state=None)
        differences = self._verified(known)
        for one, other in zip(known.results, anew.results, strict=True):
            if _said(one) != _said(other):
                differences.append(f"{one.run}: with a memory {_said(one)}, without {_said(other)}")
        return differences


WAYS: dict[str, tuple[float, Callable[[Auditor], list[str]]]] = {
    "plainly": (12, Auditor.plainly),
    "killed": (3, Auditor.killed),
    "on a full disk": (2, Auditor.on_a_full_disk),
    "into a new folder": (1, Auditor.elsewhere),
    "two at once": (1, Auditor.two_at_once),
    "in parts": (1, Auditor.in_parts),
}
"""How often each way of auditing is taken, beside the others."""


def _distinct(models: list[Model]) -> list[Model]:
    return [model for i, model in enumerate(models) if model not in models[:i]]


def _said(result: analyzer.Result) -> tuple[object, ...]:
    found = sorted((f.fingerprint, f.severity, f.summary, bool(f.suppressed)) for f in result.findings)
    return result.run, result.status, result.verdict, result.sentence, found


def _differences(result: AuditResult, expected: Expected, faults: Mapping[str, str]) -> list[str]:
    """Return in words where an audit says something else than it must of the faults by run."""
    verdicts, states = dict[str, str](), dict[str, str]()
    for one in result.results:
        verdicts[one.run] = one.verdict
        for finding in one.findings:
            if finding.symptom == SYMPTOM[faults.get(one.run, "healthy")]:
                states[one.run] = finding.state or "no state"
    told = ((r["run"], r["symptom"]) for r in result.resolved)
    resolved = frozenset((run, symptom) for run, symptom in told if symptom == SYMPTOM[faults.get(run, "healthy")])
    vanished = {one.run: one.findings for one in result.vanished}
    pairs: Sequence[tuple[str, object, object]] = (
        ("verdicts", verdicts, dict(expected.verdicts)),
        ("states", states, dict(expected.states)),
        ("resolved", resolved, expected.resolved),
        ("vanished", vanished, dict(expected.vanished)),
    )
    wrong = [f"{name}: {_apart(found, wanted)}" for name, found, wanted in pairs if found != wanted]
    return [*wrong, *(f"{one.run}: {one.sentence}" for one in result.results if wrong)]


def _apart(found: object, wanted: object) -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))
        return "; ".join(f"{k} is {found.get(k)}, must be {wanted.get(k)}" for k in keys)
    return f"{found} must be {wanted}"


def _site_faults(site: Path, result: AuditResult) -> list[str]:
    """Return dead links, pages of runs that are gone, missing pages and temporary files of a site."""
    index = (site / "index.html").read_text("utf-8")
    pages = {path.name for path in (site / "runs").glob("*")} if (site / "runs").is_dir() else set()
    linked = {part.partition('"')[0] for part in index.split('href="runs/')[1:]}
    hidden = [path.name for path in site.rglob("*") if path.name.endswith(".tmp")]
    faults = [f"dead link {link}" for link in sorted(linked - pages)]
    faults += [f"{len(pages)} pages of {len(result.results)} runs"] if len(pages) != len(result.results) else []
    return faults + [f"temporary file {name}" for name in hidden]


def _started(work: Callable[[], object], *, kill_after: float | None = None, most: int | None = None) -> int:
    """Do something in a child process, which ends itself after so many seconds; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        if most is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        if kill_after is not None:
            threading.Timer(kill_after, os.kill, (os.getpid(), signal.SIGKILL)).start()
        work()
    except PosthocError:
        os._exit(REFUSED)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(BROKEN)
    os._exit(0)


def _in_child(work: Callable[[], object], *, kill_after: float | None = None, most: int | None = None) -> int | None:
    """Do something in a child process; return its exit code, None when it was killed."""
    return _code(os.waitpid(_started(work, kill_after=kill_after, most=most), 0)[1])


def _code(status: int) -> int | None:
    code = os.waitstatus_to_exitcode(status)
    return None if code < 0 else code
