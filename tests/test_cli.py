"""The command: verbs, exit codes, where output goes, and a clear sentence for every mistake."""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer import api
from analyzer.cli import main
from analyzer.features import RunFeatures

ROOT = Path(__file__).parents[1]


def write(folder, values, tag="loss"):
    with SummaryWriter(str(folder)) as writer:
        for i, value in enumerate(values):
            writer.add_scalar(tag, float(value), i)


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    fall = 0.2 + 2.0 * np.exp(-np.arange(300) / 60) * (1 + 0.05 * np.random.default_rng(1).normal(size=300))
    write(root / "good", fall)
    write(root / "sick", np.where(np.arange(300) >= 200, np.nan, fall))
    write(root / "short", [2.0, 1.9])
    return root


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(capsys, *words):
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_report_writes_one_page_and_says_where(capsys, logs, tmp_path):
    code, out, err = call(capsys, "report", logs / "sick")
    assert (code, err) == (1, "")
    assert "NaN" in out and f"Report: {(tmp_path / 'posthoc-report.html').as_uri()}" in out
    assert (tmp_path / "posthoc-report.html").read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["posthoc-report.html"]


def test_the_gate_decides_between_zero_and_one(capsys, logs):
    assert call(capsys, "report", logs / "sick", "--fail-on", "never")[0] == 0
    assert call(capsys, "report", logs / "good", "--fail-on", "error")[0] == 0
    assert call(capsys, "report", logs / "sick", "--fail-on=info", "-q")[:2] == (1, "")
    Path("posthoc.toml").write_text('fail-on = "never"')
    assert call(capsys, "report", logs / "sick")[0] == 0
    assert call(capsys, "report", logs / "sick", "--fail-on", "error")[0] == 1


def test_an_unjudged_run_makes_a_page_and_two(capsys, logs, tmp_path):
    code, out, _ = call(capsys, "report", logs / "short", "-o", "page.html")
    assert code == 2 and out.startswith("?") and (tmp_path / "page.html").is_file()


def test_a_source_of_several_runs_names_them(capsys, logs, tmp_path):
    code, out, err = call(capsys, "report", logs)
    assert (code, out) == (2, "")
    assert "3 runs; choose one with --run, or use posthoc audit" in err and err.endswith("  good\n  short\n  sick\n")
    assert list(tmp_path.iterdir()) == []
    assert call(capsys, "report", logs, "--run", "good")[0] == 0
    assert "did you mean 'good'?" in call(capsys, "report", logs, "--run", "goood")[2]


def test_json_goes_to_a_file_or_to_standard_output(capsys, logs, tmp_path):
    code, out, err = call(capsys, "report", logs / "sick", "--json", "-")
    document = json.loads(out)
    assert code == 1 and document["schema"] == "posthoc/1" and "NaN" in err
    assert document["counts"]["discovered"] == len(document["runs"]) == 1
    call(capsys, "report", logs / "sick", "--json", "deep/result.json")
    assert json.loads((tmp_path / "deep" / "result.json").read_text("utf-8")) == document


def test_audit_writes_a_site_and_passes_by_default(capsys, logs, tmp_path):
    code, out, _ = call(capsys, "audit", logs)
    assert code == 0 and out.startswith("3 runs: ") and "Index: file://" in out
    document = json.loads((tmp_path / "posthoc-site" / "findings.json").read_text("utf-8"))
    assert [run["run"] for run in document["runs"]] == ["good", "short", "sick"]
    assert sum(v for k, v in document["counts"].items() if k != "discovered") == document["counts"]["discovered"] == 3
    assert len(list((tmp_path / "posthoc-site" / "runs").iterdir())) == 3
    assert call(capsys, "audit", logs, "--fail-on", "error", "-q")[:2] == (1, "")


