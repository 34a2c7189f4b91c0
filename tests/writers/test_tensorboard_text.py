"""The event file for TensorBoard's text tab is one that TensorBoard reads, and no run to posthoc."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from analyzer import NoRunsError, OutputError, open_runs, report
from analyzer.writers.tensorboard_text import FILE, TAG, write_text_event


@pytest.mark.parametrize("text", ["## Verdict\n\n**NaN** from step 1 → 2", "", "x" * 300_000])
def test_tensorboard_reads_the_text_that_was_written(tmp_path, text):
    path = write_text_event(tmp_path / "new" / "folder", text, 1_800_000_000.5)
    accumulator = EventAccumulator(str(path.parent))
    accumulator.Reload()
    assert accumulator.Tags()["tensors"] == [TAG]
    (event,) = accumulator.Tensors(TAG)
    assert event.tensor_proto.string_val[0].decode() == text and event.wall_time == 1_800_000_000.5
    metadata = accumulator.SummaryMetadata(TAG)
    assert metadata.plugin_data.plugin_name == "text" and metadata.data_class == 2


def test_a_later_report_replaces_it_and_nothing_else(tmp_path):
    write_text_event(tmp_path, "one", 1.0)
    write_text_event(tmp_path, "two", 2.0)
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert [e.tensor_proto.string_val[0] for e in accumulator.Tensors(TAG)] == [b"two"]
    (tmp_path / FILE).write_bytes(b"something of the user's")
    with pytest.raises(OutputError, match="is not from posthoc"):
        write_text_event(tmp_path, "three", 3.0)


def test_posthoc_takes_it_for_no_run(tmp_path):
    write_text_event(tmp_path / "alone", "text", 1.0)
    with pytest.raises(NoRunsError):
        list(open_runs(tmp_path / "alone"))


def test_a_report_writes_it_beside_the_run_s_own_log(tmp_path):
    run = tmp_path / "logs" / "a"
    run.mkdir(parents=True)
    (run / "metrics.csv").write_text("step,loss\n" + "\n".join(f"{i},{1 / (i + 1)}" for i in range(60)))
    report(run, tmp_path / "a.html", tensorboard=run, markdown=tmp_path / "a.md")
    report(run, tmp_path / "a.html", tensorboard=run)
    assert (run / FILE).is_file() and (tmp_path / "a.svg").is_file()
    assert [one.id for one in open_runs(tmp_path / "logs")] == ["a"]
