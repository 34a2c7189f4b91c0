"""A tracking server is read whole or named at fault: bounded time, one sentence, no secret shown, nothing followed."""

import json
import re
import ssl
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

from analyzer import audit
from analyzer.auditing.pipeline import Plan
from analyzer.errors import NoRunsError, SourceError, UsageError
from analyzer.model.summary import experiment
from analyzer.readers import Choice, discover, open_source
from analyzer.readers.mlflow import server
from analyzer.readers.mlflow.rest import Limits
from tests.readers.mlflow import fake as fakes
from tests.readers.mlflow.fake import RUN, Fake, closing, drip, points, raw, run_json, send, serving, silent, times
from tests.readers.mlflow.fake import status as answers

QUICK = Limits(answer=30.0, whole=120.0, attempts=3, pause=0.01, size=1 << 20, pages=50)
IMPATIENT = replace(QUICK, answer=0.6, body=0.6)  # a healthy answer has to come within it on a busy machine
SOON = 60.0  # seconds that a busy machine may take for what ends at all
HISTORY = "metrics/get-history"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(server, "LIMITS", QUICK)
    for name in ("URI", "TOKEN", "USERNAME", "PASSWORD", "INSECURE_TLS", "SERVER_CERT_PATH", "CLIENT_CERT_PATH"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)


@pytest.fixture
def fake():
    return Fake()


@pytest.fixture
def address(fake):
    with serving(fake) as place:
        yield place


def test_a_run_comes_with_all_that_the_server_knows(fake, address):
    fake.runs[RUN] = run_json(status="RUNNING", **{"mlflow.parentRunId": "p" * 32})
    (run,) = open_source(address)
    assert (run.id, run.name, run.declared, run.source) == (RUN, "name of 0123", "RUNNING", "mlflow")
    assert dict(run.params) == {"lr": "0.1", "api_key": "***"}
    assert run.tags["mlflow.parentRunId"] == "p" * 32
    assert run.experiment == "vision"
    assert run.tags["mlflow.datasets"] == "iris (training, abc)"
    assert run.location == f"{address}/#/experiments/1/runs/{RUN}"
    loss = run.series["loss"]
    assert (loss.steps.tolist(), loss.values.tolist(), loss.wall_times.tolist()) == (
        [0, 1, 2],
        [1.0, 0.5, 0.25],
        [1.0, 2.0, 3.0],
    )


def test_every_page_is_fetched_with_its_size_named(fake, address):
    fake.page = 2
    fake.runs = {f"{i:032d}": run_json(f"{i:032d}", start=9 - i) for i in range(5)}
    fake.histories["loss"] = points(range(7))
    runs = list(open_source(address))
    assert [run.id for run in runs] == [f"{i:032d}" for i in (4, 3, 2, 1, 0)]  # by their start
    assert all(run.series["loss"].values.tolist() == list(range(7)) for run in runs)
    assert all("max_results" in a for _, path, a, _ in fake.asked if path.endswith(("search", "get-history")))


def test_values_that_are_no_numbers_to_json_are_kept(fake, address):
    fake.histories["loss"] = points(["NaN", "Infinity", "-Infinity", 1e-3, float("nan"), 1.7976931348623157e308])
    (run,) = open_source(address)
    np.testing.assert_array_equal(run.series["loss"].values, [np.nan, np.inf, -np.inf, 1e-3, np.nan, np.inf])


@pytest.mark.parametrize(
    "odd", [{}, {"value": "x"}, {"step": 1.5}, {"timestamp": None}, {"value": True}, {"timestamp": 2**70}, "text", 3]
)
def test_a_point_that_is_none_costs_itself_and_is_named(fake, address, odd):
    good = points([1.0, 0.5])
    wrong = {"key": "loss", "value": 2.0, "timestamp": 1, "step": 0} | odd if odd and isinstance(odd, dict) else odd
    fake.histories["loss"] = [good[0], wrong, good[1]]
    (run,) = open_source(address)
    assert run.series["loss"].values.tolist() == [1.0, 0.5]
    assert [n.kind for n in run.notes] == ["damage"]


