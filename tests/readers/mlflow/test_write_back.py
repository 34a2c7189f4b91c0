"""Verdicts go back to MLflow when the user asks for it, twice like once, nowhere else, and never unasked."""

import hashlib
import shutil
import sqlite3
from contextlib import closing

import pytest

from analyzer import audit, report
from analyzer.auditing.write_back import WriteBack
from analyzer.cli import main
from analyzer.errors import SourceError
from analyzer.readers import VerdictPayload, discover
from tests.readers.mlflow import fake as fakes
from tests.readers.mlflow.fake import RUN, Fake, points, run_json, serving
from tests.readers.mlflow.test_database import make_database
from tests.readers.mlflow.test_file_store import make_run

KEY = "a" * 32
SICK = "".join(f"{1000 * i} {0.5 if i < 60 else 'nan'} {i}\n" for i in range(100))
WORD = VerdictPayload("problems", ("non-finite", "plateau"), "<!doctype html>page")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name in ("URI", "TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)


def state(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {
        str(p.relative_to(folder)): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files
    }


def tags_in(file):
    with closing(sqlite3.connect(file)) as connection:
        return dict(connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (KEY,)))


def test_a_file_store_gets_tags_and_page_once(tmp_path):
    place = make_run(tmp_path / "mlruns", KEY, loss=SICK)
    for _ in range(2):
        back = WriteBack()
        report(tmp_path / "mlruns", "page.html", write_back=back)
        assert (back.written, back.shortfalls, back.failures) == (1, [], [])
        written = state(place)
        assert (place / "tags" / "posthoc.verdict").read_text() == "problems"
        assert "non-finite" in (place / "tags" / "posthoc.symptoms").read_text()
        assert (place / "artifacts" / "posthoc" / "report.html").read_text().startswith("<!doctype html>")
    assert state(place) == written
    assert not list(place.rglob(".posthoc*"))


def test_an_audits_page_is_stored_as_a_report_would_be(tmp_path):
    place = make_run(tmp_path / "mlruns", KEY, loss=SICK)
    page = place / "artifacts" / "posthoc" / "report.html"
    report(tmp_path / "mlruns", "page.html", run=KEY, write_back=WriteBack())
    alone = page.read_text()
    audit([tmp_path / "mlruns"], "site", write_back=WriteBack())
    assert page.read_text() == alone == (tmp_path / "work" / "page.html").read_text()


def test_nothing_is_written_unasked(tmp_path, capsys):
    make_run(tmp_path / "mlruns", KEY, loss=SICK)
    make_database(tmp_path / "mlflow.db").close()
    before = state(tmp_path)
    fake = Fake()
    fake.histories["loss"] = points([0.5] * 60 + ["NaN"] * 40)
    with serving(fake) as address:
        main(["audit", str(tmp_path / "mlruns"), str(tmp_path / "mlflow.db"), address, "-o", str(tmp_path / "s")])
        main(["report", address, "-o", str(tmp_path / "s" / "page.html")])
        audit([tmp_path / "mlruns"], tmp_path / "s")
    capsys.readouterr()
    after = {name: what for name, what in state(tmp_path).items() if not name.startswith("s/")}
    assert after == before
    assert {method + " " + path.rpartition("/")[2] for method, path, *_ in fake.asked} == {
        "POST search",
        "GET get",
        "GET get-history",
        "GET server-info",
    }


def test_a_place_that_meta_yaml_names_elsewhere_gets_no_page(tmp_path):
    place = make_run(tmp_path / "mlruns", KEY, loss=SICK)
    (ref,) = discover(str(tmp_path / "mlruns"))
    for uri, stored in (
        ("s3://bucket/1/x/artifacts", False),
        (f"file://{tmp_path}/secret", False),
        (f"file:///old/home/mlruns/1/{KEY}/artifacts", True),
        (str(place / "artifacts"), True),
    ):
        (place / "meta.yaml").write_text(f"run_id: {KEY}\nartifact_uri: {uri}\nlifecycle_stage: active\n")
        said = ref.write_back(WORD)
        assert (said is None) == stored
        assert (place / "artifacts" / "posthoc" / "report.html").exists() == stored
        (place / "artifacts" / "posthoc" / "report.html").unlink(missing_ok=True)
    assert not (tmp_path / "secret").exists()


def test_links_lead_no_verdict_out_of_the_source(tmp_path):
    place = make_run(tmp_path / "mlruns", KEY, loss=SICK)
    outside = tmp_path / "outside"
    outside.mkdir()
    (place / "artifacts").rmdir()
    (place / "artifacts").symlink_to(outside)
    (ref,) = discover(str(tmp_path / "mlruns"))
    assert "was not stored" in str(ref.write_back(WORD))
    shutil.rmtree(place / "tags")
    (place / "tags").symlink_to(outside)
    with pytest.raises(SourceError, match="tags cannot be written"):
        ref.write_back(WORD)
    assert not list(outside.iterdir())


@pytest.mark.parametrize("wal", [False, True])
def test_a_database_gets_tags_in_one_transaction_and_the_page_beside_it(tmp_path, wal):
    connection = make_database(tmp_path / "mlflow.db", wal=wal)
    connection.execute("ALTER TABLE runs ADD COLUMN artifact_uri VARCHAR(200)")
    place = tmp_path / "mlruns" / "1" / KEY / "artifacts"
    connection.execute("UPDATE runs SET artifact_uri = ?", (str(place),))
    connection.commit()
    connection.close()
    (ref,) = discover(str(tmp_path / "mlflow.db"))
    assert ref.write_back(WORD) is None
    assert (
        tags_in(tmp_path / "mlflow.db").items()
        >= {
            "posthoc.verdict": "problems",
            "posthoc.symptoms": "non-finite,plateau",
            "mlflow.runName": "brisk-owl",
        }.items()
    )
    assert (place / "posthoc" / "report.html").read_text() == WORD.page
    before = state(tmp_path)
    assert ref.write_back(WORD) is None
    assert state(tmp_path) == before
    assert ref.write_back(VerdictPayload("healthy", (), "")) is None
    assert tags_in(tmp_path / "mlflow.db")["posthoc.symptoms"] == "none"


@pytest.mark.parametrize(
    "uri",
    [
        *("s3://b/{key}/artifacts", "/etc/{key}/artifacts", "../{key}/artifacts", "", "mlruns/1"),
        *("http://[::1/{key}/artifacts", "file://[::1/{key}/artifacts", "file:mlruns/%00/{key}", "mlruns/\0/{key}"),
    ],
)
def test_a_database_whose_artifacts_lie_elsewhere_gets_the_tags_alone(tmp_path, uri):
    folder = tmp_path / "db"
    folder.mkdir()
    connection = make_database(folder / "mlflow.db")
    connection.execute("ALTER TABLE runs ADD COLUMN artifact_uri VARCHAR(200)")
    connection.execute("UPDATE runs SET artifact_uri = ?", (uri.format(key=KEY),))
    connection.commit()
    connection.close()
    (ref,) = discover(str(folder / "mlflow.db"))
    assert "was not stored" in str(ref.write_back(WORD))
    assert tags_in(folder / "mlflow.db")["posthoc.verdict"] == "problems"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["mlflow.db"]


def test_a_database_that_is_locked_takes_no_verdict_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.readers.mlflow.write_back.WAIT", 0.05)
    writer = make_database(tmp_path / "mlflow.db", wal=True)
    (ref,) = discover(str(tmp_path / "mlflow.db"))
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(SourceError, match=r"cannot be written .*locked"):
        ref.write_back(WORD)
    writer.rollback()
    writer.close()
    assert "posthoc.verdict" not in tags_in(tmp_path / "mlflow.db")


def written(fake):
    """Return what a server was made to store: names of tags' questions and of pages."""
    kept = [(method, path.rpartition("/")[2]) for method, path, *_ in fake.asked]
    return [name for method, name in kept if method == "PUT" or name == "set-tag"]


def test_a_verdict_that_changes_replaces_the_one_before(tmp_path):
    fake = Fake()
    place = make_run(tmp_path / "mlruns", KEY, loss=SICK)
    changed = VerdictPayload("healthy", (), "<!doctype html>PAGE")  # as long as the one before
    with serving(fake) as address:
        for source in (address, str(tmp_path / "mlruns")):
            (ref,) = discover(source)
            for word in (WORD, changed, changed):
                assert ref.write_back(word) is None
    assert written(fake) == ["set-tag", "set-tag", "report.html"] * 2
    tags = {t["key"]: t["value"] for t in fake.runs[RUN]["data"]["tags"]}
    assert tags == {"posthoc.verdict": "healthy", "posthoc.symptoms": "none"}
    assert (place / "tags" / "posthoc.verdict").read_text() == "healthy"
    assert (place / "tags" / "posthoc.symptoms").read_text() == "none"
    for page in (*fake.stored.values(), (place / "artifacts" / "posthoc" / "report.html").read_bytes()):
        assert page == b"<!doctype html>PAGE"


def test_a_server_gets_tags_and_page_over_its_own_interface(tmp_path, capsys):
    fake = Fake()
    fake.histories["loss"] = points([0.5] * 60 + ["NaN"] * 40)
    with serving(fake) as address:
        code = main(["audit", address, "-o", "site", "--write-back"])
        assert (code, capsys.readouterr().err) == (0, "posthoc: 1 verdict written back\n")
        assert written(fake) == ["set-tag", "set-tag", "report.html"]
        assert main(["audit", address, "-o", "site", "--write-back", "-q"]) == 0
        assert len(written(fake)) == 3  # the second time nothing is written
    tags = {t["key"]: t["value"] for t in fake.runs[RUN]["data"]["tags"]}
    assert tags["posthoc.verdict"] == "problems" and "non-finite" in tags["posthoc.symptoms"]
    (path,) = fake.stored
    assert path == f"/api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/posthoc/report.html"
    assert fake.stored[path].startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/x",
        "mlflow-artifacts://evil.invalid/1/x",
        "mlflow-artifacts:/../../x",
        "mlflow-artifacts:/",
        "/srv/x",
    ],
)
def test_a_server_that_keeps_artifacts_elsewhere_gets_the_tags_alone(uri):
    fake = Fake()
    fake.runs[RUN]["info"]["artifact_uri"] = uri
    with serving(fake) as address:
        (ref,) = discover(address)
        assert "was not stored" in str(ref.write_back(WORD))
    assert not fake.stored
    assert {t["key"] for t in fake.runs[RUN]["data"]["tags"]} == {"posthoc.verdict", "posthoc.symptoms"}


