"""Hyper-parameters that TensorBoard's hparams plugin keeps in the metadata of a few rare summaries."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from analyzer.model.redaction import mask_params
from analyzer.readers.tensorboard.wire import MalformedError

PLUGIN = b"hparams"
EXPERIMENT, SESSION_START = b"_hparams_/experiment", b"_hparams_/session_start_info"


def params_of(contents: list[tuple[int, bytes, bytes]]) -> tuple[dict[str, object], list[str]]:
    """Return the parameters of all session starts, secrets masked, and a sentence for each that cannot be read.

    Later sessions of the same run overrule earlier ones; whole numbers come back as int.
    """
    params: dict[str, object] = {}
    problems = []
    for _, tag, content in contents:
        if tag == SESSION_START:
            try:
                params.update(_session_params(content))
            except (DecodeError, MalformedError) as error:
                problems.append(f"hyper-parameters cannot be read ({error})")
    return mask_params(params), problems


def _session_params(content: bytes) -> dict[str, object]:
    from tensorboard.plugins.hparams import plugin_data_pb2  # noqa: PLC0415 - 40 ms that most logs do not need

    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    return {name: _plain(value) for name, value in sorted(data.session_start_info.hparams.items())}


def _plain(value: object) -> object:
    kind = value.WhichOneof("kind")  # type: ignore[attr-defined]  # a google.protobuf.Value
    if kind == "number_value":
        number = float(value.number_value)  # type: ignore[attr-defined]
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind in {"string_value", "bool_value"}:
        return getattr(value, kind)
    return None if kind in {None, "null_value"} else str(value)
