"""Whatever the bytes of a log are, reading them neither fails nor invents a point."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import NoRunsError
from analyzer.readers import open_source
from analyzer.readers.filelog.kinds import known
from tests.readers.filelog import logs

STEPS = range(30)
INTACT: dict[str, tuple[str, bytes]] = {
    "lightning": (
        "version_0/metrics.csv",
        b"acc,epoch,loss,step\n" + b"".join(b"0.5,0,%d.5,%d\n" % (n, n) for n in STEPS),
    ),
    "keras": ("training.log", b"epoch,loss,val_loss\n" + b"".join(b"%d,%d.5,NA\n" % (n, n) for n in STEPS)),
    "yolo": ("results.csv", b"  epoch, train/loss\n" + b"".join(b"  %d,  %d.5\n" % (n, n) for n in STEPS)),
    "monitor": ("0.monitor.csv", b'#{"t_start": 1}\nr,l,t\n' + b"".join(b"%d.5,%d,0.1\n" % (n, n) for n in STEPS)),
    "dvclive": ("plots/metrics/loss.tsv", b"step\tloss\n" + b"".join(b"%d\t%d.5\n" % (n, n) for n in STEPS)),
    "catboost": ("learn_error.tsv", b"iter\tRMSE\n" + b"".join(b"%d\t%d.5\n" % (n, n) for n in STEPS)),
    "jsonl": ("metrics.jsonl", b"".join(b'{"step": %d, "loss": %d.5}\n' % (n, n) for n in STEPS)),
    "detectron2": ("metrics.json", b"".join(b'{"iteration": %d, "loss": %d.5}\n' % (n, n) for n in STEPS)),
    "mmengine": ("scalars.json", b"".join(b'{"step": %d, "iter": 1, "loss": %d.5}\n' % (n, n) for n in STEPS)),
    "rllib": ("result.json", b"".join(b'{"training_iteration": %d, "loss": %d.5}\n' % (n, n) for n in STEPS)),
    "tensorboard-csv": (
        "run-a-tag-loss.csv",
        b"Wall time,Step,Value\n" + b"".join(b"%d,%d,%d.5\n" % (1_788_000_000 + n, n, n) for n in STEPS),
    ),
    "json": ("history.json", json.dumps({"loss": [n + 0.5 for n in STEPS]}).encode()),
    "trainer": (
        "trainer_state.json",
        json.dumps({"log_history": [{"step": n, "loss": n + 0.5} for n in STEPS]}).encode(),
    ),
    "wandb": ("run-a/run-a.wandb", logs.framed(*(logs.history(n, loss=n + 0.5) for n in STEPS), logs.exited(0))),
}
LOSSES = {n + 0.5 for n in STEPS}


def values_of(name: str, raw: bytes) -> list[float]:
    """Return all values that are read of a file with these bytes, none of which may raise."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        try:
            runs = list(open_source(folder))
        except NoRunsError:
            return []
        for run in runs:
            assert not any("its reader failed" in note.message for note in run.notes), run.notes
        tags = ("loss", "train/loss", "r", "learn/RMSE", "val_loss")
        return [float(v) for run in runs for tag in tags if tag in run.series for v in run.series[tag].values]


def test_every_kind_with_files_of_its_own_is_attacked() -> None:
    found = {kind for name, raw in INTACT.values() for kind in kinds_of(name, raw)}
    assert set(known()) - found == {"trackio", "csv"}  # sqlite has a parser of its own; csv shares Keras'


def kinds_of(name: str, raw: bytes) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        return [run.source for run in open_source(folder)]


@pytest.mark.parametrize("kind", sorted(INTACT))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_cut_file_gives_its_beginning(kind: str, data: st.DataObject) -> None:
    name, raw = INTACT[kind]
    whole = values_of(name, raw)
    assert len(whole) == len(STEPS)
    cut = data.draw(st.integers(0, len(raw)))
    found = values_of(name, raw[:cut])
    assert found == whole[: len(found)]


@pytest.mark.parametrize("kind", sorted(INTACT))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_costs_rows_and_never_the_reader(kind: str, data: st.DataObject) -> None:
    name, raw = INTACT[kind]
    at = data.draw(st.integers(0, len(raw)))
    size = data.draw(st.integers(0, 40))
    values_of(name, raw[:at] + data.draw(st.binary(max_size=60)) + raw[at + size :])


@pytest.mark.parametrize("kind", sorted(INTACT))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_binary_garbage_in_the_middle_invents_nothing(kind: str, data: st.DataObject) -> None:
    name, raw = INTACT[kind]
    at = data.draw(st.integers(0, len(raw)))
    garbage = bytes(data.draw(st.lists(st.sampled_from([0, 1, 2, 7, 0x80, 0xFE, 0xFF]), min_size=1, max_size=50)))
    assert {value for value in values_of(name, raw[:at] + garbage + raw[at:]) if not math.isnan(value)} <= LOSSES


@pytest.mark.parametrize("kind", sorted(INTACT))
@settings(max_examples=40, deadline=None)
@given(
    raw=st.one_of(
        st.binary(max_size=3000),
        st.text(alphabet='{}[]",:;\n\t 0123456789.enaNif#-step', max_size=3000).map(str.encode),
    )
)
def test_arbitrary_bytes_under_the_name_of_a_log_never_fail(kind: str, raw: bytes) -> None:
    name, intact = INTACT[kind]
    values_of(name, raw)
    values_of(name, intact[:60] + raw)
