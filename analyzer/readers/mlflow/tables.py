"""MLflow's tables, whatever database holds them: the questions that are asked of them, and what the answers mean.

Runs are found by one query and read one by one by their key, never ordered by time in SQL, which would make sqlite read
all runs for each. Only plain tables are asked, and texts are cut by the database itself: it may have been made to harm.
Every column is named with its table, for some of their names are words of MySQL's language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from analyzer.errors import SourceError
from analyzer.model.run import Note, Run, Series
from analyzer.readers.display_names import shown_bytes
from analyzer.readers.mlflow.models import Owned, by_model, repeated
from analyzer.readers.mlflow.points import Columns, Row, plain_numbers
from analyzer.readers.mlflow.run_metadata import TrackedRun
from analyzer.readers.sanitize import MOST_TEXT

NEEDED = {"runs": {"run_uuid", "status"}, "metrics": {"key", "value", "timestamp", "run_uuid"}}
ASKED = {"runs", "metrics", "params", "tags", "experiments", "latest_metrics", "inputs", "datasets", "input_tags"}
ASKED |= {"logged_models", "logged_model_metrics"}
MOST_PAIRS = 10_000  # params or tags of a run
LONGEST_ID = 10_000  # characters of a run's id; MLflow's have 32, and every question carries it

_COUNTS = (
    "SELECT metrics.key, count(*) FROM metrics WHERE metrics.run_uuid = :run GROUP BY metrics.key ORDER BY metrics.key"
)
_NUMBERS = (
    "SELECT metrics.timestamp, CASE metrics.is_nan WHEN 0 THEN metrics.value END, metrics.step "
    "FROM metrics WHERE metrics.run_uuid = :run ORDER BY metrics.key"
)
_STATUS = "SELECT substr(runs.status, 1, 100) FROM runs WHERE runs.run_uuid = :run"
_DATASETS = {
    "inputs": {"input_uuid", "source_id", "source_type", "destination_id", "destination_type"},
    "datasets": {"dataset_uuid", "name", "digest"},
    "input_tags": {"input_uuid", "name", "value"},
}
_DATASETS_OF_RUN = """
SELECT substr(datasets.name, 1, 500), substr(datasets.digest, 1, 100), substr(input_tags.value, 1, 500) FROM inputs
JOIN datasets ON datasets.dataset_uuid = inputs.source_id
LEFT JOIN input_tags ON input_tags.input_uuid = inputs.input_uuid AND input_tags.name = 'mlflow.data.context'
WHERE inputs.destination_id = :run AND inputs.destination_type = 'RUN' AND inputs.source_type = 'DATASET'
ORDER BY datasets.name, datasets.digest LIMIT 100
"""
_OWNED = {
    "logged_models": {"model_id", "name", "source_run_id"},
    "logged_model_metrics": {
        *("model_id", "metric_name", "metric_timestamp_ms", "metric_step", "metric_value", "run_id")
    },
}
# by way of the run's own models: the metrics have no index for the run
_OWNED_BY_MODELS = """
SELECT logged_model_metrics.metric_name, logged_models.model_id, substr(logged_models.name, 1, 500),
       logged_model_metrics.metric_timestamp_ms, logged_model_metrics.metric_step, logged_model_metrics.metric_value
FROM logged_models JOIN logged_model_metrics ON logged_model_metrics.model_id = logged_models.model_id
WHERE logged_models.source_run_id = :run AND logged_model_metrics.run_id = :run
"""


class Tables(Protocol):
    """An open database, read-only; texts come as bytes or text."""

    where: str
    """How the database is called in messages."""

    unindexed: str
    """How the table of metrics is asked for without its indexes, which may be broken; "" where nobody can say that."""

    counting: bool
    """Whether two questions, one of them for numbers alone, cost less than one (no journey to a server each)."""

    whole_id: str
    """An expression for a run's id whose bytes come whole, whatever they are."""

    def columns(self, table: str) -> frozenset[str]:
        """Return the plain columns of a real table; none when it is absent or a view."""

    def batches(self, query: str, **values: str) -> Iterator[Sequence[Row]]:
        """Yield the answer some ten thousand rows at a time; `:name` in the query stands for a value.

        SourceError for whatever the database says.
        """


@dataclass(frozen=True, slots=True)
class Listed:
    """A run as the list of runs has it; `state` changes when the run's row does, `ended` when it goes on.

    `key` is its id to ask with: bytes that are not UTF-8 are lone surrogates in it; `shown` is the same as text.
    """

    key: str
    shown: str
    name: str
    deleted: bool
    experiment: str
    experiment_id: str
    ended: bool
    state: str


