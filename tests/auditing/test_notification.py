"""One message a night when something is new, none when nothing is; no address is ever shown."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer.auditing import notification
from analyzer.auditing.notification import Notifier
from analyzer.cli import main
from analyzer.errors import UsageError

pytest.importorskip("apprise", reason="the extra 'notify' is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # apprise's own
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
]


def write(folder, sick=False):
    with SummaryWriter(str(folder)) as writer:
        for i in range(200):
            writer.add_scalar("loss", float("nan") if sick and i > 150 else 0.2 + 2.0 * np.exp(-i / 60), i)


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notification, "PAUSE", 0.0)
    write(tmp_path / "logs" / "fine")
    write(tmp_path / "logs" / "s_i*ck @all", sick=True)
    return tmp_path / "logs"


@pytest.fixture
def service():
    """Yield (address with a secret, messages); the server refuses as many messages as `refuses` says."""
    messages = []

    class Answer(BaseHTTPRequestHandler):
        refuses = 0

        def do_POST(self):
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            Answer.refuses -= 1
            self.send_response(500 if Answer.refuses >= 0 else 200)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://me:hunter2@127.0.0.1:{server.server_port}/topsecret", messages, Answer
    server.shutdown()
    thread.join()
    server.server_close()


def audit(capsys, logs, *words):
    code = main(["audit", str(logs), *map(str, words)])
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err and "topsecret" not in said.out + said.err
    return code, said.err


def test_one_message_when_something_is_new_and_none_when_nothing_is(capsys, logs, service):
    address, messages, _ = service
    nightly = ("--state", "s.db", "-q", "--notify", address)
    assert audit(capsys, logs, *nightly) == (0, "")
    (first,) = messages
    assert first["title"] == "posthoc: 1 new finding in 1 of 2 runs"
    assert "s_i*ck ＠all: non-finite: " in first["message"] and "site/index.html" in first["message"]
    assert audit(capsys, logs, *nightly)[0] == 0 and len(messages) == 1
    write(logs / "worse", sick=True)
    assert audit(capsys, logs, *nightly)[0] == 0 and len(messages) == 2
    assert "worse: non-finite" in messages[1]["message"] and "Besides: 1 still there." in messages[1]["message"]


def test_the_settings_name_addresses_too_and_the_call_overrules_them(capsys, logs, service, tmp_path):
    address, messages, _ = service
    (tmp_path / "posthoc.toml").write_text(f'notify = ["{address}"]\n')
    code, told = audit(capsys, logs, "-q")
    assert code == 0 and "needs --state" in told and not messages
    audit(capsys, logs, "-q", "--state", "s.db")
    assert len(messages) == 1
    audit(capsys, logs, "-q", "--state", "t.db", "--notify", address, "--notify", address)
    assert len(messages) == 3
    for site in (tmp_path / "posthoc-site").rglob("*.*"):
        assert b"hunter2" not in site.read_bytes()
    assert b"hunter2" not in (tmp_path / "s.db").read_bytes()


def test_a_merge_tells_and_its_parts_do_not(capsys, logs, service):
    address, messages, _ = service
    assert audit(capsys, logs, "--shard", "1/1", "-o", "part", "--notify", address, "--state", "s.db")[0] == 2
    assert audit(capsys, logs, "--shard", "1/1", "-o", "part", "-q")[0] == 0 and not messages
    assert main(["merge", "part", "-o", "site", "-q", "--state", "s.db", "--notify", address]) == 0
    assert len(messages) == 1 and "non-finite" in messages[0]["message"]


def test_what_cannot_be_delivered_is_said_and_changes_nothing_else(capsys, logs, service):
    address, messages, answer = service
    answer.refuses = 2
    assert audit(capsys, logs, "--state", "s.db", "-q", "--notify", address) == (0, "") and len(messages) == 3
    answer.refuses = 3
    code, told = audit(capsys, logs, "--state", "t.db", "-q", "--notify", address, "--fail-on", "error")
    assert code == 1 and told == "posthoc: notify address 1 (json://…): could not be notified\n"
    assert audit(capsys, logs, "--state", "t.db", "-q", "--notify", address)[0] == 0 and len(messages) == 6


@pytest.mark.parametrize("address", ["nonsense://hunter2", "slack://hunter2", "hunter2", "://"])
def test_an_address_that_means_nothing_is_told_before_anything_is_judged(capsys, logs, tmp_path, address):
    code, told = audit(capsys, logs, "--state", "s.db", "--notify", address)
    assert code == 2 and "notify address 1" in told and told.count("\n") == 1
    assert not (tmp_path / "posthoc-site").exists()


def test_it_needs_a_memory_and_the_extra(capsys, logs, monkeypatch):
    assert "--notify needs --state" in audit(capsys, logs, "--notify", "json://hunter2@h")[1]
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(UsageError, match=r"posthoc\[notify\]"):
        Notifier(["json://host"])
