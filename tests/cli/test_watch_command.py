"""`posthoc watch` says what comes up, tells others, and ends at a signal with the code of an audit."""

import json
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer.cli import main


def log(folder, sick):
    with SummaryWriter(str(folder)) as writer:
        for i in range(400):
            value = float("nan") if sick and i >= 300 else 0.2 + 2 * np.exp(-i / 60)
            writer.add_scalar("loss", value, i, walltime=time.time() - 60 * (400 - i))


def started(tmp_path, *words):
    command = [sys.executable, "-m", "analyzer", "watch", *words]
    return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(process, words):
    """Return the first line that has the words; a watch that does not say them within a minute is ended."""
    late = threading.Timer(60.0, process.kill)
    late.start()
    try:
        for line in process.stdout:
            if words in line:
                return line
    finally:
        late.cancel()
    raise AssertionError(process.stderr.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_code_of_an_audit(tmp_path, number):
    log(tmp_path / "logs" / "good", sick=False)
    process = started(tmp_path, "logs", "--every", "0.3s", "--fail-on", "error")
    try:
        until(process, "watching 1 run")
        log(tmp_path / "logs" / "sick", sick=True)
        line = until(process, "sick: non-finite since step 300 (")
        assert " h so far): loss" in line
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (1, "") and "non-finite" not in out


def test_a_watch_of_healthy_runs_ends_with_zero(tmp_path):
    log(tmp_path / "logs" / "good", sick=False)
    process = started(tmp_path, "logs", "--every", "0.3s", "--fail-on", "error")
    try:
        until(process, "watching 1 run")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0


def test_only_what_is_new_is_notified(tmp_path):
    pytest.importorskip("apprise", reason="the extra 'notify' is not installed")
    messages = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log(tmp_path / "logs" / "old", sick=True)
    process = started(tmp_path, "logs", "--every", "0.3s", "--notify", f"json://127.0.0.1:{server.server_port}/x")
    try:
        until(process, "there at the start")
        log(tmp_path / "logs" / "@all fresh", sick=True)
        until(process, "fresh: non-finite")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        server.shutdown()
        server.server_close()
    (message,) = messages
    assert message["title"] == "posthoc: 1 new finding in 1 run"
    assert "fresh: non-finite since step 300" in message["message"] and "@all" not in message["message"]
    assert "old" not in message["message"]


def test_wrong_words_are_two(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    assert main(["watch", "absent"]) == 2 and "does not exist" in capsys.readouterr().err
    assert main(["watch", "logs", "--every", "soon"]) == 2 and "--every" in capsys.readouterr().err
    assert main(["watch", "logs", "--state", "none"]) == 2 and "--state" in capsys.readouterr().err
