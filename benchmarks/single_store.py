"""Models of scikit-learn that are good, memorised, at chance or constant, logged with one value a metric."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
START = 1_760_000_000_000
KINDS = ("good", "gap", "good", "chance", "good", "constant", "good", "nan")
HABITS = ("hand", "autolog", "evaluate", "folders")


def trained_store(root: Path, models: int, rng: np.random.Generator) -> dict[str, str]:
    """Write a file store of so many models; return the kind of each run by its id."""
    truth = {}
    for i in range(models):
        kind, habit = KINDS[i % len(KINDS)], HABITS[(i // len(KINDS)) % len(HABITS)]
        task = ("binary", "rare", "several", "regression")[(i // 3) % 4]
        if kind == "constant" and task == "regression":
            kind = "chance"  # a constant of a regression has an R² of 0
        n_test = int(rng.choice([300, 600, 1500]))
        metrics, name = _trained(kind, task, habit, n_test, rng)
        run = f"{i:032x}"
        params = {"estimator": name, "n_train": "800", "random_state": str(i)}
        if habit != "evaluate":
            params["n_test"] = str(n_test)
        write_run(root, f"{1 + HABITS.index(habit)}", run, START + i * 3_600_000, metrics, params)
        truth[run] = kind
    return truth


def _trained(kind: str, task: str, habit: str, n_test: int, rng: np.random.Generator) -> tuple[dict[str, float], str]:
    """Return the metrics of one trained model under the names of a habit, and the estimator's name."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    signal = {"good": 2.2, "gap": 0.5, "chance": 0.0, "constant": 0.3, "nan": 2.2}[kind]
    n, seed = 800 + n_test, int(rng.integers(1 << 30))
    x = rng.normal(size=(n, 10))
    if task == "regression":
        y = x[:, :4].sum(1) * signal / 2 + rng.normal(0, 1, n)
        model: Any = Ridge() if rng.random() < 0.5 else RandomForestRegressor(60, min_samples_leaf=8, random_state=seed)
        if kind == "gap":
            model = DecisionTreeRegressor(random_state=seed)
        if kind == "chance":
            model = DummyRegressor() if rng.random() < 0.5 else RandomForestRegressor(60, min_samples_leaf=40)
    else:
        shares = {"binary": [0.5, 0.5], "rare": [0.88, 0.12], "several": [0.2] * 5}[task]
        y = rng.choice(len(shares), size=n, p=shares)
        centres = rng.normal(size=(len(shares), 10))
        centres *= signal * (1.25 if len(shares) > 2 else 1.0) / np.linalg.norm(centres, axis=1, keepdims=True)
        x += centres[y]
        model = LogisticRegression() if rng.random() < 0.5 else RandomForestClassifier(80, min_samples_leaf=8)
        if kind == "gap":
            model = RandomForestClassifier(40) if rng.random() < 0.5 else DecisionTreeClassifier()
        if kind == "constant":
            model = DummyClassifier() if rng.random() < 0.5 else DecisionTreeClassifier(min_samples_leaf=700)
    model.fit(x[:800], y[:800])
    name = type(model).__name__
    parts = {"train": (x[:800], y[:800]), "test": (x[800:], y[800:])}
    scored = {
        split: _regression(model, *p) if task == "regression" else _classes(model, *p) for split, p in parts.items()
    }
    if kind == "nan":
        spoilt = "rmse" if task == "regression" else "log_loss"
        scored["test"][spoilt] = float("nan")
    return _named(scored, habit, task, n_test, rng), name


def _regression(model: Any, x: Array, y: Array) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    said = model.predict(x)
    mse = float(mean_squared_error(y, said))
    return {"mse": mse, "rmse": mse**0.5, "mae": float(mean_absolute_error(y, said)), "r2": float(r2_score(y, said))}


def _classes(model: Any, x: Array, y: Array) -> dict[str, float]:
    from sklearn import metrics as m

    said, chance = model.predict(x), model.predict_proba(x)
    found = {"accuracy": m.accuracy_score(y, said), "log_loss": m.log_loss(y, np.clip(chance, 1e-6, 1))}
    found["balanced_accuracy"], found["mcc"] = m.balanced_accuracy_score(y, said), m.matthews_corrcoef(y, said)
    two = chance.shape[1] == 2
    found["roc_auc"] = m.roc_auc_score(y, chance[:, 1]) if two else m.roc_auc_score(y, chance, multi_class="ovr")
    for how in ("weighted", "macro", *(["binary"] if two else [])):
        scores: tuple[Callable[..., float], ...] = (m.precision_score, m.recall_score, m.f1_score)
        for score in scores:
            found[f"{score.__name__.removesuffix('_score')}_{how}"] = score(y, said, average=how, zero_division=0)
    return {name: float(value) for name, value in found.items()}


