"""A tracking server for tests: answers as MLflow's does over loopback, and goes wrong wherever a test says so."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

API, API_3 = "/api/2.0/mlflow/", "/api/3.0/mlflow/"
RUN = "0123456789abcdef0123456789abcdef"


def points(values, key="loss"):
    return [{"key": key, "value": v, "timestamp": 1_000 * (i + 1), "step": i} for i, v in enumerate(values)]


def run_json(key=RUN, metrics=("loss",), *, status="FINISHED", stage="active", experiment="1", start=1, **tags):
    return {
        "info": {
            "run_id": key,
            "run_name": f"name of {key[:4]}",
            "experiment_id": experiment,
            "status": status,
            "start_time": start,
            "end_time": None if status == "RUNNING" else 9,
            "lifecycle_stage": stage,
            "artifact_uri": f"mlflow-artifacts:/{experiment}/{key}/artifacts",
        },
        "data": {
            "metrics": [{"key": m, "value": 1.0, "timestamp": 1, "step": 0} for m in metrics],
            "params": [{"key": "lr", "value": "0.1"}, {"key": "api_key", "value": "hunter2"}],
            "tags": [{"key": k, "value": v} for k, v in tags.items()],
        },
        "inputs": {
            "dataset_inputs": [
                {
                    "tags": [{"key": "mlflow.data.context", "value": "training"}],
                    "dataset": {"name": "iris", "digest": "abc"},
                }
            ]
        },
    }


class Fake:
    """What the server holds: experiments, runs, histories by metric; `wrong` replaces the answer of a path.

    `workspaces` has what other workspaces than the default one hold; without any, the server knows of none.
    """

    def __init__(self):
        self.experiments = {"1": "vision", "2": "speech"}
        self.runs = {RUN: run_json()}
        self.histories = {"loss": points([1.0, 0.5, 0.25])}
        self.wrong = {}
        self.asked = []  # (method, path, query or body, headers)
        self.stored = {}
        self.page = 1_000
        self.workspaces = {}

    def answer(self, path, asked):
        if path == API_3 + "server-info" and self.workspaces:
            return {"store_type": "SqlStore", "workspaces_enabled": True}
        if path == API_3 + "workspaces" and self.workspaces:
            return {"workspaces": [{"name": name} for name in ("default", *self.workspaces)]}
        if path == API + "experiments/search":
            return {"experiments": [{"experiment_id": i, "name": n} for i, n in self.experiments.items()]}
        if path == API + "experiments/get":
            number = asked["experiment_id"]
            return {"experiment": {"experiment_id": number, "name": self.experiments[number]}}
        if path == API + "runs/search":
            stages = {"ACTIVE_ONLY": {"active"}, "ALL": {"active", "deleted"}}[asked["run_view_type"]]
            wanted = [r for r in self.runs.values() if r["info"]["experiment_id"] in asked["experiment_ids"]]
            return self._paged("runs", [r for r in wanted if r["info"]["lifecycle_stage"] in stages], asked)
        if path == API + "runs/get":
            return {"run": self.runs[asked["run_id"]]}
        if path == API + "metrics/get-history":
            return self._paged("metrics", self.histories[asked["metric_key"]], asked)
        if path == API + "runs/set-tag":
            tags = self.runs[asked["run_id"]]["data"]["tags"]
            tags[:] = [t for t in tags if t["key"] != asked["key"]]
            tags.append({"key": asked["key"], "value": asked["value"]})
            return {}
        if path == API + "artifacts/list":
            there = {name: page for name, page in self.stored.items() if f"/{asked['run_id']}/" in name}
            files = [{"path": "posthoc/report.html", "is_dir": False, "file_size": len(p)} for p in there.values()]
            return {"root_uri": "x", **({"files": files} if files else {})}
        return self.stored[path]

    def _paged(self, name, rows, asked):
        size = min(self.page, int(asked["max_results"]))  # a question without a size is an error here
        start = int(asked.get("page_token") or 0)
        more = {"next_page_token": str(start + size)} if start + size < len(rows) else {}
        return {name: rows[start : start + size], **more}


@contextmanager
def serving(fake, *, tls=None):
    """Yield the address of a server over a Fake on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece, or each waits for an acknowledgement

        def log_message(self, *_):
            pass

        def do_GET(self):
            parts = urlsplit(self.path)
            self.handle_one(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})

        def do_POST(self):
            self.handle_one(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_PUT(self):
            fake.stored[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.handle_one(self.path, None)

        def handle_one(self, path, asked):
            fake.asked.append((self.command, path, asked, dict(self.headers)))
            wrong = next((w for end, w in fake.wrong.items() if path.endswith(end)), None)
            if wrong is not None and wrong(self, asked) is not True:
                return
            held = fake.workspaces.get(self.headers.get("X-MLFLOW-WORKSPACE"), fake)
            try:
                body = b"" if self.command == "PUT" else held.answer(path, asked)
            except KeyError:
                send(self, 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"nothing at {path}"})
            else:
                send(self, 200, body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None  # who asked went away, as the tests want it
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def send(handler, status, body, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(raw)


def status(number, message="", **headers):
    return lambda handler, _: send(handler, number, {"error_code": "X", "message": message}, **headers)


def raw(body, **headers):
    return lambda handler, _: send(handler, 200, body, **headers)


def silent(seconds):
    return lambda handler, _: time.sleep(seconds)


def drip(*, head=False, length=True):
    """Send a byte now and then, or a header: each comes in time, the whole never does."""

    def answer(handler, _):
        handler.send_response(200)
        if length:
            handler.send_header("Content-Length", "1000000")
        handler.flush_headers() if head else handler.end_headers()
        handler.close_connection = True
        for _ in range(90):
            try:
                handler.wfile.write(b"X-A: b\r\n" if head else b" ")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    return answer


def closing(handler, _):
    handler.close_connection = True
    handler.connection.close()


def truncated(handler, _):
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(b'{"metrics": [{"key": "loss"')
    handler.close_connection = True


def times(count, wrong):
    """Go wrong so many times and then answer."""
    left = [count]

    def answer(handler, asked):
        left[0] -= 1
        return True if left[0] < 0 else wrong(handler, asked)

    return answer
