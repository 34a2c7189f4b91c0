"""Logs in object storage say what they say on a disk; what has not changed is not asked for."""

import json
import pickle
import sys
import uuid
from unittest.mock import Mock

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer import api
from analyzer.auditing.pipeline import Plan
from analyzer.cli import main
from analyzer.errors import NoRunsError, SourceError
from analyzer.readers import discover, object_store
from analyzer.readers.tensorboard import remote_files
from tests.readers.stores import s3_server, upload

NOW = 1_790_100_000.0
pytestmark = pytest.mark.xdist_group("bucket")


def write(folder, tag="loss", points=120, start=0):
    with SummaryWriter(str(folder)) as writer:
        for step in range(start, start + points):
            writer.add_scalar(tag, 0.2 + 2 * np.exp(-step / 30), step, walltime=1.79e9 + step)


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Return logs in which folders make runs only by what their files say."""
    root = tmp_path_factory.mktemp("far") / "logs"
    for name in ("sweep/a", "sweep/b", "keras/train", "keras/validation", "curves/Loss_train", "curves/Loss_val"):
        write(root / name, "Loss" if "curves" in name else "loss")
    with SummaryWriter(str(root / "searched")) as writer:
        writer.add_scalar("loss", 1.0, 0)
        writer.add_hparams({"lr": 0.1}, {"best": 0.5}, name="trial")
    torn = root / "torn"
    write(torn)
    event = next(torn.iterdir())
    event.write_bytes(event.read_bytes()[:-7])
    (root / "empty").mkdir()
    (root / "empty" / "events.out.tfevents.1").write_bytes(b"")
    (root / "wandb").mkdir()
    (root / "wandb" / "x").write_bytes(b"x")
    return root


@pytest.fixture(scope="module")
def server():
    with s3_server() as found:
        yield found


@pytest.fixture
def store(server, logs):
    """Return (file system, questions, address of a bucket of its own with the logs)."""
    files, asked = server
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    files.mkdir(name)
    upload(files, logs, f"{name}/logs")
    asked.since()
    return files, asked, f"s3://{name}/logs"


def said(night, source):
    text = json.dumps(night.to_dict()).replace(str(source), "SOURCE")
    told = json.loads(text)
    del told["resolved"], told["vanished"]
    for run in told["runs"]:
        for finding in run["findings"]:
            for key in ("state", "first_seen", "last_seen", "judged_anew"):
                finding.pop(key, None)
    return told


def audit(source, site, **plan):
    return api.audit([str(source)], site, plan=Plan(now=NOW, **plan))


def same(one, other):
    assert [*one.series] == [*other.series]
    for tag, series in one.series.items():
        for name in ("steps", "values", "wall_times"):
            assert np.array_equal(getattr(series, name), getattr(other.series[tag], name), equal_nan=True)


@pytest.mark.parametrize("whole", [remote_files.WHOLE, 1 << 10])
def test_every_run_is_the_one_on_disk(store, logs, monkeypatch, whole):
    """Same ids, points, params and notes, whether an object is fetched at one go or by ranges."""
    monkeypatch.setattr(remote_files, "WHOLE", whole)
    near, far = discover(str(logs)), discover(store[2])
    assert [ref.id for ref in far] == [ref.id for ref in near] and len(near.refs) == 7
    assert [note.message for note in far.notes] == [note.message for note in near.notes]
    for one, other in zip(near, far, strict=True):
        assert other.location == f"{store[2]}/{one.id}" and other.source == one.source
        here, there = one.read(), pickle.loads(pickle.dumps(other)).read()
        same(here, there)
        assert (here.params, here.name) == (there.params, there.name)
        assert [note.message for note in here.notes] == [note.message for note in there.notes]


def test_a_night_is_that_of_the_disk_and_the_next_one_asks_for_listings_only(store, logs, tmp_path):
    _, asked, source = store
    first = audit(source, tmp_path / "site", state=tmp_path / "s.db", jobs=0)
    assert said(first, source) == said(audit(logs, tmp_path / "near", jobs=0), logs)
    asked.since()
    second = audit(source, tmp_path / "site", state=tmp_path / "s.db", jobs=0)
    listings, others = asked.since()
    assert said(second, source) == said(first, source)
    assert len(listings) == 1 and others == []


def test_processes_of_their_own_say_the_same(store, logs, tmp_path):
    assert said(audit(store[2], tmp_path / "site", jobs=2), store[2]) == said(
        audit(logs, tmp_path / "near", jobs=0), logs
    )


def test_only_what_has_grown_is_read_again(store, logs, tmp_path):
    files, asked, source = store
    audit(source, tmp_path / "site", state=tmp_path / "s.db", jobs=0)
    (event,) = files.find(f"{source}/sweep/a")
    write(tmp_path / "more" / "a", points=300)
    files.pipe_file(event, next((tmp_path / "more" / "a").iterdir()).read_bytes())
    write(tmp_path / "new")
    files.pipe_file(f"{source}/sweep/c/events.out.tfevents.9", next((tmp_path / "new").iterdir()).read_bytes())
    files.rm(f"{source}/sweep/b", recursive=True)
    asked.since()
    second = audit(source, tmp_path / "site", state=tmp_path / "s.db", jobs=0)
    read = {path.partition("/logs/")[2].rpartition("/")[0] for _, path in asked.since()[1]}
    assert read == {"sweep/a", "sweep/c"}
    assert said(second, source) == said(audit(source, tmp_path / "fresh", jobs=0), source)
    assert [one.run for one in second.vanished] == ["sweep/b"]
    (grown,) = [run for run in second.results if run.run == "sweep/a"]
    assert grown.series[0].points == 300


@pytest.mark.parametrize("whole", [remote_files.WHOLE, 1 << 10])
def test_a_tail_gives_the_points_that_a_whole_reading_gives(store, tmp_path, monkeypatch, whole):
    monkeypatch.setattr(remote_files, "WHOLE", whole)
    files, _, source = store
    write(tmp_path / "whole", points=400)
    data = next((tmp_path / "whole").iterdir()).read_bytes()
    place = f"{source}/tail/run/events.out.tfevents.1"
    files.pipe_file(place, data[: len(data) // 2])
    (ref,) = discover(f"{source}/tail").refs
    first = ref.update({})
    files.pipe_file(place, data)
    (again,) = discover(f"{source}/tail").refs
    assert again.stamp() != ref.stamp()
    rest, everything = again.update(first.marks), again.read()
    assert not rest.whole and first.run.series["loss"].points + rest.run.series["loss"].points == 400
    steps = [*first.run.series["loss"].steps, *rest.run.series["loss"].steps]
    assert steps == everything.series["loss"].steps.tolist() == [*range(400)]
    files.pipe_file(place, data[:-1] + b"x")
    assert again.update(rest.marks).whole


def test_objects_that_vanish_or_change_while_they_are_read_are_named(store, monkeypatch):
    files, _, source = store
    refs = {ref.id: ref for ref in discover(source).refs}
    files.rm(f"{source}/sweep/b", recursive=True)
    (note,) = refs["sweep/b"].read().notes
    assert note.kind == "unreadable" and "sweep/b/events" in note.message and "not there any more" in note.message
    part, turns = object_store.Object.part, iter(range(100))

    def changing(self, start, stop):
        found = part(self, start, stop)
        files.pipe_file(self.path, bytes([next(turns)]) + found[1:])
        return found

    monkeypatch.setattr(object_store.Object, "part", changing)
    (note,) = refs["sweep/a"].read().notes
    assert note.kind == "unreadable" and "was rewritten each time it was read" in note.message


def test_one_object_and_a_whole_bucket_are_sources(store):
    files, _, source = store
    (event,) = files.find(f"{source}/sweep/a")
    (ref,) = discover(f"s3://{event}").refs
    assert ref.read().series["loss"].points == 120 and event.endswith(ref.read().name)
    root = source.removesuffix("/logs")
    assert {ref.id for ref in discover(root)} == {f"logs/{ref.id}" for ref in discover(source)}


def test_overlapping_addresses_are_judged_once(store, tmp_path):
    night = api.audit([store[2], f"{store[2]}/sweep", f"{store[2]}/"], tmp_path / "site", plan=Plan(jobs=0))
    assert len(night.results) == 7


def test_names_of_objects_lead_nowhere_else(store, tmp_path):
    """Whatever an object is called, it is read from its place in the store, and pages stay in the site."""
    files, _, source = store
    data = files.cat_file(files.find(f"{source}/sweep/a")[0])
    names = ["../../up", "a//b", "file:///etc", "x::file:///etc", "[a-z]*", "<b>"]
    for name in names:
        files.pipe_file(f"{source}/odd/{name}/events.out.tfevents.1", data)
    night = audit(f"{source}/odd", tmp_path / "in" / "site", jobs=0)
    assert len(night.results) == len(names) and all(run.series[0].points == 120 for run in night.results)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_mlflow_stores_there_are_named_and_not_read(store):
    files, _, source = store
    files.pipe_file(f"{source}/../mlruns/1/meta.yaml".replace("logs/../", ""), b"x")
    with pytest.raises(NoRunsError, match=r"mlruns: no run found .*meta.yaml: an MLflow store is not read"):
        discover(source.replace("/logs", "/mlruns"))


def refused(capsys, *words):
    code = main(["audit", *words])
    told = capsys.readouterr().err
    assert code == 2 and told.count("\n") == 1 and "hunter2" not in told, told
    return told


def test_what_goes_wrong_is_one_sentence_without_secrets(store, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files, _, source = store
    assert "no such bucket" in refused(capsys, "s3://there-is-none/logs")
    assert "nothing lies there" in refused(capsys, f"{source}/none")
    assert "s3://***@bucket" in refused(capsys, "s3://key:hunter2@bucket/logs")
    for error, said in (
        (PermissionError("Forbidden"), "access is denied"),
        (TimeoutError(), "; check the address, and"),
    ):
        monkeypatch.setattr(type(files), "find", Mock(side_effect=error))
        assert said in refused(capsys, source)


def test_no_credentials_are_told(store, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.chdir(tmp_path)
    type(store[0]).clear_instance_cache()
    assert "no credentials were found" in refused(capsys, store[2])
    type(store[0]).clear_instance_cache()


@pytest.mark.parametrize(("package", "address"), [("s3fs", "s3://bucket/logs"), ("gcsfs", "gs://bucket/logs")])
def test_a_missing_extra_is_named(monkeypatch, package, address):
    pytest.importorskip("fsspec", reason="the extra 's3' is not installed")
    monkeypatch.setitem(sys.modules, package, None)
    from fsspec.registry import _registry

    monkeypatch.delitem(_registry, address[:2], raising=False)
    with pytest.raises(SourceError, match=rf"pip install 'posthoc\[{address[:2]}\]'"):
        discover(address)


def test_any_store_that_fsspec_knows_is_read(logs):
    fsspec = pytest.importorskip("fsspec", reason="the extra 's3' is not installed")
    upload(fsspec.filesystem("memory"), logs, "/there")
    near, far = discover(str(logs)), discover("memory://there")
    assert [ref.id for ref in far] == [ref.id for ref in near]
    assert [ref.read().params for ref in far] == [ref.read().params for ref in near]
    assert not object_store.is_address("https://host/x") and not object_store.is_address("sqlite:///x.db")
