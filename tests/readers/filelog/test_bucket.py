"""Logs in files are read from object storage as from a disk; a second audit of unchanged objects asks for listings."""

import uuid

import pytest

from analyzer import api
from analyzer.auditing.pipeline import Plan
from analyzer.readers import discover
from tests.readers.filelog import logs
from tests.readers.stores import s3_server, upload

pytestmark = pytest.mark.xdist_group("bucket")


@pytest.fixture(scope="module")
def server():
    with s3_server() as found:
        yield found


def test_a_bucket_says_what_a_folder_says_and_is_asked_once(server, tmp_path):
    root = tmp_path / "logs"
    for count in (3, 9):
        logs.state(root / "hf" / f"checkpoint-{count}" / "trainer_state.json", logs.losses(count), max_steps=99)
    logs.text(root / "v" / "version_0" / "metrics.csv", "epoch,loss,step", *(f"0,{2 / n},{n}" for n in range(1, 60)))
    logs.text(root / "v" / "version_0" / "hparams.yaml", "lr: 0.1")
    logs.wandb_run(root / "wandb", *(logs.history(n, loss=2.0 / (n + 1)) for n in range(60)), logs.exited(0))
    logs.text(root / "data" / "iris.csv", "sepal,petal", "1,2")
    files, asked = server
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    files.mkdir(name)
    upload(files, root, f"{name}/logs")
    address = f"s3://{name}/logs"
    here = {ref.id: ref.read() for ref in discover(str(root))}
    there = {ref.id: ref.read() for ref in discover(address)}
    assert here.keys() == there.keys() == {"hf", "v/version_0", "wandb/run-20260101_120000-abc"}
    for run_id, run in here.items():
        assert there[run_id].params == run.params
        assert {tag: s.values.tolist() for tag, s in there[run_id].series.items()} == {
            tag: s.values.tolist() for tag, s in run.series.items()
        }
    for _ in range(2):
        asked.since()
        night = api.audit([address], tmp_path / "site", plan=Plan(state=tmp_path / "state.db"))
    listings, others = asked.since()
    assert len(night.results) == 3
    assert listings
    assert others == []
