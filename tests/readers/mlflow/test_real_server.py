"""A real tracking server with a login, over sqlite and over PostgreSQL: real autologs read, judged, handed back."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze, audit
from analyzer.auditing.write_back import WriteBack
from analyzer.cli import main
from analyzer.errors import SourceError
from analyzer.readers import Choice, discover, open_source
from examples import mlflow_walkthrough
from tests.readers.mlflow.peers import QUIET, asked, compare
from tests.readers.mlflow.servers import tracking_server

pytestmark = pytest.mark.xdist_group("mlflow")  # one server for all of them
HERE = Path(__file__).parent
USER, PASSWORD = "admin", "s3cret-of-the-admin"
LOGIN = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
LOGGED = Choice(("autologs",))


class Real:
    """A running server: where it is, and how MLflow's own Python talks to it."""

    def __init__(self, python, address, store):
        self.python, self.address, self.store = python, address, store

    def run(self, *words):
        """Return what a script printed as JSON at the end."""
        environment = os.environ | LOGIN | QUIET | {"MLFLOW_TRACKING_URI": self.address}
        done = subprocess.run(
            [self.python, *map(str, words)], check=False, env=environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def both(request, mlflow_python, tmp_path_factory):
    """Yield, by kind of store, a server with basic authentication and the runs logged through it, begun at once."""
    stores = {"sqlite": f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"}
    with suppress(pytest.skip.Exception):
        stores["postgresql"] = request.getfixturevalue("postgres")()

    def begun(kind):
        place = tmp_path_factory.mktemp("server")
        address = ending.enter_context(protected(mlflow_python, stores[kind], place))
        real = Real(mlflow_python, address, stores[kind])
        libraries = ("sklearn", "xgboost", "lightgbm") if kind == list(stores)[-1] else ()
        return real, real.run(HERE / "autologged.py", "by_hand", *libraries)

    with ExitStack() as ending, ThreadPoolExecutor(2) as pool:
        yield dict(zip(stores, pool.map(begun, stores), strict=True))


def protected(python, store, place):
    """Return the context of a server with basic authentication over a store."""
    ini = f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{place}/auth.db\nadmin_username = {USER}\n"
    (place / "auth.ini").write_text(
        ini + f"admin_password = {PASSWORD}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 600\n"  # or every question costs the hashing of the password
    )
    variables = {
        "MLFLOW_AUTH_CONFIG_PATH": str(place / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of-the-tests",
    }
    return tracking_server(python, store, place, "--app-name", "basic-auth", "--workers", "1", **variables)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def logged(request, both):
    """Return a server and the ids of its runs."""
    if request.param not in both:
        pytest.skip("PostgreSQL is not here")
    return both[request.param]


@pytest.fixture
def real(logged):
    return logged[0]


@pytest.fixture
def ids(logged):
    return logged[1]


@pytest.fixture
def autologged(both):
    """Return the server that all libraries logged to, and the ids."""
    return list(both.values())[-1]


@pytest.fixture
def signed_in(monkeypatch):
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)


def test_without_the_login_nothing_is_given(real, ids, monkeypatch):
    with pytest.raises(SourceError, match="401, it wants a login"):
        discover(real.address)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong-password")
    with pytest.raises(SourceError, match=r"401, the login in .* is not accepted") as told:
        discover(real.address)
    assert "wrong-password" not in str(told.value)


def test_server_and_database_give_the_same_points(real, ids, signed_in):
    over_http = {run.id: run for run in open_source(real.address, choice=LOGGED)}
    direct = {run.id: run for run in open_source(real.store, choice=LOGGED)}
    assert set(over_http) == set(direct) == set(ids.values())
    for key, run in over_http.items():
        same = direct[key]
        assert (run.name, run.declared, run.params) == (same.name, same.declared, same.params)
        assert (dict(run.tags), run.notes) == (dict(same.tags), same.notes)
        assert set(run.series) == set(same.series)
        for tag, one in run.series.items():
            for column in ("steps", "values", "wall_times"):
                np.testing.assert_array_equal(getattr(one, column), getattr(same.series[tag], column))


def test_what_mlflow_knows_comes_along(real, ids, signed_in):
    runs = {run.id: run for run in open_source(real.address, choice=LOGGED)}
    child, parent = runs[ids["child"]], runs[ids["by_hand"]]
    assert child.tags["mlflow.parentRunId"] == parent.id
    assert child.experiment == "autologs"
    assert parent.tags["mlflow.datasets"].startswith("made (training, ")
    assert (child.declared, child.params["api_key"]) == ("FAILED", "***")
    rows = {row.tag: row.role for row in analyze(child).series}
    assert rows["system/cpu_utilization_percentage"] == "system"
    found = open_source(real.address, choice=Choice(("autologs",), filter="attributes.status = 'FAILED'"))
    assert [run.id for run in found] == [child.id]


ROLES = {
    "xgboost": {"train-logloss": ("loss", "train"), "validation-logloss": ("loss", "validation")},
    "lightgbm": {"training-binary_logloss": ("loss", "train"), "valid_0-binary_logloss": ("loss", "validation")},
}


@pytest.mark.parametrize("library", ROLES)
def test_autologged_boosting_has_its_roles_and_no_false_jump(autologged, signed_in, library):
    real, ids = autologged
    (run,) = open_source(f"runs:/{ids[library]}", tracking_uri=real.address)
    result = analyze(run)
    rows = {row.tag: (row.role, row.split) for row in result.series}
    assert rows.items() >= ROLES[library].items()
    assert not {f.symptom for f in result.findings} & {"loss-spike", "exploding-loss"}


def test_autologged_sklearn_is_unjudged_and_says_why(autologged, signed_in):
    real, ids = autologged
    (run,) = open_source(real.address, run=ids["sklearn"])
    assert all(series.points == 1 for series in run.series.values())
    result = analyze(run)
    assert result.verdict == "unjudged" and not result.findings


def test_random_runs_come_back_as_mlflow_reads_them(real, ids, signed_in):
    theirs = asked(real.python, "log_and_read", real.address, 11, 8)
    theirs = {key: run for key, run in theirs.items() if run["experiment"].startswith(("random", "deleted"))}
    compare(theirs, real.address)
    compare(theirs, real.store)


def test_verdicts_are_found_by_mlflows_own_search(real, ids, signed_in, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        back = WriteBack()
        audit([real.address], "site", write_back=back, choice=LOGGED)
        assert (back.written, back.shortfalls, back.failures) == (len(ids), [], [])
    (found,) = mlflow_walkthrough.found(real.address)
    assert found["info"]["run_id"] == ids["child"]
    assert main(["report", f"{real.address}/#/experiments/1/runs/{ids['child']}", "--fail-on", "never"]) == 0
    assert PASSWORD not in "".join(p.read_text() for p in tmp_path.rglob("*.html"))
    capsys.readouterr()
    assert mlflow_walkthrough.shown(real.address) == 1  # the page comes back from the server
    said = capsys.readouterr().out
    assert ids["child"] in said and "posthoc.verdict = problems, posthoc.symptoms = non-finite" in said