def _named(
    scored: dict[str, dict[str, float]], habit: str, task: str, n_test: int, rng: np.random.Generator
) -> dict[str, float]:
    """Return what a script of this habit would log, under the names that it would give."""
    train, test = scored["train"], scored["test"]
    if task == "regression":
        names = {
            "mse": "mean_squared_error",
            "rmse": "root_mean_squared_error",
            "mae": "mean_absolute_error",
            "r2": "r2_score",
        }
    else:
        binary = "binary" if "f1_binary" in test else "macro"
        few = rng.random() < 0.4
        names = {"accuracy": "accuracy_score", "log_loss": "log_loss", "roc_auc": "roc_auc"}
        names |= {} if few else {f"f1_{binary}": "f1_score", f"recall_{binary}": "recall_score"}
        if few and rng.random() < 0.5:
            names = {
                "accuracy": "accuracy_score",
                f"f1_{binary}": "f1_score",
                f"recall_{binary}": "recall_score",
                "log_loss": "log_loss",
            }
        elif few:
            names = {"accuracy": "accuracy_score", "mcc": "mcc", "log_loss": "log_loss"}
    short = {long: key.removesuffix("_binary").removesuffix("_macro") for key, long in names.items()}
    if habit == "hand":
        return {
            f"{s}_{short[long]}": v[key] for s, v in (("train", train), ("test", test)) for key, long in names.items()
        }
    if habit == "folders":
        share = {"accuracy", "f1_binary", "f1_macro", "recall_binary", "recall_macro", "roc_auc"}
        camel = {long: "".join(w.capitalize() for w in short[long].split("_")) for long in names.values()}
        return {
            f"{s}/{camel[long]}": v[key] * (100 if key in share else 1)
            for s, v in (("Train", train), ("Val", test))
            for key, long in names.items()
        }
    own = {} if task == "regression" else {
        "training_accuracy_score": train["accuracy"], "training_precision_score": train["precision_weighted"],
        "training_recall_score": train["recall_weighted"], "training_f1_score": train["f1_weighted"],
        "training_log_loss": train["log_loss"], "training_roc_auc": train["roc_auc"],
        "training_score": train["accuracy"],
    }  # fmt: skip
    if task == "regression":
        own = {f"training_{long}": train[key] for key, long in names.items()} | {"training_score": train["r2"]}
    if habit == "autolog":
        return own | {f"{long}_X_test": test[key] for key, long in names.items()}
    return own | {long: test[key] for key, long in names.items()} | {"example_count": float(n_test)}


def write_run(
    root: Path, experiment: str, run: str, at: int, metrics: dict[str, float], params: dict[str, str]
) -> None:
    """Write one finished run with one value a metric into an MLflow file store; `at` is in milliseconds."""
    home = root / experiment
    if not (home / "meta.yaml").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "meta.yaml").write_text(
            f"artifact_location: mlflow-artifacts:/{experiment}\ncreation_time: {at}\nexperiment_id: '{experiment}'\n"
            f"last_update_time: {at}\nlifecycle_stage: active\nname: singles-{experiment}\n"
        )
    folder = home / run
    for part in ("metrics", "params", "tags", "artifacts"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name, value in metrics.items():
        (folder / "metrics" / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / "metrics" / name).write_text(f"{at + 50_000} {'NaN' if np.isnan(value) else repr(float(value))} 0\n")
    for name, text in params.items():
        (folder / "params" / name).write_text(text)
    (folder / "tags" / "mlflow.runName").write_text(f"run {run[-4:]}")
    (folder / "meta.yaml").write_text(
        f"artifact_uri: mlflow-artifacts:/{experiment}/{run}/artifacts\nend_time: {at + 60_000}\nentry_point_name: ''\n"
        f"experiment_id: '{experiment}'\nlifecycle_stage: active\nrun_id: {run}\nrun_name: run {run[-4:]}\n"
        f"run_uuid: {run}\nsource_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: {at}\nstatus: 3\n"
        "tags: []\nuser_id: benchmark\n"
    )
