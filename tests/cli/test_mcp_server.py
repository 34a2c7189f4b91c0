"""The server of the Model Context Protocol, asked by the SDK's own client over stdio."""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import analyzer

mcp = pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples" / "logs" / "keras"
PATIENCE = 120.0


def asked(*questions):
    """Return the tools, and the answer to each (tool, arguments): its text and whether it is an error."""

    async def talk():
        words = ["-m", "analyzer", "mcp", str(EXAMPLES)]
        async with mcp.Client(mcp.StdioServerParameters(command=sys.executable, args=words)) as client:
            tools = (await client.list_tools()).tools
            answers = [await client.call_tool(tool, arguments) for tool, arguments in questions]
            return tools, [(answer.content[0].text, bool(answer.is_error)) for answer in answers]

    with ThreadPoolExecutor(1) as apart:  # a browser test of the same process may have left its loop running
        return apart.submit(lambda: asyncio.run(asyncio.wait_for(talk(), PATIENCE))).result()


@pytest.mark.filterwarnings("default")
def test_a_client_lists_runs_reads_and_compares_them_and_reaches_nothing_else(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,train_loss\n" + "".join(f"{i},{1 / (i + 1)}\n" for i in range(30)))
    run = "unicorn_by_heart"
    tools, answers = asked(
        ("list_runs", {}),
        ("brief", {"run": run}),
        ("findings", {"run": run}),
        ("series", {"run": run}),
        ("series", {"run": run, "tag": "validation/epoch_loss", "points": 40}),
        ("brief", {"run": str(tmp_path / "metrics.csv")}),
        ("brief", {"run": "../tensorboard/unicorn_sorted"}),
        ("compare", {"base": [run], "candidate": [run], "metric": "validation/epoch_loss"}),
    )
    assert {tool.name for tool in tools} == {"list_runs", "brief", "findings", "series", "compare"}
    assert all(tool.annotations.read_only_hint for tool in tools)
    (runs, brief, findings, table, points, outside, above, compared) = answers
    assert [one["run"] for one in json.loads(runs[0])["runs"]] == [run, "unicorn_never_found"]
    assert brief == (analyzer.brief(EXAMPLES / run), False)
    assert [one["symptom"] for one in json.loads(findings[0])["findings"]] == ["overfitting"]
    assert json.loads(table[0])["total"] > 5
    drawn = json.loads(points[0])
    assert drawn["total"] == 120 and 20 <= len(drawn["points"]) <= 60 and drawn["points"][-1][0] == 119
    assert outside[1] and "there is no run" in outside[0]
    assert above[1] and "there is no run" in above[0]
    assert compared[0]