def test_a_long_number_written_as_text_is_one(fake, address):
    fake.histories["loss"] = [{"value": 1, "timestamp": "5000", "step": "7"}, {"value": 2, "timestamp": 6000}]
    (run,) = open_source(address)
    assert (run.series["loss"].steps.tolist(), run.series["loss"].wall_times.tolist()) == ([7, 0], [5.0, 6.0])


def test_metric_names_are_asked_for_as_they_are(fake, address):
    name = "a b/ö&c=d+%41?#"
    fake.runs[RUN] = run_json(metrics=("loss", name))
    fake.histories[name] = points([3.0], name)
    (run,) = open_source(address)
    assert run.series[name].values.tolist() == [3.0]


def endless(handler, asked):
    at = int((asked or {}).get("page_token") or 0)
    send(handler, 200, {"metrics": points([float(at)]), "next_page_token": str(at + 1)})


def round_and_round(handler, asked):
    send(handler, 200, {"metrics": points([1.0]), "next_page_token": "again"})


REDIRECT = answers(302, Location="http://hunter2@evil.invalid:8443/login?state=hunter2")
FAULTS = {
    "silent": (silent(1.0), "no whole answer within 0.6 s"),
    "dripping": (drip(), "no whole answer within 0.6 s of its beginning .asked once"),
    "dripping without a length": (drip(length=False), "no whole answer within 0.6 s of its beginning .asked once"),
    "dripping headers": (drip(head=True), "no whole answer within 0.6 s .asked 2 times"),
    "closes": (closing, "closed the connection"),
    "401": (answers(401), "401, it wants a login; set MLFLOW_TRACKING_USERNAME"),
    "403": (answers(403, "Permission denied"), "403, this login may not do that.*Permission denied"),
    "404": (answers(404), "404, there is nothing at"),
    "429": (answers(429), "429, it is asked too often.*asked 3 times"),
    "500": (answers(500, "boom"), "500, it has a fault of its own.*boom"),
    "400": (answers(400, "Invalid filter"), "400, it refuses the question.*Invalid filter"),
    "malformed": (raw(b'{"metrics": [{]}'), "not a JSON object"),
    "deep": (raw(b"[" * 100_000), "not a JSON object"),
    "a page": (raw(b"<html>login</html>"), "not a JSON object"),
    "nothing": (raw(b""), "answers with nothing"),
    "truncated": (fakes.truncated, "broke off in the middle"),
    "large": (raw(b" " * (2 << 20)), "larger than 1,048,576 bytes"),
    "redirect": (REDIRECT, "302, it sends on to http://evil.invalid:8443/login, which is not followed"),
    "redirect to nowhere": (answers(302, Location="http://[::1/x"), "302, it sends on to nowhere, which is not"),
    "repeated": (round_and_round, "repeat themselves"),
    "endless": (endless, "more than 50 pages"),
}


@pytest.fixture
def patience(request, monkeypatch):
    """Wait for less where a test is about waiting."""
    if request.getfixturevalue("fault").startswith(("silent", "dripping")):
        monkeypatch.setattr(server, "LIMITS", IMPATIENT)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_with_one_metric_costs_it_alone_and_is_named(fake, address, patience, fault):
    wrong, sentence = FAULTS[fault]
    fake.runs[RUN] = run_json(metrics=("loss", "acc"))
    fake.histories["acc"] = points([0.5, 0.75], "acc")
    fake.wrong[HISTORY] = lambda handler, asked: asked["metric_key"] == "acc" or wrong(handler, asked)
    began = time.monotonic()
    (run,) = open_source(address)
    assert time.monotonic() - began < SOON
    assert run.series["acc"].values.tolist() == [0.5, 0.75]
    (note,) = run.notes
    assert note.kind == "damage" and note.message.startswith("loss: its history could not be read to the end")
    assert re.search(sentence, note.message)
    assert "hunter2" not in note.message


def test_all_attempts_of_a_question_have_one_time_apart_from_pauses_the_server_asks_for(fake, address, monkeypatch):
    monkeypatch.setattr(server, "LIMITS", replace(QUICK, question=1.0, attempts=50))

    def late(handler, asked):
        time.sleep(0.4)
        return closing(handler, asked)

    fake.wrong["experiments/search"] = late
    with pytest.raises(
        SourceError, match=r"closed the connection .* .asked [23] times|no whole answer .*asked [23] times"
    ):
        discover(address)
    fake.wrong["experiments/search"] = times(1, answers(429, Retry_After="2"))
    assert len(discover(address).refs) == 1