def test_audit_refuses_a_folder_that_is_not_its_own(capsys, logs, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    code, _, err = call(capsys, "audit", logs, "-o", "mine")
    assert code == 2 and "mine is not empty and no posthoc site" in err


def test_audit_of_several_sources_goes_on_without_an_absent_one(capsys, logs):
    code, out, err = call(capsys, "audit", logs / "good", logs / "absent")
    assert code == 2 and "absent: does not exist" in err and out.startswith("1 run: ")
    code, out, err = call(capsys, "audit", "absent")
    assert (code, out) == (2, "") and "does not exist" in err


def test_a_log_is_never_replaced_by_a_page(capsys, logs, tmp_path):
    copy = Path(shutil.copytree(logs / "sick", tmp_path / "copy"))
    event = next(copy.iterdir())
    before = event.read_bytes()
    (copy / "notes.txt").write_text("mine")
    (tmp_path / "link").hardlink_to(event)
    for words in (["report", event, "-o", event], ["report", copy, "--json", event], ["audit", copy, "--json", event],
                  ["report", copy, "-o", tmp_path / "link"], ["report", logs / "good", "-o", event],
                  ["report", copy, "-o", copy / "notes.txt"]):  # fmt: skip
        code, out, err = call(capsys, *words)
        assert (code, out) == (2, "") and "give another name" in err and err.count("\n") == 1
    assert event.read_bytes() == before and (copy / "notes.txt").read_text() == "mine"
    for _ in range(2):  # its own page and document it may write again, wherever they are
        assert call(capsys, "report", copy, "-o", copy / "page.html", "--json", copy / "r.json", "-q")[0] == 1
        assert call(capsys, "audit", copy, "-o", copy / "site", "-q")[0] == 0


def test_what_lies_beside_a_database_belongs_to_it(capsys, tmp_path):
    with closing(sqlite3.connect(tmp_path / "m.db")) as database:
        database.executescript("create table runs (x)")
    for name in ("m.db-wal", "m.db"):
        (tmp_path / name).touch()
        for source in ("m.db", "sqlite:///m.db"):
            code, _, err = call(capsys, "report", source, "-o", name)
            assert code == 2 and "is the source itself" in err


def test_two_outputs_of_one_name_are_a_mistake(capsys, logs):
    for words in (["report", logs / "good", "-o", "x.html", "--json", "./x.html"],
                  ["audit", logs / "good", "-o", "site", "--json", "site/index.html"]):  # fmt: skip
        code, _, err = call(capsys, *words)
        assert code == 2 and "--json and -o both write" in err
    assert not Path("x.html").exists()


def test_series_tells_how_tags_are_understood(capsys, logs):
    code, out, _ = call(capsys, "series", logs / "good")
    assert code == 0 and "loss" in out and "300" in out
    code, out, _ = call(capsys, "series", logs, "--run", "good", "--role", "loss=metric:test:higher")
    assert code == 0 and "metric" in out and "test" in out and "sick" not in out


def test_series_exits_with_2_where_nothing_could_be_read(capsys, tmp_path):
    junk = tmp_path / "junk" / "events.out.tfevents.1.h"
    junk.parent.mkdir()
    junk.write_bytes(b"\xff" * 3000)
    code, out, _ = call(capsys, "series", junk)
    assert code == 2 and "no scalar series" in out and "damaged throughout" in out
    assert call(capsys, "dump", junk)[0] == 2
    write(tmp_path / "whole", [1.0, 0.5])
    assert call(capsys, "series", tmp_path)[0] == 0


def test_series_tells_the_others_when_one_run_makes_it_fail(capsys, logs, monkeypatch):
    def failing(run, roles):
        if run.id == "good":
            raise ZeroDivisionError("at http://me:hunter2@h/")
        return RunFeatures(run, roles)

    monkeypatch.setattr(api, "RunFeatures", failing)
    code, out, _ = call(capsys, "series", logs)
    assert code == 0 and "its tags could not be understood (ZeroDivisionError" in out and "hunter2" not in out
    assert out.count("300") == 2 and "“loss”" in out.partition("sick")[2]


def test_dump_prints_every_point(capsys, logs):
    code, out, _ = call(capsys, "dump", logs / "sick")
    document = json.loads(out)
    assert code == 0 and len(document["points"]) == 300 and document["problems"] == []
    assert document["points"][0][:2] == ["loss", 0] and document["points"][250] == ["loss", 250, "NaN", "sick"]
    code, out, _ = call(capsys, "dump", "absent")
    assert code == 2 and json.loads(out)["points"] == [] and "does not exist" in json.loads(out)["problems"][0]


def test_explain_lists_and_tells(capsys):
    code, out, _ = call(capsys, "explain")
    assert code == 0 and "overfitting" in out
    code, out, _ = call(capsys, "explain", "overfitting")
    assert code == 0 and "Why it matters" in out and "[limits.overfitting] in posthoc.toml" in out
    assert call(capsys, "explain", "overfiting")[2].endswith("did you mean 'overfitting'?\n")


@pytest.mark.parametrize("symptom", ["damaged-log", "unreadable-log", "detector-failed"])
def test_what_no_detector_finds_is_explained_and_ignored_like_the_rest(capsys, logs, tmp_path, symptom):
    code, out, _ = call(capsys, "explain", symptom)
    assert (
        code == 0 and out.startswith(f"{symptom}: ") and "What to do" in out and symptom in call(capsys, "explain")[1]
    )
    damaged = Path(shutil.copytree(logs / "good", tmp_path / "damaged"))
    event = next(damaged.iterdir())
    event.write_bytes(event.read_bytes()[:9000] + b"!" + event.read_bytes()[9001:])
    assert call(capsys, "report", damaged, "--fail-on", "warning")[0] == 1
    ignored = call(capsys, "report", damaged, "--fail-on", "warning", "--ignore", symptom)[0]
    assert ignored == (0 if symptom == "damaged-log" else 1)
    assert call(capsys, "report", damaged, "--select", f"{symptom},plateau")[0] in (0, 2)


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_is_at_hand(capsys, words):
    code, out, err = call(capsys, *words)
    assert (code, err) == (0, "") and "posthoc report SOURCE" in out


@pytest.mark.parametrize("verb", ["report", "audit", "series", "dump", "explain"])
def test_each_verb_explains_itself(capsys, verb):
    code, out, _ = call(capsys, "help", verb)
    assert code == 0 and out == call(capsys, verb, "--help")[1] and "(default" not in out.replace("(default ", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reprot", "x"], "unknown command 'reprot', and no such file; did you mean 'report'?"),
        (["xyzzy"], "commands are report, audit, compare, history, series, dump, explain"),
        (["."], "posthoc report . (one run), or posthoc audit . (many)"),
        (["sqlite:///mlflow.db"], "posthoc report sqlite:///mlflow.db (one run)"),
        (["--jobs", "3"], "unknown option --jobs; options follow the command"),
        (["report"], "the following arguments are required: SOURCE; see posthoc report --help"),
        (["report", "x", "--selct", "y"], "report has no option --selct; did you mean '--select'?"),
        (["audit", "x", "--statee", "s.db"], "audit has no option --statee; did you mean '--state'?"),
        (["report", "x", "y"], "report has no use for 'y'; to judge several sources use posthoc audit"),
        (["report", "x", "--fail-on", "fatal"], "invalid choice: 'fatal'"),
        (["report", "x", "--select", "overfiting"], "unknown symptom 'overfiting'; did you mean 'overfitting'?"),
        (["report", "x", "--select", ""], "argument --select: no symptom is named"),
        (["report", "x", "--ignore", " ,"], "argument --ignore: no symptom is named"),
        (["audit", "x", "--experiment", ""], "argument --experiment: no experiment is named; leave the option out"),
        (["series", "x", "--filter", " "], "argument --filter: it is empty; leave the option out for all runs"),
        (["audit", ".", "--filter", "a < 1"], "to nothing else; leave it out here, or give --experiment"),
        (["report", "x", "--role", "loss"], "--role 'loss' is not TAG=ROLE"),
        (["report", "x", "-q", "-v"], "not allowed with argument"),
        (["report", "x", "--config", "absent.toml"], "absent.toml cannot be read"),
        (["help", "me"], "unknown command 'me'"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_two(capsys, words, said):
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1 and err.startswith("posthoc: ")


def test_settings_inside_the_source_are_not_looked_at(capsys, logs, tmp_path):
    source = tmp_path / "logs"
    source.mkdir()
    (source / "run").symlink_to(logs / "sick")
    (source / "posthoc.toml").write_text("this is = no TOML [")
    assert call(capsys, "audit", logs / "sick", "-o", "site")[0] == 0


@pytest.mark.parametrize(
    ("name", "text"), [("posthoc.toml", 'fail-on = "never"'), ("pyproject.toml", '[tool.posthoc]\nfail-on = "never"')]
)
def test_a_settings_file_inside_the_source_is_obeyed_only_when_it_is_named(capsys, logs, tmp_path, name, text):
    here = tmp_path / "here"
    shutil.copytree(logs / "sick", here / "sub" / "run")
    for folder, source in ((here, "."), (here, here), (here / "sub", ".."), (here / "sub", "../../here")):
        (folder / name).write_text(text)
        os.chdir(folder)
        code, _, err = call(capsys, "report", source, "-o", tmp_path / "x.html")
        assert code == 1
        assert err == f"posthoc: {name} lies inside the source and is not obeyed; if it is yours, add --config {name}\n"
        assert call(capsys, "report", source, "-o", tmp_path / "x.html", "--config", name)[::2] == (0, "")
        (folder / name).unlink()
    os.chdir(here)
    (here / name).write_text(text)
    assert call(capsys, "report", "sub/run", "-o", tmp_path / "x.html")[::2] == (0, "")
    (here / "pyproject.toml").write_text("[project]\nname = 'x'")
    (here / "posthoc.toml").unlink(missing_ok=True)
    assert call(capsys, "report", ".", "-o", tmp_path / "x.html")[::2] == (1, "")


def test_a_role_for_a_tag_that_no_run_has_is_told(capsys, logs):
    for verb in ("report", "audit", "series"):
        code, _, err = call(capsys, verb, logs / "good", "--role", "los=metric", "--role", "loss=loss")
        assert code == 0 and err == "posthoc: --role: no run has the tag 'los'; did you mean 'loss'?\n"


def test_a_fault_of_ours_is_told_as_one(capsys, logs, monkeypatch):
    monkeypatch.setattr("analyzer.api.report", lambda *a, **k: 1 / 0)
    code, _, err = call(capsys, "report", logs / "good")
    assert code == 2 and "this is a fault in posthoc itself" in err


def process(*words, **more):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "analyzer", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True, **more)


def test_a_reader_of_the_pipe_may_leave(logs):
    dump = process("dump", logs / "good")
    dump.stdout.close()
    assert dump.wait(30) == 141 and dump.stderr.read() == ""
    dump.stderr.close()


def shell(line, cwd=None):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "POSTHOC": f"{sys.executable} -m analyzer"}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, cwd=cwd, check=False)
    return done.returncode, done.stdout, done.stderr


