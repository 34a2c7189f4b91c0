"""Servers that tests start themselves: PostgreSQL from the system's package, and MLflow from its own environment."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
USER, PASSWORD = "ann", "s3cret-pg"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port, seconds, alive=lambda: True):
    """Wait until something listens on a port; whether it came to that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and alive():
        with socket.socket() as one:
            one.settimeout(1)
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _answers(psycopg, address):
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres():
    """Return a function that makes a new database on a PostgreSQL of this session and returns its address."""
    psycopg = pytest.importorskip("psycopg", reason="the extra sql is not installed")
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    tool = str(tools[-1]) if tools else shutil.which("initdb")
    if tool is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    place = Path(tempfile.mkdtemp(prefix="posthoc-postgres-"))  # pytest's own folders are closed to other users
    as_user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        try:
            shutil.chown(place, "postgres")
        except LookupError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    (place / "password").write_text(PASSWORD)
    data, port = place / "data", free_port()
    made = [tool, "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={place / 'password'}", "-E", "UTF8"]
    subprocess.run([*as_user, *map(str, made), "--no-sync", "--locale=C"], check=True, capture_output=True, cwd=place)
    options = ["-p", str(port), "-k", str(place), "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
    server = subprocess.Popen(
        [*as_user, str(Path(tool).with_name("postgres")), "-D", str(data), *options],
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}"
    count = iter(range(1000))

    def database():
        name = f"mlflow{next(count)}"
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{address}/{name}"

    try:
        until = time.monotonic() + 60
        while not _answers(psycopg, f"{address}/postgres"):
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail("PostgreSQL did not start")
            time.sleep(0.1)
        yield database
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def mlflow_python():
    """Return the Python that has MLflow and what its servers and autologging need."""
    found = os.environ.get("POSTHOC_MLFLOW") or str(ROOT / ".venv-mlflow" / "bin" / "python")
    if not Path(found).exists():
        pytest.skip("no environment with MLflow (.venv-mlflow, or POSTHOC_MLFLOW=its python); see tests/requirements")
    return found


@pytest.fixture(autouse=True)
def nobodys_login(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
