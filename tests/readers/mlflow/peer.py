"""Run by a Python that has MLflow: what MLflow itself writes and reads, for the tests that compare.

`peer.py log URI SEED COUNT` logs random runs through the client, `peer.py read URI` prints as JSON what the client
reads of all runs, `log_and_read` does both; `peer.py grow URI` makes a database of MLflow's first schema with one run
and takes it through every revision there has been: it prints each one's name and waits for a line before it goes on.
"""

import json
import os
import random
import string
import sys
import warnings

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
warnings.simplefilter("ignore")
RUN = "a" * 32
START = 1_700_000_000_000
ODD = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 5e-324, 1e308, -1e308, 1.0, 3, 1e-7, 123456789.123456789]
NAMES = [
    "loss",
    "train/loss",
    "a b:c.d-e_f",
    "größe/ä",
    "損失",
    "x" * 240,
    "deep/er/and/deeper",
    "system/cpu",
    "0",
    "nan",
]
FROM_STORE = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


def log(uri, seed, count):
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client, rng = MlflowClient(uri), random.Random(int(seed))
    experiments = [client.create_experiment(f"random {seed} {i}") for i in range(2)]
    runs = []
    for number in range(int(count)):
        parent = {"mlflow.parentRunId": rng.choice(runs)} if runs and rng.random() < 0.5 else {}
        run = client.create_run(rng.choice(experiments), run_name=f"run {number} é", tags=parent).info.run_id
        runs.append(run)
        for key in rng.sample(NAMES, rng.randrange(0, 6)):
            client.log_batch(run, metrics=history(Metric, rng, key))
        client.log_batch(run, params=[Param(p, text(rng)) for p in rng.sample(NAMES[:5], rng.randrange(0, 4))])
        client.log_batch(run, tags=[RunTag(p, text(rng)) for p in rng.sample(NAMES[:5], rng.randrange(0, 4))])
        if rng.random() < 0.8:
            client.set_terminated(run, rng.choice(["FINISHED", "FAILED", "KILLED"]))
    client.delete_run(runs[0])
    gone = client.create_experiment(f"deleted {seed}")
    client.log_metric(client.create_run(gone).info.run_id, "loss", 1.0)
    client.delete_experiment(gone)
    print(json.dumps(runs))


def log_and_read(uri, seed, count):
    log(uri, seed, count)
    read(uri)


def history(metric, rng, key):
    """Return points whose steps and timestamps repeat, go back and are negative; no two of them are the same."""
    points = {}
    for _ in range(rng.choice([1, 2, 30, 300])):
        step = rng.choice([0, rng.randrange(-5, 300), rng.randrange(-5, 300), -(2**40), 2**40])
        stamp = START + 1000 * rng.randrange(100)
        value = rng.choice(ODD) if rng.random() < 0.2 else rng.gauss(0, 1)
        points[stamp, step, repr(value)] = metric(key, value, stamp, step)
    return list(points.values())


def text(rng):
    return "".join(rng.choices(string.ascii_letters + " ü損%'\"\\:{}\n", k=rng.randrange(1, 40))).strip() or "-"


def read(uri):
    from mlflow import MlflowClient
    from mlflow.entities import ViewType

    client, found, token = MlflowClient(uri), {}, None
    experiments = [one.experiment_id for one in client.search_experiments(view_type=ViewType.ALL)]
    while True:
        page = client.search_runs(experiments, run_view_type=ViewType.ALL, max_results=500, page_token=token)
        for run in page:
            key = run.info.run_id
            histories = {name: client.get_metric_history(key, name) for name in run.data.metrics}
            found[key] = {
                "name": run.info.run_name,
                "status": run.info.status,
                "stage": run.info.lifecycle_stage,
                "experiment": client.get_experiment(run.info.experiment_id).name,
                "params": run.data.params,
                "tags": {k: v for k, v in run.data.tags.items() if k not in FROM_STORE},
                "metrics": {k: [[m.timestamp, repr(m.value), m.step] for m in h] for k, h in histories.items()},
                "artifacts": [one.path for one in client.list_artifacts(key, "posthoc")],
            }
        token = page.token
        if not token:
            print(json.dumps(found))
            return


def grow(uri):
    import logging

    import sqlalchemy
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    logging.disable()
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for statement in FIRST:
            connection.execute(sqlalchemy.text(statement))
    config = _get_alembic_config(uri)
    revisions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    for revision in ("initial", *revisions):
        if revision != "initial":
            command.upgrade(config, revision)
        columns = {one["name"] for one in sqlalchemy.inspect(engine).get_columns("metrics")}
        print(json.dumps([revision, sorted(columns)]), flush=True)
        sys.stdin.readline()
        if "is_nan" in columns and "step" in columns:
            with engine.begin() as connection:
                connection.execute(sqlalchemy.text(ONE_MORE), {"nan": revisions.index(revision) % 2 == 0})


FIRST = [
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
    "VALUES (7, 'old', 'x', 'active')",
    "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
    "end_time, source_version, lifecycle_stage, artifact_uri, experiment_id) "
    f"VALUES ('{RUN}', 'calm-fox', 'LOCAL', 's', '', 'ann', 'FINISHED', 1, 9, '', 'active', 'x', 7)",
    f"INSERT INTO metrics (key, value, timestamp, run_uuid) VALUES ('loss', 0.5, 2000, '{RUN}')",
    f"INSERT INTO metrics (key, value, timestamp, run_uuid) VALUES ('loss', 0.25, 3000, '{RUN}')",
    f"INSERT INTO params (key, value, run_uuid) VALUES ('lr', '0.1', '{RUN}')",
    f"INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.runName', 'brisk-owl', '{RUN}')",
]
ONE_MORE = (
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
    f"SELECT 'later', CASE WHEN :nan THEN 0 ELSE 0.125 END, 5000 + count(*), '{RUN}', count(*), :nan FROM metrics"
)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