FULL = "posthoc: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    "words", ["--version", "help", "report --help", "explain", "report good --json -", "dump good"]
)
def test_a_standard_output_that_takes_nothing_is_told_and_two(logs, words):
    words = words.replace("good", f"{logs}/good")
    assert shell(f"$POSTHOC {words} > /dev/full") in [(2, "", FULL), (2, "", FULL + FULL)]
    code, _, err = shell(f"$POSTHOC {words} >&-")
    assert (
        code == 2 and err.startswith("posthoc: standard output cannot be written: it is closed") and "Trace" not in err
    )
    assert shell(f"$POSTHOC {words} > /dev/full 2>&-")[0] == shell(f"$POSTHOC {words} >&- 2> /dev/full")[0] == 2


def test_a_standard_error_that_takes_nothing_changes_no_code(logs):
    for closed in ("2>&-", "2> /dev/full"):
        assert shell(f"$POSTHOC report {logs}/good {closed}")[0] == 0
        assert shell(f"$POSTHOC report {logs}/sick {closed}")[0] == 1
        assert shell(f"$POSTHOC report absent {closed}")[:2] == (2, "")


def test_json_into_a_pipe_that_nobody_reads_keeps_the_gates_code(logs):
    for words in ("", "--json -"):
        code, _, err = shell(f"$POSTHOC report {logs}/sick {words} | true; exit ${{PIPESTATUS[0]}}")
        assert code == 1 and "Trace" not in err


