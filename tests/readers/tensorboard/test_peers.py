"""Point by point the same as TensorBoard's EventAccumulator and tbparse on every healthy log."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tbparse import SummaryReader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray
from tensorboardX import SummaryWriter

from analyzer.readers.tensorboard.file_reader import read_file
from analyzer.readers.tensorboard.points import Curve
from tests.readers.tensorboard.records import file_of, scalar, tensor

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # tbparse's way of using pandas

REAL = Path(os.environ.get("POSTHOC_REAL", Path(__file__).parents[4] / "shared" / "real"))
KINDS = ("compressedHistograms", "images", "audio", "scalars", "histograms", "tensors")
Points = dict[str, list[tuple[float, int, float]]]


def by_accumulator(path: Path) -> Points:
    made = EventAccumulator(str(path), size_guidance=dict.fromkeys(KINDS, 0), purge_orphaned_data=False)
    made.Reload()
    points: Points = {}
    for tag in made.Tags()["scalars"]:
        points[tag] = [(event.wall_time, event.step, event.value) for event in made.Scalars(tag)]
    for tag in made.Tags()["tensors"]:
        if made.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            events = made.Tensors(tag)
            points[tag] = [(e.wall_time, e.step, float(make_ndarray(e.tensor_proto).item())) for e in events]
    return points


def by_tbparse(path: Path) -> Points:
    points: Points = {}
    reader = SummaryReader(str(path), extra_columns={"wall_time"}, event_types={"scalars", "tensors"})
    for row in [*reader.scalars.itertuples(), *reader.tensors.itertuples()]:
        value = np.asarray(row.value)
        if value.size == 1:
            points.setdefault(row.tag, []).append((row.wall_time, row.step, float(value.item())))
    return points


def ours(path: Path) -> Points:
    def triples(curve: Curve) -> list[tuple[float, int, float]]:
        return list(zip(curve.wall_times.tolist(), curve.steps.tolist(), curve.values.tolist(), strict=True))

    return {tag.decode(): triples(curve) for tag, curve in read_file(path, "file").points.items()}


def assert_same(one: Points, other: Points) -> None:
    assert one.keys() == other.keys()
    for tag, points in one.items():
        np.testing.assert_array_equal(np.array(points), np.array(other[tag]), err_msg=tag)


def test_a_log_by_tensorboardx_is_read_as_the_peers_read_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(300):
            writer.add_scalar("train/loss", 2 / (step + 1), step)
            writer.add_scalar("lr", 1e-3, step * 1000)
            if step % 50 == 0:
                writer.add_scalar("val/loss", float("nan") if step == 100 else step * 1e-30, step)
                writer.add_histogram("weights", rng.standard_normal(500), step)
                writer.add_text("note", f"step {step}", step)
    (path,) = tmp_path.iterdir()
    assert_same(ours(path), by_accumulator(path))
    assert_same(ours(path), by_tbparse(path))


def test_tensors_of_keras_are_read_as_the_peers_read_them(tmp_path: Path) -> None:
    values = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e-45, 3.4e38] + [1 / n for n in range(1, 60)]
    for dtype in (np.float32, np.float64, np.float16):
        path = tmp_path / f"events.out.tfevents.{np.dtype(dtype).name}.v2"
        with np.errstate(over="ignore"):
            path.write_bytes(
                file_of(
                    tensor(tag, step, value, 1.6e9 + step, dtype=dtype, plugin="scalars" if step == 0 else None)
                    for step, value in enumerate(values)
                    for tag in ("epoch_loss", "epoch_accuracy")
                )
            )
        assert_same(ours(path), by_accumulator(path))
        assert_same(ours(path), by_tbparse(path))


def test_both_encodings_in_one_file_are_read_as_the_accumulator_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    events = [scalar("a", step, step / 3) for step in range(40)]
    events += [tensor("b", step, step / 7, plugin="scalars" if step == 0 else None) for step in range(40)]
    path.write_bytes(file_of(events))
    assert_same(ours(path), by_accumulator(path))


def real_logs() -> list[Path]:
    """Every eleventh of the real logs, and of each project at least one."""
    every = sorted(path for path in REAL.rglob("*tfevents*") if path.is_file() and path.stat().st_size < 300_000)
    first = {path.relative_to(REAL).parts[0]: path for path in reversed(every)}
    return sorted({*every[::11], *first.values()})


@pytest.mark.skipif(not REAL.is_dir(), reason="the real logs are not here")
def test_real_logs_are_read_as_the_accumulator_reads_them() -> None:
    for path in real_logs():
        if not any(note.kind == "unreadable" for note in read_file(path, "file").notes):
            assert_same(ours(path), by_accumulator(path))


EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "logs").rglob("*tfevents*"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_the_examples_are_read_as_both_peers_read_them(path: Path) -> None:
    assert_same(ours(path), by_accumulator(path))
    assert_same(ours(path), by_tbparse(path))


def by_step(points: Points) -> Points:
    """The same points by step and time: tbparse does not keep the order in which steps that go back were written."""
    return {tag: sorted(one, key=lambda point: (point[1], point[0])) for tag, one in points.items()}


@pytest.mark.skipif(not REAL.is_dir(), reason="the real logs are not here")
def test_real_logs_are_read_as_tbparse_reads_them() -> None:
    compared = 0
    for path in real_logs():
        content = read_file(path, "file")
        if not content.points or content.notes:
            continue
        try:
            theirs = by_tbparse(path)
        except ValueError:  # tbparse gives up on a whole file that holds a text beside its scalars
            continue
        assert_same(by_step(ours(path)), by_step(theirs))
        compared += 1
    assert compared >= 10
