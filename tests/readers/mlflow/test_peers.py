"""MLflow itself as the measure: random runs that it logs, and every schema that its databases have ever had."""

import json
import os
import subprocess

import numpy as np
import pytest

from analyzer.readers import VerdictPayload, discover, open_source
from tests.readers.mlflow.peers import PEER, QUIET, asked, compare

pytestmark = pytest.mark.xdist_group("mlflow")
RUN = "a" * 32
WORD = VerdictPayload("problems", ("plateau", "non-finite"), "<!doctype html>page")


@pytest.fixture(params=["sqlite", "files"])
def uri(request, tmp_path):
    return f"sqlite:///{tmp_path}/mlflow.db" if request.param == "sqlite" else f"file:{tmp_path}/mlruns"


def test_random_runs_come_back_as_mlflow_reads_them_and_its_tags_are_ours(mlflow_python, uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MLflow keeps artifacts beside a database
    asked(mlflow_python, "log", uri, 7, 14)
    source = uri.removeprefix("file:")
    for word in (VerdictPayload("healthy", (), "<!doctype html>other"), WORD):
        assert [ref.write_back(word) for ref in discover(source)] == [None] * len(discover(source).refs)
    theirs = asked(mlflow_python, "read", uri)
    compare(theirs, source)
    for ref in discover(source):
        run = theirs[ref.id]
        assert (run["tags"]["posthoc.verdict"], run["tags"]["posthoc.symptoms"]) == ("problems", "plateau,non-finite")
        assert run["artifacts"] == ["posthoc/report.html"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_every_schema_there_has_been_is_read(mlflow_python, kind, tmp_path, request):
    uri = f"sqlite:///{tmp_path}/mlflow.db" if kind == "sqlite" else request.getfixturevalue("postgres")()
    words = [mlflow_python, str(PEER), "grow", uri.replace("postgresql:", "postgresql+psycopg:")]
    grown = subprocess.Popen(
        words, env=os.environ | QUIET, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    count, later = 0, []
    assert grown.stdin is not None and grown.stdout is not None and grown.stderr is not None
    with grown:
        for line in grown.stdout:
            revision, columns = json.loads(line)
            check(revision, uri, later)
            if {"step", "is_nan"} <= set(columns):
                later.append(count % 2 == 1)
            count += 1
            grown.stdin.write("\n")
            grown.stdin.flush()
        said = grown.stderr.read()
    assert grown.returncode == 0, said[-2000:]
    assert count > 40 and len(later) > 20


def check(revision, uri, later):
    forget()
    (run,) = open_source(uri)
    assert (run.id, run.name, run.declared, run.experiment) == (RUN, "brisk-owl", "FINISHED", "old"), revision
    assert (dict(run.params), run.notes) == ({"lr": "0.1"}, ()), revision
    loss = run.series["loss"]
    assert (loss.values.tolist(), loss.steps.tolist(), loss.wall_times.tolist()) == ([0.5, 0.25], [0, 0], [2.0, 3.0])
    if later:
        wanted = [np.nan if nan else 0.125 for nan in later]
        np.testing.assert_array_equal(run.series["later"].values, wanted, revision)
        assert run.series["later"].steps.tolist() == [2 + i for i in range(len(later))]


def forget():
    """Let go of the engine, which knows the columns of the schema before."""
    try:
        from analyzer.readers.mlflow import sql
    except ImportError:
        return
    sql.engine_of.cache_clear()
