"""Links from a run's page to the run in MLflow and in TensorBoard, where the addresses of their servers are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from analyzer.model.result import Result


def links_of(result: Result, servers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the links as word and address; `servers` are addresses by kind, "mlflow" or "tensorboard".

    MLflow (2.5 and later) shows a run by its id alone, TensorBoard (2.6 and later) filters runs by a pattern.
    """
    known = dict(servers)
    found = []
    if result.source == "mlflow" and "mlflow" in known:
        found.append(("open in MLflow", f"{known['mlflow'].rstrip('/')}/#/runs/{quote(result.run, safe='')}"))
    if result.source == "tensorboard" and "tensorboard" in known:
        pattern = quote(f"^{re.escape(result.run)}(/|$)", safe="")
        found.append(("open in TensorBoard", f"{known['tensorboard'].rstrip('/')}/?runFilter={pattern}#timeseries"))
    return tuple(found)
