"""Writes logs as trackers do: TensorBoard event files (both encodings, hparams) and MLflow's file store.

Host, process and clock are made up, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
import yaml
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from benchmarks.truth.autograd import Array

DT_FLOAT = 1


@dataclass(frozen=True)
class Curve:
    """One series as logged. `role` is what it means (loss:train, loss:val, metric:recall:val, rate, other …);
    `at` is the update at which each point was written, `folder` the sub-folder it lies in.
    """

    tag: str
    steps: Array
    values: Array
    at: Array
    role: str = "other"
    folder: str = ""


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _framed(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + _masked_crc(length) + payload + _masked_crc(payload)


def _value(tag: str, value: float, as_tensor: bool, first: bool) -> Summary.Value:
    if not as_tensor:
        return Summary.Value(tag=tag, simple_value=value)
    tensor = TensorProto(dtype=DT_FLOAT, tensor_content=np.float32(value).tobytes())
    made = Summary.Value(tag=tag, tensor=tensor)
    if first:
        made.metadata.CopyFrom(
            SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"), data_class=1)
        )
    return made


def write_events(
    folder: Path, curves: Iterable[Curve], *, start: float, pace: float, as_tensors: bool = False, suffix: str = ""
) -> None:
    """Write one event file per sub-folder; points in the order of their updates, `pace` seconds an update."""
    by_folder: dict[str, list[Curve]] = {}
    for curve in curves:
        by_folder.setdefault(curve.folder, []).append(curve)
    for name, inside in by_folder.items():
        where = folder / name if name else folder
        where.mkdir(parents=True, exist_ok=True)
        path = where / f"events.out.tfevents.{int(start)}.host.{4000 + len(name)}.0{suffix}"
        path.write_bytes(b"".join(_framed(e.SerializeToString()) for e in _events(inside, start, pace, as_tensors)))


def _events(curves: list[Curve], start: float, pace: float, as_tensors: bool) -> Iterable[Event]:
    yield Event(wall_time=start, file_version="brain.Event:2")
    points = [(int(curve.at[i]), n, i) for n, curve in enumerate(curves) for i in range(len(curve.steps))]
    known: set[str] = set()
    with np.errstate(over="ignore"):
        rounded = [curve.values.astype(np.float32).tolist() for curve in curves]
    for place, (at, n, i) in enumerate(sorted(points)):
        curve = curves[n]
        value = _value(curve.tag, rounded[n][i], as_tensors, curve.tag not in known)
        known.add(curve.tag)
        when = start + 2.0 + at * pace + place * 1e-5
        yield Event(wall_time=when, step=int(curve.steps[i]), summary=Summary(value=[value]))


def write_hparams(folder: Path, params: Mapping[str, object], *, start: float) -> None:
    """Write the hyper-parameters as the hparams plugin keeps them, in an event file of their own."""
    summary = hparams.hparams_pb(dict(params), trial_id="trial", start_time_secs=start)
    event = Event(wall_time=start + 1, step=0)
    event.summary.ParseFromString(summary.SerializeToString())
    for value in event.summary.value:  # maps come in no fixed order unless asked
        content = HParamsPluginData.FromString(value.metadata.plugin_data.content)
        value.metadata.plugin_data.content = content.SerializeToString(deterministic=True)
    head = Event(wall_time=start, file_version="brain.Event:2")
    path = folder / f"events.out.tfevents.{int(start)}.host.3999.1"
    path.write_bytes(b"".join(_framed(e.SerializeToString()) for e in (head, event)))


def write_yaml(path: Path, content: Mapping[str, object]) -> None:
    """Write a small YAML file (Lightning's hparams.yaml, MLflow's meta.yaml)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(content), sort_keys=True))


def write_mlflow(
    store: Path,
    run_id: str,
    curves: Iterable[Curve],
    *,
    name: str,
    params: Mapping[str, object],
    tags: Mapping[str, str],
    start: float,
    pace: float,
    experiment: tuple[str, str] = ("1", "training"),
    status: int = 3,
) -> None:
    """Add a run to an MLflow file store (`mlruns`); `status` 3 is FINISHED, 4 FAILED."""
    where = store / experiment[0]
    began, ms = int(start * 1000), 1000
    if not (where / "meta.yaml").exists():
        _write_experiment(where, experiment, began)
    run = where / run_id
    for key, value in params.items():
        _write_line(run / "params" / key, str(value))
    for key, text in {"mlflow.runName": name, "mlflow.user": "user", **tags}.items():
        _write_line(run / "tags" / key, text)
    end = began
    for curve in curves:
        at = began + np.round((2.0 + curve.at * pace) * ms).astype(np.int64)
        rows = zip(at.tolist(), curve.values.tolist(), curve.steps.tolist(), strict=True)
        _write_line(run / "metrics" / curve.tag, "\n".join(f"{t} {v!r} {s}" for t, v, s in rows) + "\n")
        end = max(end, int(at.max(initial=began)))
    (run / "artifacts").mkdir(parents=True, exist_ok=True)
    write_yaml(
        run / "meta.yaml",
        {
            "artifact_uri": f"mlflow-artifacts:/{experiment[0]}/{run_id}/artifacts",
            "end_time": end + ms,
            "entry_point_name": "",
            "experiment_id": experiment[0],
            "lifecycle_stage": "active",
            "run_id": run_id,
            "run_uuid": run_id,
            "run_name": name,
            "source_name": "",
            "source_type": 4,
            "source_version": "",
            "start_time": began,
            "status": status,
            "tags": [],
            "user_id": "user",
        },
    )


def _write_experiment(where: Path, experiment: tuple[str, str], began: int) -> None:
    write_yaml(
        where / "meta.yaml",
        {
            "artifact_location": f"mlflow-artifacts:/{experiment[0]}",
            "creation_time": began,
            "experiment_id": experiment[0],
            "last_update_time": began,
            "lifecycle_stage": "active",
            "name": experiment[1],
        },
    )


def _write_line(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
