"""Run by a Python that has MLflow: `autologged.py WHAT...` trains small models, prints run ids as JSON."""

import json
import sys
import warnings

import mlflow
import numpy as np
from mlflow.entities import Metric

warnings.simplefilter("ignore")
RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 5))
Y = (X @ np.array([1.0, -2.0, 0.5, 0.0, 0.0]) + 0.3 * RNG.normal(size=300) > 0).astype(int)
HALF = 150


def sklearn():
    from sklearn.linear_model import LogisticRegression

    mlflow.sklearn.autolog(log_models=False)
    LogisticRegression(C=0.5).fit(X, Y)


def xgboost():
    import xgboost as xgb

    mlflow.xgboost.autolog(log_models=False)
    known = [(xgb.DMatrix(X[:HALF], Y[:HALF]), "train"), (xgb.DMatrix(X[HALF:], Y[HALF:]), "validation")]
    options = {"objective": "binary:logistic", "eval_metric": "logloss"}
    xgb.train(options, known[0][0], 40, evals=known, early_stopping_rounds=10, verbose_eval=False)


def lightgbm():
    import lightgbm as lgb

    mlflow.lightgbm.autolog(log_models=False)
    train = lgb.Dataset(X[:HALF], Y[:HALF])
    options = {"objective": "binary", "metric": "binary_logloss", "verbosity": -1}
    lgb.train(
        options, train, 40, valid_sets=[train, lgb.Dataset(X[HALF:], Y[HALF:])], valid_names=["training", "valid_0"]
    )


def keras():
    import keras

    mlflow.tensorflow.autolog(log_models=False)
    model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(X[:HALF], Y[:HALF], epochs=15, validation_data=(X[HALF:], Y[HALF:]), verbose=0)


def by_hand():
    """A parent with a nested run that diverges, a data set, a failure, and system metrics."""
    data = mlflow.data.from_numpy(X, targets=Y, name="made")
    mlflow.log_input(data, context="training")
    with mlflow.start_run(nested=True, run_name="diverges") as child:
        loss = [float(np.exp(-step / 20)) if step < 80 else float("nan") for step in range(120)]
        points = [Metric("train_loss", value, 1_000 * step, step) for step, value in enumerate(loss)]
        points += [Metric("system/cpu_utilization_percentage", 50.0 + i % 7, 10_000 * i, i) for i in range(12)]
        mlflow.MlflowClient().log_batch(child.info.run_id, metrics=points)
        mlflow.log_params({"lr": 0.1, "api_key": "hunter2"})
    mlflow.MlflowClient().set_terminated(child.info.run_id, "FAILED")
    return child.info.run_id


def main():
    mlflow.set_experiment("autologs")
    ids = {}
    for what in sys.argv[1:]:
        with mlflow.start_run(run_name=what) as run:
            child = globals()[what]()
        ids[what] = run.info.run_id
        if child:
            ids["child"] = child
        mlflow.autolog(disable=True)
    print(json.dumps(ids))


if __name__ == "__main__":
    main()
