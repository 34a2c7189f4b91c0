"""Audits of a log that TensorBoard is still writing: no damage, no point lost, and all of it at the end."""

import subprocess
import sys
import time

import pytest

import analyzer
from analyzer.auditing.pipeline import Plan

pytestmark = pytest.mark.integration

WRITER = """
import sys, time
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter(sys.argv[1], max_queue_size=7, flush_secs=1)
for step in range(int(sys.argv[2])):
    value = Summary.Value(tag="train/loss", simple_value=2.0 / (1 + step))
    writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))
    if step % 100 == 0:
        writer.flush()
        time.sleep(0.02)
writer.close()
"""
STEPS = 20_000


def test_repeated_audits_beside_a_live_writer_see_ever_more_and_no_damage(tmp_path):
    logs, plan = tmp_path / "logs", Plan(state=tmp_path / "state.db", jobs=0)
    logs.mkdir()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(logs / "run"), str(STEPS)])
    seen = [0]
    try:
        while not list(logs.glob("run/*tfevents*")):
            time.sleep(0.01)
        while writer.poll() is None:
            (result,) = analyzer.audit(logs, tmp_path / "site", plan=plan).results
            assert result.status in ("in-progress", "ok", "skipped")
            assert not [note for note in result.notes if note.kind in ("damage", "unreadable", "limit")]
            seen.append(sum(row.points for row in result.series))
    finally:
        writer.kill()
        writer.wait()
    assert len(seen) > 3 and seen == sorted(seen) and seen[-1] > 0
    (result,) = analyzer.audit(logs, tmp_path / "site", plan=plan).results
    assert [row.points for row in result.series] == [STEPS]
