"""MLflow's file stores and databases, read directly: nothing is created, changed or followed."""

from analyzer.readers.mlflow.store import Mlflow

FORMAT = Mlflow()