def check(tables: Tables) -> bool:
    """Whether the tables are MLflow's. SourceError when they are, and of a schema that is not known."""
    if not all(tables.columns(table) for table in NEEDED):
        return False
    for table, needed in NEEDED.items():
        lacking = needed - tables.columns(table)
        if lacking:
            what = f"{table} lacks {', '.join(sorted(lacking))}"
            raise SourceError(f"{tables.where}: an MLflow database of an unknown schema ({what})")
    return True


def listed(tables: Tables) -> Iterator[Listed]:
    """Yield all runs, by their start; the experiment's name is "" where the database does not know it."""
    has = tables.columns("runs")
    asked = ("name", "start_time", "end_time", "experiment_id", "lifecycle_stage")
    name, start, end, experiment, own_stage = (f"runs.{each}" if each in has else "NULL" for each in asked)
    known = {"experiment_id", "name", "lifecycle_stage"} <= tables.columns("experiments") and experiment != "NULL"
    title, stage = ("experiments.name", "experiments.lifecycle_stage") if known else ("NULL", "NULL")
    join = "LEFT JOIN experiments ON experiments.experiment_id = runs.experiment_id" if known else ""
    query = (
        f"SELECT substr({tables.whole_id}, 1, {LONGEST_ID}), substr({name}, 1, 2000), substr({own_stage}, 1, 50), "  # noqa: S608 - names fixed above
        f"substr({title}, 1, 500), {experiment}, substr({stage}, 1, 50), substr(runs.status, 1, 50), {end} "
        f"FROM runs {join} ORDER BY {start if start != 'NULL' else 'runs.run_uuid'}, runs.run_uuid"
    )
    for rows in tables.batches(query):
        for row in rows:
            title_, own, experiment_, number, of_experiment, status, ended = map(text, row[1:])
            gone, shown = "deleted" in (own, of_experiment), _shown_key(row[0])
            state = f"{status}|{ended}|{own}"
            yield Listed(_asked_key(row[0]), shown, title_ or shown, gone, experiment_, number, bool(ended), state)


def last_values(tables: Tables) -> dict[str, str]:
    """Return, by run, what changes when something is logged: how many metrics there are, and their last values."""
    if not {"run_uuid", "timestamp", "step", "value"} <= tables.columns("latest_metrics"):
        return {}
    query = (
        "SELECT latest_metrics.run_uuid, count(*), max(latest_metrics.timestamp), sum(latest_metrics.step), "
        "min(latest_metrics.value), max(latest_metrics.value) FROM latest_metrics GROUP BY latest_metrics.run_uuid"
    )
    return {text(row[0]): "|".join(map(str, row[1:])) for rows in tables.batches(query) for row in rows}


def run_of(tables: Tables, ref: TrackedRun) -> Run:
    """Return a run with its metrics, params, tags, data sets and status."""
    notes: list[Note] = []
    series = _by_model(tables, ref.key, _series(tables, ref.key, notes), notes)
    params = _pairs(tables, "params", ref.key, notes)
    tags = _pairs(tables, "tags", ref.key, notes)
    known = len(notes)
    status = _kept(tables, _STATUS, ref.key, "status", notes)
    if not status and len(notes) == known:
        why = f"its id is longer than {LONGEST_ID:,} characters or is no text, and cannot be asked for"
        raise SourceError(f"{tables.where}: {why}")
    declared = text(status[0][0]).upper() if status else None
    return ref.run_of(series, params, tags, notes, declared=declared, datasets=_datasets(tables, ref.key, notes))


def text(value: object) -> str:
    """Return a value as text; bytes that are not UTF-8 are shown, nothing is "" for NULL."""
    if value is None:
        return ""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _series(tables: Tables, key: str, notes: list[Note]) -> dict[str, Series]:
    has = tables.columns("metrics")
    step, is_nan = ("metrics.step" if "step" in has else "0"), ("metrics.is_nan" if "is_nan" in has else "0")
    query = (
        f"SELECT metrics.key, metrics.timestamp, metrics.value, {step}, {is_nan} "  # noqa: S608 - names fixed above
        "FROM {} WHERE metrics.run_uuid = :run"
    )
    quick = _counted(tables, key) if tables.counting and {"step", "is_nan"} <= has else None
    if quick is not None:
        return quick.series(_shown_key)
    columns, error = _rows(tables, query.format("metrics"), key)
    if error is not None and tables.unindexed:
        columns, _ = _rows(tables, query.format(tables.unindexed), key)
    if error is not None and not columns:
        raise error
    if error is not None:
        notes.append(Note("damage", f"{error}; what could be read of the metrics was kept"))
    for lost, count in columns.lost.items():
        what = f"{_shown_key(lost)}: {count} rows that are not points were left out"
        notes.append(Note("damage", f"{tables.where}: {what}"))
    return columns.series(_shown_key)