def test_a_working_directory_that_is_gone_is_told(logs, tmp_path):
    for words in (f"report {logs}/good", "audit .", "series .", "dump ."):
        code, _, err = shell(f"mkdir gone && cd gone && rmdir ../gone && $POSTHOC {words}", cwd=tmp_path)
        assert (
            code == 2 and err == "posthoc: the working directory does not exist any more; change to another one first\n"
        )
    assert shell("mkdir gone && cd gone && rmdir ../gone && $POSTHOC explain plateau", cwd=tmp_path)[0] == 0


def test_a_name_that_is_too_long_for_a_file_is_a_mistake_like_others(capsys, logs):
    for words in (["a" * 300], ["report", "a" * 300], ["report", logs / "good", "-o", "a" * 300],
                  ["report", logs / "good", "--json", "a" * 300], ["audit", logs / "good", "-o", "a" * 300],
                  ["report", logs / "good", "--config", "a" * 300]):  # fmt: skip
        code, out, err = call(capsys, *words)
        assert (code, out) == (2, "") and err.count("\n") == 1 and err.startswith("posthoc: ")


URI = "http://me:hunter2@host/x?token=hunter2"


@pytest.mark.parametrize(
    "words", [[URI], ["report", URI], ["report", "x", URI], ["audit", URI, "x"], ["series", URI], ["explain", URI],
              ["report", "x", "--run", URI], ["report", ".", "--json", "-", "--run", URI], ["help", URI],
              [f"--u={URI}"], ["report", "x", "--fail-on", URI], ["report", "x", "--select", URI],
              ["report", "x", "--role", f"{URI}=y"],
              ["report", "x", "--config", URI], ["report", "runs:/1", "--tracking-uri", URI], ["dump", URI]],
)  # fmt: skip
def test_no_message_repeats_a_password(capsys, words):
    code, out, err = call(capsys, *words)
    assert code == 2 and "hunter2" not in out + err