def test_metrics_without_an_end_cost_a_run_little_time(fake, address, monkeypatch):
    monkeypatch.setattr(server, "LIMITS", IMPATIENT)
    names = [f"m{i:02d}" for i in range(40)]
    fake.runs[RUN] = run_json(metrics=names)
    fake.wrong[HISTORY] = drip(length=False)
    (run,) = open_source(address)
    said = [note.message for note in run.notes]
    assert len(said) == 40 and run.series == {}
    asked = sum("no whole answer" in text for text in said)
    assert 2 <= asked <= 2 * server.THREADS and len(fake.asked) < 20
    assert all("answers about" in text or "no whole answer" in text for text in said)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in ("endless", "repeated")])
@pytest.mark.parametrize("path", ["experiments/search", "runs/search"])
def test_a_server_that_does_not_list_its_runs_is_one_clear_error(fake, address, patience, fault, path):
    wrong, sentence = FAULTS[fault]
    fake.wrong[path] = wrong
    began = time.monotonic()
    with pytest.raises(SourceError, match=sentence):
        discover(address)
    assert time.monotonic() - began < SOON


def test_a_run_has_its_time_as_a_whole_and_what_came_is_kept(fake, address, monkeypatch):
    monkeypatch.setattr(server, "LIMITS", replace(QUICK, whole=1.5, pages=10_000))
    fake.runs[RUN] = run_json(metrics=("loss", "acc"))
    fake.histories["acc"] = points([0.5], "acc")

    def slowly(handler, asked):
        if asked["metric_key"] == "acc":
            return True
        time.sleep(0.02)
        return endless(handler, asked)

    fake.wrong[HISTORY] = slowly
    began = time.monotonic()
    (run,) = open_source(address)
    assert time.monotonic() - began < SOON  # ten thousand pages would take more than three times as long
    assert run.series["acc"].points == 1
    one = run.series["loss"]
    assert one.values.tolist() == [float(i) for i in range(one.points)]
    (note,) = run.notes
    assert note.kind == "damage" and re.search(r"loss: .*(not done|no whole answer) within", note.message)


def test_an_endless_metric_is_left_at_its_limit(fake, address, monkeypatch):
    monkeypatch.setattr(server, "MOST_POINTS", 20)
    fake.wrong[HISTORY] = endless
    (run,) = open_source(address)
    assert run.series["loss"].points == 21
    (note,) = run.notes
    assert "more than 20 points" in note.message


@pytest.mark.parametrize("odd", [{"metrics": {"a": 1}}, {"metrics": "text"}, {"metrics": 3}, {}, {"metrics": []}])
def test_a_history_without_a_list_is_named(fake, address, odd):
    fake.wrong[HISTORY] = raw(json.dumps(odd).encode())
    (run,) = open_source(address)
    assert not run.series
    assert [note.kind for note in run.notes] == ["damage"] and note_of(run).startswith("loss: ")


def note_of(run):
    return run.notes[0].message


@pytest.mark.parametrize("odd", [{}, {"run": 3}, {"run": {"info": {}}}, {"run": run_json("f" * 32)}])
def test_another_run_than_the_one_asked_for_is_none(fake, address, odd):
    refs = discover(address).refs
    fake.wrong["runs/get"] = raw(json.dumps(odd).encode())
    run = refs[0].read()
    assert not run.series and [note.kind for note in run.notes] == ["unreadable"]
    assert "another run" in note_of(run)


def test_servers_of_old_list_their_experiments_by_another_name(fake, address):
    fake.wrong["experiments/search"] = answers(404)
    fake.wrong["experiments/list"] = lambda handler, asked: send(
        handler, 200, {"experiments": [{"experiment_id": "1", "name": f"old {asked['view_type']}"}]}
    )
    (run,) = open_source(address)
    assert run.experiment == "old ACTIVE_ONLY" and run.series["loss"].points == 3


@pytest.mark.parametrize("path", ["experiments/search", "runs/search"])
def test_lists_that_never_end_are_named(fake, address, path):
    fake.wrong[path] = endless
    with pytest.raises(SourceError, match="more than 50 pages"):
        discover(address)
    fake.wrong[path] = round_and_round
    with pytest.raises(SourceError, match="repeat themselves"):
        discover(address)


