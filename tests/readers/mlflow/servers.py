"""Servers that tests and benchmarks start themselves: PostgreSQL as the system has it, and MLflow."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

USER, PASSWORD = "ann", "s3cret-pg"


class MissingError(Exception):
    """What is needed for a server is not installed."""


def free_port():
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(answers, server, seconds):
    """Wait until a server answers; RuntimeError when it ends before, or does not in time."""
    until = time.monotonic() + seconds
    while not answers():
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the server did not start")
        time.sleep(0.1)


@contextmanager
def postgres():
    """Yield a function that makes a new database on a PostgreSQL of its own and returns its address. MissingError."""
    import psycopg

    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    tool = str(tools[-1]) if tools else shutil.which("initdb")
    if tool is None:
        raise MissingError("PostgreSQL is not installed (apt-get install postgresql)")
    place = Path(tempfile.mkdtemp(prefix="posthoc-postgres-"))
    as_user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        try:
            shutil.chown(place, "postgres")
        except LookupError as error:
            raise MissingError("PostgreSQL does not run as root, and there is no user postgres") from error
        as_user = ["runuser", "-u", "postgres", "--"]
    (place / "password").write_text(PASSWORD)
    data, port = place / "data", free_port()
    made = [tool, "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={place / 'password'}", "-E", "UTF8"]
    subprocess.run([*as_user, *map(str, made), "--no-sync", "--locale=C"], check=True, capture_output=True, cwd=place)
    options = ["-p", str(port), "-k", str(place), "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
    program = str(Path(tool).with_name("postgres"))
    server = subprocess.Popen(
        [*as_user, program, "-D", str(data), *options], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}"
    count = iter(range(1000))

    def answers():
        try:
            psycopg.connect(f"{address}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def database():
        name = f"mlflow{next(count)}"
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{address}/{name}"

    try:
        wait_for(answers, server, 60)
        yield database
    finally:
        with suppress(OSError, ValueError):  # at once: asked politely it would wait for connections that are kept
            os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        server.terminate()
        server.wait(30)
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def mariadb():
    """Yield a function that makes a new database on a MariaDB of its own and returns its address. MissingError."""
    import pymysql

    install, program = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    if install is None or program is None:
        raise MissingError("MariaDB is not installed (apt-get install mariadb-server)")
    place, port = Path(tempfile.mkdtemp(prefix="posthoc-mariadb-")), free_port()
    user = ["--user=mysql"] if os.geteuid() == 0 else []  # MariaDB refuses to run as root
    if user:
        shutil.chown(place, "mysql")
    first = place / "first.sql"
    who = f"'{USER}'@'127.0.0.1'"
    first.write_text(f"CREATE USER {who} IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO {who};\n")
    kept = ["--no-defaults", f"--datadir={place / 'data'}", *user]
    subprocess.run([install, *kept, "--skip-test-db"], check=True, capture_output=True, cwd=place)
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={place / 's'}", f"--pid-file={place / 'p'}"]
    options += [f"--init-file={first}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
    server = subprocess.Popen(
        [program, *kept, *options], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    count = iter(range(1000))

    def ask(statement):
        with pymysql.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD) as one, one.cursor() as cursor:
            cursor.execute(statement)

    def answers():
        try:
            ask("SELECT 1")
        except pymysql.OperationalError:
            return False
        return True

    def database():
        name = f"mlflow{next(count)}"
        ask(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}"

    try:
        wait_for(answers, server, 60)
        yield database
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def tracking_server(python, store, place, *words, **variables):
    """Yield the address of a real tracking server over a store; its log and artifacts lie in `place`."""
    port = free_port()
    kept = ["--backend-store-uri", store.replace("postgresql:", "postgresql+psycopg:")]
    kept += ["--artifacts-destination", str(place / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    with (place / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [python, "-m", "mlflow", "server", *kept, *words],
            env=os.environ | variables,
            cwd=place,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def answers():
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for(answers, server, 240)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(3)  # it would wait for connections that are kept
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
