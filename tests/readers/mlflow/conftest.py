"""What the tests of MLflow share: servers of their own, and nobody's login."""

import os
from pathlib import Path

import pytest

from tests.readers.mlflow import servers

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def postgres():
    """Return a function that makes a new database on a PostgreSQL of this session and returns its address."""
    pytest.importorskip("psycopg", reason="the extra sql is not installed")
    try:
        with servers.postgres() as database:
            yield database
    except servers.MissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mariadb():
    """Return a function that makes a new database on a MariaDB of this session and returns its address."""
    pytest.importorskip("pymysql", reason="the extra sql is not installed")
    try:
        with servers.mariadb() as database:
            yield database
    except servers.MissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mlflow_python():
    """Return the Python that has MLflow and what its servers and autologging need."""
    found = os.environ.get("POSTHOC_MLFLOW") or str(ROOT / ".venv-mlflow" / "bin" / "python")
    if not Path(found).exists():
        pytest.skip("no environment with MLflow (.venv-mlflow, or POSTHOC_MLFLOW); see tests/requirements-mlflow.txt")
    return found


@pytest.fixture(autouse=True)
def nobodys_login(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