@pytest.mark.parametrize("odd", [[], {"runs": 3}, {"runs": [None, 3, {"info": []}]}, {"runs": {"a": 1}}])
def test_lists_of_another_shape_invent_no_run(fake, address, odd):
    fake.wrong["runs/search"] = raw(json.dumps(odd).encode())
    with pytest.raises(SourceError):
        discover(address)


def test_a_run_that_cannot_be_got_costs_itself(fake, address):
    other = "f" * 32
    fake.runs[other] = run_json(other)
    fake.wrong["runs/get"] = lambda handler, asked: asked["run_id"] == RUN or answers(403)(handler, asked)
    runs = {run.id: run for run in open_source(address)}
    assert runs[RUN].series["loss"].points == 3
    assert [n.kind for n in runs[other].notes] == ["unreadable"]


@pytest.mark.parametrize("wrong", [answers(429), answers(503), closing, fakes.truncated])
def test_what_passes_is_asked_again(fake, address, wrong):
    fake.wrong[HISTORY] = times(2, wrong)
    (run,) = open_source(address)
    assert run.series["loss"].points == 3 and not run.notes


def test_the_server_may_say_when_to_ask_again_within_the_limit(fake, address):
    fake.wrong["experiments/search"] = times(1, answers(429, Retry_After="1"))
    began = time.monotonic()
    assert len(discover(address).refs) == 1
    assert time.monotonic() - began >= 1
    fake.wrong["experiments/search"] = answers(429, Retry_After="3600")
    began = time.monotonic()
    with pytest.raises(SourceError, match="429"):
        discover(address)
    assert time.monotonic() - began < SOON  # of the hour that it asks for


def test_nobody_listening_and_names_that_are_none_are_told(address):
    with pytest.raises(SourceError, match="nothing listens there"):
        discover("http://127.0.0.1:1")
    with pytest.raises(SourceError, match="port"):
        discover("http://127.0.0.1:99999")
    for address in ("http:///mlflow", "http://[::1", "https://[zz]/"):
        with pytest.raises(SourceError, match="without a host"):
            discover(address)


def test_a_redirect_is_never_followed_with_the_login(fake, address, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hunter2hunter2")
    other = Fake()
    with serving(other) as elsewhere:
        fake.wrong["experiments/search"] = answers(307, Location=f"{elsewhere}/api/2.0/mlflow/experiments/search")
        with pytest.raises(SourceError, match="not followed"):
            discover(address)
    assert not other.asked


@pytest.mark.parametrize(
    ("variables", "user_info", "header"),
    [
        ({"TOKEN": "tok-123456"}, "", "Bearer tok-123456"),
        ({"USERNAME": "ann", "PASSWORD": "s3cret"}, "", "Basic YW5uOnMzY3JldA=="),
        ({"USERNAME": "ann", "PASSWORD": "s3cret", "TOKEN": "t"}, "", "Basic YW5uOnMzY3JldA=="),
        ({"TOKEN": "t"}, "ann:s3cret@", "Basic YW5uOnMzY3JldA=="),
        ({"TOKEN": "t", "URI": "http://127.0.0.1:9"}, "", "Bearer t"),
        ({"TOKEN": "t", "URI": "https://mlflow.example.org"}, "", None),
        ({}, "", None),
    ],
)
def test_the_login_comes_from_mlflows_variables_or_the_address(
    fake, address, monkeypatch, variables, user_info, header
):
    for name, value in variables.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    (run,) = open_source(address.replace("http://", f"http://{user_info}"))
    assert {headers.get("Authorization") for *_, headers in fake.asked} == {header}
    assert "s3cret" not in repr(run) + run.location


def test_no_secret_is_in_any_reference_or_error(fake, address, monkeypatch):
    place = address.replace("http://", "http://ann:s3cret@")
    assert "s3cret" not in repr(discover(place).refs)
    fake.wrong["experiments/search"] = answers(401, "bad password s3cret for http://ann:s3cret@x/")
    with pytest.raises(SourceError) as told:
        discover(place)
    assert "user and password in the address are not accepted" in str(told.value)
    assert "ann:s3cret" not in str(told.value)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "two words")
    with pytest.raises(UsageError) as told:
        discover(address)
    assert "two words" not in str(told.value)