def _by_model(tables: Tables, key: str, series: dict[str, Series], notes: list[Note]) -> dict[str, Series]:
    """Return the series with those apart that several logged models have points of."""
    if not repeated(series) or not all(needed <= tables.columns(table) for table, needed in _OWNED.items()):
        return series
    owned = [
        Owned(_shown_key(metric), text(model), text(name), stamp, step, value)
        for metric, model, name, stamp, step, value in _kept(tables, _OWNED_BY_MODELS, key, "logged models", notes)
        if isinstance(stamp, int) and isinstance(step, int) and isinstance(value, (int, float))
    ]
    return by_model(series, owned)


def _counted(tables: Tables, key: str) -> Columns | None:
    """Return a run's points asked for without their names, which costs a third less; None where one is not plain.

    NaN comes as NULL and is not plain, nor is anything that MLflow does not write.
    """
    columns = Columns()
    try:
        counts = _all(tables, _COUNTS, key)
        for rows in tables.batches(_NUMBERS, run=key):
            numbers = plain_numbers(rows)
            if numbers is None:
                return None
            columns.add_numbers(numbers)
    except SourceError:  # asking for all of it will say what is wrong
        return None
    return columns if columns.name([(name, int(str(count))) for name, count in counts]) else None


def _rows(tables: Tables, query: str, key: str) -> tuple[Columns, SourceError | None]:
    """Return what a query for points gives, and what ended it before its end."""
    columns = Columns()
    try:
        for rows in tables.batches(query, run=key):
            columns.add(rows)
    except SourceError as error:
        return columns, error
    return columns, None


def _asked_key(key: object) -> str:
    return key.decode("utf-8", "surrogateescape") if isinstance(key, bytes) else text(key)


def _shown_key(key: object) -> str:
    return shown_bytes(key) if isinstance(key, bytes) else "(no name)" if key is None else str(key)


def _pairs(tables: Tables, table: str, key: str, notes: list[Note]) -> dict[str, str]:
    if "key" not in tables.columns(table):
        notes.append(Note("metadata", f"{tables.where}: it has no table {table}; the metrics are whole"))
        return {}
    query = (
        f"SELECT substr({table}.key, 1, {MOST_TEXT}), substr({table}.value, 1, {MOST_TEXT}) FROM {table} "  # noqa: S608 - one of two
        f"WHERE {table}.run_uuid = :run ORDER BY {table}.key LIMIT {MOST_PAIRS + 1}"
    )
    found = _kept(tables, query, key, table, notes)
    if len(found) > MOST_PAIRS:
        notes.append(
            Note("limit", f"{tables.where}: the run has more than {MOST_PAIRS:,} {table}; the rest is left out")
        )
    return {text(name): text(value) for name, value in found[:MOST_PAIRS]}


def _datasets(tables: Tables, key: str, notes: list[Note]) -> list[tuple[str, str, str]]:
    if not all(needed <= tables.columns(table) for table, needed in _DATASETS.items()):
        return []
    rows = _kept(tables, _DATASETS_OF_RUN, key, "data sets", notes)
    return [(text(name), text(digest), text(what)) for name, digest, what in rows]


def _kept(tables: Tables, query: str, key: str, what: str, notes: list[Note]) -> list[Row]:
    """Return what a query gives; where it breaks off, what came before, which costs no point and is named."""
    found: list[Row] = []
    try:
        for rows in tables.batches(query, run=key):
            found += rows
    except SourceError as error:
        notes.append(Note("metadata", f"{error}; what could be read of the run's {what} was kept"))
    return found


def _all(tables: Tables, query: str, key: str) -> list[Row]:
    return [row for rows in tables.batches(query, run=key) for row in rows]


def page_place(tables: Tables, key: str) -> tuple[str, Mapping[str, str]]:
    """Return a run's artifact address ("" when unknown) and the tags that a verdict would change."""
    found: list[Row] = []
    if "artifact_uri" in tables.columns("runs"):
        found = _all(tables, "SELECT substr(runs.artifact_uri, 1, 2000) FROM runs WHERE runs.run_uuid = :run", key)
    query = (
        "SELECT tags.key, tags.value FROM tags WHERE tags.run_uuid = :run "
        "AND tags.key IN ('posthoc.verdict', 'posthoc.symptoms')"
    )
    return text(found[0][0]) if found else "", {text(k): text(v) for k, v in _all(tables, query, key)}