def test_what_cannot_be_written_is_told_once_and_makes_two_of_zero(capsys):
    fake = Fake()
    fake.runs = {f"{i:032d}": run_json(f"{i:032d}") for i in range(6)}
    fake.wrong["runs/set-tag"] = fakes.status(403, "Permission denied")
    with serving(fake) as address:
        assert main(["audit", address, "-o", "site", "--write-back", "-q"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and "403" in said[0] and said[-1] == "posthoc: and 3 more runs likewise"


def test_a_writer_that_fails_costs_the_night_nothing(tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("cannot")

    make_run(tmp_path / "mlruns", KEY, loss=SICK)
    monkeypatch.setattr("analyzer.readers.mlflow.write_back.into_folder", broken)
    assert main(["audit", str(tmp_path / "mlruns"), "-o", "site", "--write-back", "-q"]) == 2
    assert "writing back failed (RuntimeError: cannot)" in capsys.readouterr().err


def test_event_files_take_no_verdict_and_that_is_said(tmp_path, capsys):
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path / "logs")) as writer:
        writer.add_scalar("loss", 1.0, 0)
    before = state(tmp_path / "logs")
    main(["audit", str(tmp_path / "logs"), "-o", "site", "--write-back"])
    assert "1 run not from MLflow: no verdict was written back" in capsys.readouterr().err
    assert state(tmp_path / "logs") == before


@pytest.mark.parametrize("then", ["DELETE FROM metrics", "UPDATE tags SET value = 'healthy'"])
def test_a_database_whose_tags_have_triggers_is_not_written_to(tmp_path, then):
    file = tmp_path / "mlflow.db"
    with closing(make_database(file)) as made:
        made.executescript(f"CREATE TRIGGER harm AFTER INSERT ON tags BEGIN {then}; END")
    before = state(tmp_path)
    (ref,) = discover(str(file)).refs
    with pytest.raises(SourceError, match="triggers"):
        ref.write_back(WORD)
    assert state(tmp_path) == before


def test_our_own_tags_are_no_settings_of_the_run(tmp_path):
    make_run(tmp_path / "mlruns", loss="1 0.5 1\n2 0.25 2\n")
    audit(tmp_path / "mlruns", tmp_path / "site", write_back=WriteBack())
    (ref,) = discover(str(tmp_path / "mlruns")).refs
    assert list((tmp_path / "mlruns").glob("*/*/tags/posthoc.*")) and not any(
        "posthoc" in tag for tag in ref.read().tags
    )
