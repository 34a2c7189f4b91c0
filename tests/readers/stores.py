"""A real S3 server on this machine, in memory, that counts what it is asked for."""

import logging
import os
import re
from contextlib import contextmanager
from unittest import mock

import pytest

ASKED = re.compile(r"(GET|HEAD|PUT|POST|DELETE) /([^ ?]*)(\?\S*)? HTTP")


class Asked(logging.Handler):
    """Questions as (method, object or bucket, whether it is a listing)."""

    def __init__(self):
        super().__init__()
        self.all = []

    def emit(self, record):
        method, path, query = ASKED.search(record.getMessage()).groups()
        self.all.append((method, path, "list-type" in (query or "")))

    def since(self):
        """Return (listings, other questions) since the last call."""
        told, self.all = self.all, []
        return [one for one in told if one[2]], [one[:2] for one in told if not one[2]]


@contextmanager
def s3_server():
    """Yield (fsspec's file system, Asked); the environment leads every new S3 client there."""
    pytest.importorskip("s3fs", reason="the extra 's3' is not installed")
    server = pytest.importorskip("moto.server", reason="moto[s3,server] is not installed")
    import fsspec

    log, asked = logging.getLogger("werkzeug"), Asked()
    log.addHandler(asked)
    log.setLevel(logging.INFO)
    log.propagate = False
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    names = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "hunter2-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with mock.patch.dict(os.environ, names):
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield fsspec.filesystem("s3", use_listings_cache=False), asked
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    running.stop()
    log.removeHandler(asked)


def upload(files, folder, bucket):
    """Copy a folder of this machine into a bucket."""
    for path in folder.rglob("*"):
        if path.is_file():
            files.pipe_file(f"{bucket}/{path.relative_to(folder).as_posix()}", path.read_bytes())