WAITS = """
import sys, time
import analyzer.cli.parser as words

def parsed(argv):
    print("ready", flush=True)
    time.sleep(60)

words.parsed = parsed
sys.exit(__import__("analyzer.cli").cli.main(["dump", "x"]))
"""


def test_interrupting_is_one_sentence():
    waiting = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert waiting.stdout.readline() == "ready\n"
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert err == "\nposthoc: interrupted; what was written so far is whole\n"


def test_output_in_a_pipe_is_plain(logs, tmp_path):
    audit = process("audit", logs, "-o", tmp_path / "site")
    out, err = audit.communicate(timeout=60)
    assert audit.returncode == 0 and "\x1b" not in out + err and err == ""


def test_help_starts_fast():
    def seconds(command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # in turns, and the least processor time of several: a busy machine makes neither much dearer
    turns = [
        (seconds([sys.executable, "-c", "pass"]), seconds([sys.executable, "-m", "analyzer", "--help"]))
        for _ in range(8)
    ]
    bare, ours = (min(times) for times in zip(*turns, strict=True))
    assert ours < 3 * bare
    code = "import sys, analyzer.cli; sys.exit(any(m in sys.modules for m in ('numpy', 'jinja2', 'rich', 'scipy')))"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)


def test_symptoms_are_known_in_capitals_too(capsys, logs):
    assert call(capsys, "explain", "Overfitting")[1] == call(capsys, "explain", "overfitting")[1]
    assert call(capsys, "report", logs / "sick", "--select", "Non-Finite", "-q")[0] == 1


def test_force_color_colours_a_pipe_and_no_color_wins(capsys, logs, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in call(capsys, "report", logs / "good")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in call(capsys, "report", logs / "good")[1]


def test_a_title_stands_on_the_page_and_in_the_command_that_makes_it_again(capsys, logs, tmp_path):
    call(capsys, "report", logs / "sick", "-o", "a.html", "--title", "Broken run")
    page = Path("a.html").read_text("utf-8")
    assert "<h1>Broken run</h1>" in page and "<title>Broken run: problems" in page
    assert "--title &#39;Broken run&#39;" in page
    call(capsys, "audit", logs, "-o", "site", "--title", "Nightly")
    assert "<h1>Nightly</h1>" in Path("site/index.html").read_text("utf-8")
    call(capsys, "audit", logs, "-o", "site")
    index = Path("site/index.html").read_text("utf-8")
    head = index[: index.index("<main")]
    assert str(logs) not in head and f"{logs.parent.name}/{logs.name}" in head
