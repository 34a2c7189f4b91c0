"""Where posthoc is started does not matter: little memory, no docstrings, a hostile working directory, a CI service."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.cli.stdio import harmless
from analyzer.model.formatting import counted
from analyzer.writers.phrases import cell
from tests.readers.tensorboard.records import VERSION, record, scalar

ROOT = Path(__file__).parents[1]
COMMANDS = ("::error::boo", "##[error]x", "##vso[task.setvariable variable=x]y", "a::b", "## c")


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs" / "a"
    folder.mkdir(parents=True)
    records = [record(scalar(tag, step, 1 / (step + 1))) for step in range(20) for tag in ("loss", *COMMANDS)]
    (folder / "events.out.tfevents.1").write_bytes(VERSION + b"".join(records))
    return tmp_path / "logs"


def run(*words, cwd=None, limit=None, **variables):
    start = [sys.executable, "-m", "analyzer", *map(str, words)]
    if limit is not None:
        start = ["sh", "-c", f'ulimit -v {limit}; exec "$@"', "sh", *start]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(start, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=120)


@pytest.mark.integration
def test_nothing_is_imported_from_the_working_directory(logs, tmp_path):
    for name in ("numpy", "scipy", "jinja2", "argparse", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the working directory')")
    done = run("audit", logs, "-o", tmp_path / "site", "--jobs", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("level", ["1", "2"])
def test_an_optimised_python_judges_and_explains_the_same(logs, tmp_path, level):
    done = run("audit", logs, "-o", tmp_path / "site", PYTHONOPTIMIZE=level)
    assert done.returncode == 0, done.stderr
    assert run("explain", "plateau", PYTHONOPTIMIZE=level).stdout == run("explain", "plateau").stdout != ""


@pytest.mark.integration
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of the address space")
@pytest.mark.parametrize("limit", [60_000, 160_000, 250_000])
@pytest.mark.parametrize("verb", ["audit", "series", "compare"])
def test_little_memory_is_one_sentence(logs, tmp_path, limit, verb):
    done = run(verb, logs, *([logs] if verb == "compare" else []), cwd=tmp_path, limit=limit)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "too little memory" in done.stderr


def test_memory_that_runs_out_on_the_way_is_one_sentence(logs, capsys, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("analyzer.api.understood", full)
    assert main(["series", str(logs)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("verb", ["series", "dump", "doctor", "brief"])
def test_no_line_is_a_command_to_a_ci_service(logs, capsys, verb):
    main([verb, str(logs)])
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert lines and not any(line.lstrip().startswith("::") or "##[" in line or "##vso[" in line for line in lines)
    if verb == "dump":
        assert {point[0] for point in json.loads(said.out)["points"]} == {"loss", *COMMANDS}


def test_texts_without_a_command_stay_as_they_are():
    for text in ("a::b", "x ::y", "## c", "# [x]", counted(2, "run"), "std::vector\n  a::b"):
        assert harmless(text) == text
    assert harmless("a\n  ::error::x") == "a\n  \\u003a:error::x"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_a_pipe_that_nobody_reads_is_named_and_one_that_is_read_is_written(logs, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = ["audit", str(logs), "-o", str(tmp_path / "site"), "--markdown", str(pipe)]
    assert main(words) == 2
    assert "is a pipe that nobody reads" in capsys.readouterr().err
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        handle = os.open(pipe, os.O_WRONLY)  # waits for the reader
        assert main(words) == 0
        os.close(handle)
        assert b"1 run" in reader.communicate(timeout=60)[0]


@pytest.mark.parametrize("text", ["=1+1", "-1", "@x", "+1", "a;=1+1", 'a; "=cmd()"', "a;b;@x"])
def test_a_cell_is_no_formula_whatever_divides_cells(text):
    assert "'" in cell(text)
    assert not any(part.lstrip(' "').startswith(("=", "+", "-", "@")) for part in cell(text).split(";"))


def test_a_cell_without_a_formula_stays_as_it_is():
    assert cell("a; b = c") == "a; b = c"
