"""The nightly audit as a command: what is new, gates, shards, outputs, what goes wrong."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer.auditing.shard import Head
from analyzer.cli import main

ROOT = Path(__file__).parents[1]


def write(folder, sick=False):
    fall = 0.2 + 2.0 * np.exp(-np.arange(300) / 60) * (1 + 0.05 * np.random.default_rng(1).normal(size=300))
    with SummaryWriter(str(folder)) as writer:
        for i, value in enumerate(fall):
            writer.add_scalar("loss", float("inf") if sick and i > 250 else float(value), i)


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        write(tmp_path / "logs" / name)
    write(tmp_path / "logs" / "sick", sick=True)
    return tmp_path / "logs"


def call(capsys, *words):
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


def findings(site="posthoc-site"):
    document = json.loads(Path(site, "findings.json").read_text("utf-8"))
    return document, {(r["run"], f["symptom"]): f for r in document["runs"] for f in r["findings"]}


def test_the_gate_on_what_is_new(capsys, logs):
    nightly = ("audit", logs, "--state", "s.db", "--fail-on-new")
    code, out, _ = call(capsys, *nightly, "--markdown", "digest.md")
    assert "### Found in the first tracked audit (1)" in Path("digest.md").read_text("utf-8")
    assert code == 1 and "First tracked audit: 1 new." in out and "Since last time" not in out
    code, out, _ = call(capsys, *nightly, "--fail-on", "error")
    assert code == 0 and "still there" in out
    document, found = findings()
    assert found["sick", "non-finite"]["state"] == "persisting" and document["resolved"] == []
    write(logs / "more", sick=True)
    code, out, _ = call(capsys, *nightly, "--markdown", "digest.md")
    assert code == 1 and findings()[1]["more", "non-finite"]["state"] == "new" and "Since the last audit: 1 new" in out
    assert "more | non-finite" in Path("digest.md").read_text("utf-8")
    assert call(capsys, *nightly)[0] == 0
    assert call(capsys, "audit", logs, "--state", "s.db", "--fail-on", "error", "-q")[0] == 1


def test_a_first_night_as_the_starting_point(capsys, logs):
    code, _, err = call(capsys, "audit", logs, "--suppress-existing", "--fail-on", "error")
    assert code == 0 and "suppressed in posthoc.toml" in err
    assert call(capsys, "audit", logs, "--fail-on", "warning")[0] == 0
    write(logs / "more", sick=True)
    assert call(capsys, "audit", logs, "--fail-on", "warning")[0] == 1
    before = Path("posthoc.toml").read_text("utf-8")
    assert call(capsys, "audit", logs, "--suppress-existing", "-q")[0] == 0
    assert Path("posthoc.toml").read_text("utf-8").startswith(before.rstrip())
    Path("posthoc.toml").write_text("suppress = []")
    code, _, err = call(capsys, "audit", logs, "--suppress-existing", "-q")
    assert code == 2 and "cannot be added" in err and Path("posthoc.toml").read_text() == "suppress = []"


def test_suppressions_that_do_nothing_any_more_are_told(capsys, logs):
    entry = '[[suppress]]\nsymptom = "{}"\nreason = "x"\n{}\n'
    text = entry.format("plateau", 'run = "a"') + entry.format("non-finite", "expires = 2020-01-01")
    Path("posthoc.toml").write_text(text + entry.format("non-finite", 'run = "si*"'))
    _, _, err = call(capsys, "audit", logs)
    assert "the suppression of plateau in runs a (tag *) matches no finding; remove it" in err
    assert "expired on 2020-01-01" in err and "si*" not in err
    assert findings()[0]["stale_suppressions"] and findings()[1]["sick", "non-finite"]["suppressed"] == {"reason": "x"}


def test_outputs_for_other_programs(capsys, logs):
    names = {"junit": "j.xml", "sarif": "s.json", "markdown": "m.md", "csv": "c.csv"}
    words = [word for option, name in names.items() for word in (f"--{option}", name)]
    assert call(capsys, "audit", logs, *words, "-q")[0] == 0
    assert all(Path(name).stat().st_size > 100 for name in names.values())
    lines = Path("posthoc-site/findings.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == findings()[0]["runs"]


def test_a_night_in_parts(capsys, logs):
    for i in (1, 2):
        code, out, _ = call(capsys, "audit", logs, "--shard", f"{i}/2", "-o", f"part{i}")
        assert code == 0 and out.startswith(f"Shard {i}/2: ")
    code, _, err = call(capsys, "merge", "part1", "-o", "whole")
    assert code == 2 and "shard 2/2 is missing" in err
    assert call(capsys, "merge", "part1", "part2", "-o", "whole", "--fail-on", "error", "--junit", "j.xml")[0] == 1
    call(capsys, "audit", logs, "-o", "once", "-q")
    assert Path("whole/findings.json").read_bytes() == Path("once/findings.json").read_bytes()
    whole, once = (Path(site, "index.html").read_text("utf-8") for site in ("whole", "once"))
    judged = r"<time .*?</time>"  # the parts were judged a moment before
    assert re.sub(judged, "", whole) == re.sub(judged, "", once) and len(re.findall(judged, whole)) == 1


def test_pages_of_those_with_problems_only(capsys, logs):
    def pages():
        return len(list(Path("posthoc-site/runs").iterdir()))

    nightly = ("audit", logs, "--state", "s.db", "-q")
    call(capsys, *nightly, "--pages", "problems")
    assert pages() == 1 and Path("posthoc-site/index.html").read_text("utf-8").count('href="runs/') == 1
    call(capsys, *nightly)
    assert pages() == 3
    call(capsys, *nightly, "--pages", "problems")
    assert pages() == 1


def _replaced_by_a_pipe(file):
    file.unlink()
    os.mkfifo(file)


def _replaced_by_a_link(file):
    file.unlink()
    file.symlink_to("/etc/hosts")


@pytest.mark.skipif(os.name != "posix", reason="pipes and links as POSIX has them")
@pytest.mark.parametrize(
    ("what", "change", "said"),
    [
        ("shard-1-of-1.jsonl", _replaced_by_a_pipe, "corrupt (it is not a file); make it again"),
        ("shard-1-of-1.jsonl", lambda file: file.write_text("[" * 100_000), "is not a posthoc shard, or is corrupt"),
        ("runs/*.html", _replaced_by_a_pipe, "is missing or no file; copy the shard's folder"),
        ("runs/*.html", _replaced_by_a_link, "is missing or no file; copy the shard's folder"),
        ("runs/*.html", lambda file: file.write_bytes(b"\xff\xfe"), "is damaged; copy the shard's folder"),
    ],
)
def test_a_part_that_is_broken_is_one_clear_sentence_and_two(capsys, logs, what, change, said):
    call(capsys, "audit", logs, "--shard", "1/1", "-o", "part")
    change(next(Path("part").glob(what)))
    code, out, err = call(capsys, "merge", "part", "-o", "whole")
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("number", -1, "is corrupt (a row has the number -1, or has it twice)"),
        ("number", 1, "is corrupt (a row has the number 1, or has it twice)"),
        ("number", "1", "is corrupt (a row has the number '1', or has it twice)"),
        ("number", math.inf, "is corrupt (a row has the number inf, or has it twice)"),
        ("number", 10**12, "the shards hold 2 of 3 runs, and 1 beyond; make them again"),
        ("runs", 10**12, "the shards hold 3 of 1000000000000 runs; make them again"),
        ("runs", "3", "it does not say how many runs there are"),
        ("share", [1, 10**12], "shard 2/1000000000000 is missing"),
        ("share", [2, 1], "it does not say which shard it is"),
        ("sources", [None], "what should be text in its first line is not"),
        ("at", None, "is not a posthoc shard, or is corrupt"),
        ("at", math.nan, "is not a posthoc shard, or is corrupt"),
        ("at", -1e18, "is not a posthoc shard, or is corrupt"),
    ],
)
def test_a_part_with_numbers_that_cannot_be_is_one_clear_sentence_and_two(capsys, logs, place, value, said):
    call(capsys, "audit", logs, "--shard", "1/1", "-o", "part")
    file = Path("part/shard-1-of-1.jsonl")
    (schema, code, head), first, *rest = map(json.loads, file.read_text("utf-8").splitlines())
    if place == "number":
        first[0] = value
    else:
        changed = json.loads(head)
        changed[[field.name for field in fields(Head)].index(place)] = value
        head = json.dumps(changed)
    file.write_text("".join(f"{json.dumps(line)}\n" for line in ((schema, code, head), first, *rest)), "utf-8")
    status, out, err = call(capsys, "merge", "part", "-o", "whole")
    assert (status, out) == (2, "") and said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-on-new"], "--fail-on-new needs --state FILE"),
        (["--shard", "0/3"], "--shard '0/3' is not I/N with I from 1 to N"),
        (
            ["--shard", "1/2", "--junit", "j.xml"],
            "--junit needs the whole night; with --shard, give it to posthoc merge",
        ),
        (["--shard", "1/2", "--suppress-existing"], "--suppress-existing needs the whole night and does not go with"),
        (["--jobs", "-1"], "'-1' is not a number of processes"),
        (["--run-timeout", "0"], "--run-timeout is 0; it must be more than 0"),
        (["--run-timeout", "soon"], "--run-timeout is 'soon'; write it like"),
        (["--markdown", "-"], "--markdown writes a file, and only --json - goes to standard output"),
        (["--junit", "x", "--sarif", "./x"], "--sarif and --junit both write x"),
        (["--state", "x", "--csv", "x"], "--csv and --state both write x"),
        (["--state", "thesis.tex"], "thesis.tex is not a posthoc state file and was left unchanged"),
        (["--config", "logs/posthoc.toml", "--run-timeout", "0"], "posthoc.toml cannot be read"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_two(capsys, logs, words, said):
    Path("thesis.tex").write_text("mine")
    code, out, err = call(capsys, "audit", "logs", *words)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1
    assert Path("thesis.tex").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="interrupts as POSIX does")
@pytest.mark.parametrize("jobs", ["0", "2"])
def test_interrupting_leaves_the_state_whole(logs, tmp_path, jobs):
    for i in range(20):
        write(logs / f"more{i}")
    words = [sys.executable, "-m", "analyzer", "audit", str(logs), "-o", "site", "--state", "s.db", "--jobs", jobs]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    going = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "site").glob("runs/*.html")) and time.monotonic() < deadline:
        time.sleep(0.02)
    going.send_signal(signal.SIGINT)
    _, err = going.communicate(timeout=60)
    assert going.returncode == 130 and err == "\nposthoc: interrupted; what was written so far is whole\n"
    assert "not finished" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode == 0
    assert len(findings(tmp_path / "site")[0]["runs"]) == 23


@pytest.mark.skipif(os.name != "posix", reason="processes in the background as POSIX has them")
def test_two_audits_at_once_on_one_state(logs, tmp_path):
    words = [sys.executable, "-m", "analyzer", "audit", str(logs), "--state", "s.db", "--jobs", "0", "-q", "-o"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen([*words, site], cwd=tmp_path, env=environment) for site in ("one", "two")]
    assert [one.wait(120) for one in both] == [0, 0]
    strip = ("state", "first_seen", "last_seen")
    told = [findings(tmp_path / site)[1] for site in ("one", "two")]
    assert len({repr([{k: v for k, v in f.items() if k not in strip} for f in one.values()]) for one in told}) == 1
    assert subprocess.run([*words, "one"], cwd=tmp_path, env=environment, check=False).returncode == 0
    assert {f["state"] for f in findings(tmp_path / "one")[1].values()} == {"persisting"}
