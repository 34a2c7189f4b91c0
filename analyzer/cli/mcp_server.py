"""`posthoc mcp`: what posthoc knows of the sources named at the start, for a language model, over stdio.

Read-only: a run is asked for by an id that list_runs gave; no argument is ever taken for a path or an address.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from analyzer import __version__, api
from analyzer.auditing import judging
from analyzer.cli import mlflow_options
from analyzer.errors import PosthocError, UsageError
from analyzer.model.result import Result, json_number
from analyzer.model.run import Run
from analyzer.model.thinning import thin
from analyzer.readers import RunRef
from analyzer.settings import Settings
from analyzer.settings.values import suggestion
from analyzer.writers.briefing import HEAD, briefing
from analyzer.writers.comparison import text as comparison_text
from analyzer.writers.phrases import visible
from analyzer.writers.truncation import NAME, short, shortened

Options = argparse.Namespace

MOST_RUNS, MOST_POINTS = 500, 1_000
"""Runs that one list names, and points that one answer holds: both fit a model's context."""

USUAL_POINTS = 60
"""Points of a series where none are asked for: enough to see its shape."""

INSTRUCTIONS = f"Judgements of training runs by posthoc. Start with list_runs. {HEAD}"


class Service:
    """The answers. Every call looks at the sources anew, so that runs that go on are seen as they are."""

    def __init__(self, options: Options, settings: Settings) -> None:
        """Look at nothing yet."""
        self._sources, self._settings = options.sources, settings
        self._wanted = mlflow_options.wanted(options)

    def list_runs(self, contains: str = "", start: int = 0) -> dict[str, Any]:
        """List runs by id, at most 500 from `start` on; only those whose id or name contains a text."""
        refs = [ref for ref in self._refs() if contains in ref.id or contains in ref.name]
        shown = refs[max(0, start) : max(0, start) + MOST_RUNS]
        rows = [{"run": ref.id, "name": short(ref.name), "kind": ref.source} for ref in shown]
        return {"runs": rows, "total": len(refs)}

    def brief(self, run: str) -> str:
        """Say what there is to know about one run in at most 1,500 tokens: verdict, evidence, settings, curves."""
        return briefing(self._result(run))

    def findings(self, run: str) -> dict[str, Any]:
        """Return the verdict and findings of one run with their measures, as findings.json has them."""
        document = shortened(self._result(run)).to_dict()
        keys = ("run", "name", "status", "verdict", "sentence", "reason", "health", "findings", "not_checked")
        return {key: document[key] for key in keys}

    def series(self, run: str, tag: str = "", points: int = USUAL_POINTS) -> dict[str, Any]:
        """List the series of one run with their roles; with `tag`, return up to `points` of its points."""
        if not tag:
            rows = self._result(run).to_dict()["series"]
            return {"run": run, "series": rows[:MOST_RUNS], "total": len(rows)}
        found = self._run(run).series
        if tag not in found:
            raise UsageError(f"run {run} has no series {tag!r}{suggestion(tag, found)}")
        some = thin(found[tag], max(USUAL_POINTS // 2, min(points, MOST_POINTS)))
        rows = [[int(s), json_number(float(v))] for s, v in zip(some.steps, some.values, strict=True)]
        return {"run": run, "tag": tag, "total": found[tag].points, "points": rows}

    def compare(self, base: list[str], candidate: list[str], metric: str = "") -> str:
        """Say whether the candidate's runs are better than the base's; the runs of a side differ by their seed."""
        sides = ([self._run(one) for one in base], [self._run(one) for one in candidate])
        found = api.compare(*sides, metric=metric or None, settings=self._settings)
        return f"{HEAD}\n{visible(comparison_text(found, ''), keep=chr(10))}"

    def _refs(self) -> Sequence[RunRef]:
        return judging.find_runs(self._sources, **self._wanted).refs

    def _ref(self, run: str) -> RunRef:
        refs = {ref.id: ref for ref in self._refs()}
        if run not in refs:
            raise UsageError(f"there is no run {short(run, NAME)!r}{suggestion(run, refs) or '; list_runs names them'}")
        return refs[run]

    def _run(self, run: str) -> Run:
        return judging.read(self._ref(run))

    def _result(self, run: str) -> Result:
        return judging.judge(self._run(run), self._settings, time.time())


def serve(options: Options, settings: Settings) -> int:
    """Answer on standard input and output until the client goes away. UsageError when the extra is missing."""
    try:
        from mcp.server import MCPServer  # noqa: PLC0415 - slow, and not always there
        from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415 - as above
        from mcp.types import ToolAnnotations  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UsageError("posthoc mcp needs the MCP SDK; install the extra: pip install 'posthoc[mcp]'") from error
    service = Service(options, settings)
    judging.find_runs(options.sources, **mlflow_options.wanted(options))  # a source that is not there is told at once
    server = MCPServer("posthoc", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")
    harmless = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
    tools: tuple[Callable[..., Any], ...] = (
        service.list_runs, service.brief, service.findings, service.series, service.compare,
    )  # fmt: skip
    for tool in tools:
        server.tool(annotations=harmless)(_clear(tool, ToolError))
    server.run("stdio")
    return 0


def _clear(tool: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """Return the tool with posthoc's own errors as the sentence that they are."""

    @wraps(tool)
    def answer(*args: Any, **named: Any) -> Any:
        try:
            return tool(*args, **named)
        except PosthocError as wrong:
            raise error(visible(str(wrong))) from wrong

    return answer
