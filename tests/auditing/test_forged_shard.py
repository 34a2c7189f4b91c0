"""A shard whose rows hold other values than posthoc writes is merged or refused in one sentence, never a traceback."""

import copy
import json
import random
from collections import Counter

import pytest

import analyzer
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.shard import ShardPart
from analyzer.errors import SourceError

ODD = (None, True, -1, 10**400, 1.5, "x", [], {}, [None], {"a": 1}, float("nan"))
CASES = 80


def places(value, at=()):
    if at:
        yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*at, key))


def forged(row, at, odd):
    changed = copy.deepcopy(row)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = odd
    return changed


@pytest.fixture
def part(tmp_path):
    for name, lost in (("healthy", 200), ("sick", 150)):
        (tmp_path / "logs" / name).mkdir(parents=True)
        rows = (f"{i},{0.2 + 2 * 0.97**i if i < lost else 'nan'}\n" for i in range(200))
        (tmp_path / "logs" / name / "metrics.csv").write_text("step,train/loss\n" + "".join(rows))
    analyzer.audit(tmp_path / "logs", tmp_path / "part", plan=Plan(jobs=0, now=1.78e9, share=ShardPart(1, 1)))
    return tmp_path / "part"


def test_any_value_of_a_row_may_be_forged(part, tmp_path):
    (file,) = part.glob("shard-*.jsonl")
    *before, last = file.read_text("utf-8").splitlines()
    number, text = json.loads(last)
    row, rng, ends = json.loads(text), random.Random(5), Counter()
    cases = [(at, odd) for at in places(row) for odd in ODD]
    for at, odd in rng.sample(cases, CASES):
        line = json.dumps([number, json.dumps(forged(row, at, odd))])
        file.write_text("\n".join([*before, line]) + "\n", "utf-8")
        try:
            analyzer.merge([part], tmp_path / "site")
            ends["merged"] += 1
        except SourceError as error:
            assert "corrupt" in str(error) and "\n" not in str(error)
            ends["refused"] += 1
    assert ends["refused"] > CASES / 2
