"""Servers behind a proxy are read through it, exempted hosts without it, and what goes wrong names the proxy."""

import socket
import socketserver
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from analyzer.errors import SourceError, UsageError
from analyzer.readers import open_source
from analyzer.readers.mlflow import server
from analyzer.readers.mlflow.proxy import proxy_for
from analyzer.readers.mlflow.rest import Limits
from tests.readers.mlflow.fake import Fake, serving

VARIABLES = [f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")]


class Relay(socketserver.BaseRequestHandler):
    """A proxy: CONNECT, and requests with a whole address, for those with the right login."""

    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.request.recv(1 << 16)
            if not more:
                return
            head += more
        self.server.asked.append(head.split(b"\r\n", 1)[0].decode())
        if self.server.login and self.server.login not in head:
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = head.split(b" ", 2)
        place = target if method == b"CONNECT" else target.split(b"/")[2]
        host, _, port = place.decode().rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            whole = b"http://" + place  # is no part of what the server is asked for
            if method == b"CONNECT":
                self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                far.sendall(head.replace(whole, b""))
            back = threading.Thread(target=_pour, args=(far, self.request), daemon=True)
            back.start()
            _pour(self.request, far, without=whole)
            back.join(5)


def _pour(near, far, without=None):
    with suppress(OSError):
        while part := near.recv(1 << 16):
            far.sendall(part.replace(without, b"") if without else part)
        far.shutdown(socket.SHUT_WR)


@contextmanager
def relaying(login=b""):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as proxy:
        proxy.daemon_threads, proxy.block_on_close = True, False
        proxy.asked, proxy.login = [], login
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(server, "LIMITS", Limits(answer=30.0, whole=60.0, attempts=2, pause=0.01))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def losses(address):
    (run,) = open_source(address)
    return run.series["loss"].values.tolist()


def test_a_server_is_read_through_the_proxy_with_its_login(monkeypatch):
    with relaying(login=b"Basic bWU6c2Vj") as proxy, serving(Fake()) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:sec@127.0.0.1:{proxy.server_address[1]}")
        assert losses(address) == [1.0, 0.5, 0.25]
        assert proxy.asked
        assert all(line.split()[1].startswith(address) for line in proxy.asked)


def test_an_exempted_host_is_asked_without_it(monkeypatch):
    with relaying() as proxy, serving(Fake()) as address:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.server_address[1]}")
        monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
        assert losses(address) == [1.0, 0.5, 0.25]
        assert proxy.asked == []


def test_a_proxy_that_refuses_or_is_not_there_is_named_without_its_password(monkeypatch):
    with relaying(login=b"Basic other") as proxy, serving(Fake()) as address:
        port = proxy.server_address[1]
        monkeypatch.setenv("HTTP_PROXY", f"http://me:sec@127.0.0.1:{port}")
        with pytest.raises(SourceError, match=f"407, the proxy 127.0.0.1:{port} of HTTP_PROXY wants a login") as told:
            losses(address)
        assert "sec@" not in str(told.value)
    with serving(Fake()) as address, pytest.raises(SourceError, match=r"asked through the proxy .* nothing listens"):
        losses(address)


@pytest.mark.parametrize("proxy", ["socks5://h:1", "https://h:1", "http://:80", "http://h:x"])
def test_a_proxy_of_another_kind_is_refused_in_a_sentence(monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(UsageError, match=r"ALL_PROXY names the proxy .* add mlflow\.example to NO_PROXY"):
        proxy_for("https", "mlflow.example", 443)


def test_a_server_with_tls_is_reached_through_a_tunnel(monkeypatch, tmp_path):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not here to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tmp_path / "cert"))
    with relaying(login=b"Basic bWU6c2Vj") as proxy, serving(Fake(), tls=context) as address:
        port = proxy.server_address[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:sec@127.0.0.1:{port}")
        assert losses(address) == [1.0, 0.5, 0.25]
        assert {line.split()[1] for line in proxy.asked} == {address.removeprefix("https://")}
    with relaying(login=b"Basic bWU6c2Vj") as proxy, serving(Fake(), tls=context) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
        with pytest.raises(SourceError, match="the proxy wants a login"):
            losses(address)