def certified(place, names):
    """Write a certificate of its own for some names, and its key, into a folder."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=posthoc"]
    made += ["-addext", f"subjectAltName={names}", "-keyout", str(place / "key"), "-out", str(place / "cert")]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not here to make a certificate")
    return place


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certified(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


def test_certificates_are_verified(fake, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    with serving(fake, tls=context) as address:
        with pytest.raises(SourceError, match="certificate is not trusted"):
            discover(address)
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate / "cert"))
        (run,) = open_source(address)
        assert run.series["loss"].points == 3
        monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
        with pytest.raises(UsageError, match="contradict"):
            discover(address)
        monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
        assert len(discover(address).refs) == 1
        monkeypatch.delenv("MLFLOW_TRACKING_INSECURE_TLS")
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate / "absent"))
        with pytest.raises(SourceError, match="SERVER_CERT_PATH"):
            discover(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_of_another_host_is_told_as_that(fake, tmp_path, monkeypatch, host):
    certified(tmp_path, "DNS:elsewhere.example,IP:192.0.2.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tmp_path / "cert"))
    with serving(fake, tls=context) as address, pytest.raises(SourceError) as told:
        discover(address.replace("127.0.0.1", host))
    said = str(told.value)
    assert "certificate is for another host" in said and f"'{host}'" in said
    assert "SERVER_CERT_PATH" not in said and "asked once" in said and "\n" not in said
    assert fake.asked == []  # nothing is sent before the host is known


def test_experiments_are_chosen_by_name_or_id_and_others_named(fake, address):
    fake.runs["b" * 32] = run_json("b" * 32, experiment="2")
    for wanted in ("speech", "2"):
        assert [r.id for r in discover(address, choice=Choice((wanted,)))] == ["b" * 32]
    assert len(discover(address, choice=Choice(("speech", "vision"))).refs) == 2
    with pytest.raises(NoRunsError, match=r"'vison'.*did you mean 'vision'"):
        discover(address, choice=Choice(("vison",)))


def test_a_filter_is_passed_through_and_deleted_runs_come_when_asked_for(fake, address):
    fake.runs["b" * 32] = run_json("b" * 32, stage="deleted")
    assert [r.id for r in discover(address, choice=Choice(filter="metrics.loss < 1"))] == [RUN]
    (searched,) = (asked for _, path, asked, _ in fake.asked if path.endswith("runs/search"))
    assert searched["filter"] == "metrics.loss < 1"
    assert {r.id for r in discover(address, choice=Choice(deleted=True))} == {RUN, "b" * 32}


def test_one_run_is_had_by_its_address_the_variable_or_the_page_of_the_site(fake, address, monkeypatch):
    fake.runs["b" * 32] = run_json("b" * 32)
    (run,) = open_source(f"runs:/{RUN}", tracking_uri=address)
    assert (run.id, run.experiment) == (RUN, "vision")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert [r.id for r in open_source(f"runs:/{RUN}/artifacts/model")] == [RUN]
    assert [r.id for r in open_source(f"{address}/#/experiments/1/runs/{RUN}")] == [RUN]
    assert len(list(open_source(f"{address}/#/experiments/1"))) == 2
    with pytest.raises(NoRunsError, match="no run has the id"):
        list(open_source("runs:/" + "c" * 32))


OTHER = "d" * 32


@pytest.fixture
def team(fake):
    """Return what another workspace of the server holds."""
    other = fake.workspaces["team-a"] = Fake()
    other.experiments, other.runs = {"7": "robots"}, {OTHER: run_json(OTHER, experiment="7", start=2)}
    other.histories["loss"] = points([9.0, 8.0])
    return other


def test_the_runs_of_all_workspaces_of_a_server_are_found_and_read(address, team):
    first, second = discover(address)
    assert (first.id, second.id, second.experiment) == (RUN, OTHER, "robots")
    assert second.location.endswith(f"/#/experiments/7/runs/{OTHER}?workspace=team-a")
    assert [run.series["loss"].values.tolist() for run in open_source(address)] == [[1.0, 0.5, 0.25], [9.0, 8.0]]
    assert [r.id for r in open_source(f"runs:/{OTHER}", tracking_uri=address)] == [OTHER]
    assert [r.id for r in discover(address, choice=Choice(experiments=("robots",)))] == [OTHER]
    with pytest.raises(NoRunsError):
        discover(address, choice=Choice(experiments=("cooking",)))


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_workspace_that_is_named_is_the_only_one_asked(fake, address, team, by_variable, monkeypatch):
    if by_variable:
        monkeypatch.setenv("MLFLOW_WORKSPACE", "team-a")
    (run,) = open_source(address if by_variable else f"{address}/?workspace=team-a")
    assert run.id == OTHER
    assert {headers.get("X-MLFLOW-WORKSPACE") for *_, headers in fake.asked} == {"team-a"}


def test_a_server_that_knows_of_no_workspaces_is_asked_without_one(fake, address):
    assert [r.id for r in discover(address)] == [RUN]
    assert not any("X-MLFLOW-WORKSPACE" in headers for *_, headers in fake.asked)


def test_the_stamp_tells_whether_an_ended_run_was_logged_to_again(fake, address):
    (first,) = discover(address)
    assert first.stamp() == discover(address).refs[0].stamp() is not None
    fake.runs[RUN]["data"]["tags"].append({"key": "posthoc.verdict", "value": "healthy"})
    assert discover(address).refs[0].stamp() == first.stamp()
    fake.runs[RUN]["data"]["metrics"][0]["step"] = 5
    assert discover(address).refs[0].stamp() != first.stamp()
    fake.runs[RUN] = run_json(status="RUNNING")
    assert discover(address).refs[0].stamp() is None


def test_questions_at_a_time_are_bounded(fake, address):
    names = [f"m{i}" for i in range(20)]
    fake.runs[RUN] = run_json(metrics=names)
    fake.histories |= {name: points([1.0], name) for name in names}
    now, most = [0], [0]

    def counted(handler, asked):
        now[0] += 1
        most[0] = max(most[0], now[0])
        time.sleep(0.02)
        now[0] -= 1
        return True

    fake.wrong[HISTORY] = counted
    (run,) = open_source(address)
    assert len(run.series) == 20 and 1 < most[0] <= server.THREADS


def test_the_index_groups_runs_by_their_experiments(fake, address, tmp_path):
    fake.runs["b" * 32] = run_json("b" * 32, experiment="2")
    night = audit([address], tmp_path / "site")
    assert {experiment(result) for result in night.results} == {"vision", "speech"}


ODD_IDS = ("x" * 5_000, "x" * 5_000 + "1", "a\0b", "bad\ud800id", "bad\udc80id", "  ", "../../etc")


def test_ids_and_names_of_any_length_and_characters_never_end_an_audit(fake, address, tmp_path):
    fake.runs |= {key: run_json(key, start=2) for key in ODD_IDS}
    fake.runs["odd"] = run_json("odd", metrics=("loss", "l\ud800ss"))
    for state in ("new", "persisting"):
        night = audit([address], tmp_path / "site", plan=Plan(tmp_path / "state"))
        found = {one.run: one for one in night.results}
        assert len(found) == len(ODD_IDS) + 2
        lost = {name for name, one in found.items() if one.status == "failed"}
        assert lost == {"bad\\ud800id", "bad\\udc80id"}  # no address can ask for them
        assert all("lone surrogate" in found[name].reason for name in lost)
        assert {one.state for name in lost for one in found[name].findings} == {state}
        assert [(row.tag, row.points) for row in found["odd"].series] == [("loss", 3)]
        assert "l\\ud800ss: its history could not be read" in found["odd"].notes[0].message


@pytest.mark.parametrize("wrong", [answers(500), closing, raw(b"[")])
def test_a_list_that_breaks_off_keeps_its_runs_and_names_the_rest(fake, address, wrong):
    first = {"runs": [run_json(RUN)], "next_page_token": "second"}
    fake.wrong["runs/search"] = lambda handler, asked: (
        wrong(handler, asked) if asked.get("page_token") else send(handler, 200, first)
    )
    found = discover(address).refs
    assert [ref.id for ref in found] == [RUN, "further runs"]
    (note,) = found[1].read().notes
    assert note.kind == "unreadable" and "could not be read beyond its first 1 run" in note.message
