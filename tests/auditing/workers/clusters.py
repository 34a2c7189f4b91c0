"""A Dask cluster of two worker processes on this machine."""

import os
import tempfile
from contextlib import contextmanager

import pytest


@contextmanager
def local_cluster(workers=2):
    """Yield a cluster with one thread a worker; tests skip where Dask is missing or there are no POSIX processes."""
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    if os.name != "posix":
        pytest.skip("processes are killed as POSIX does it")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            host="127.0.0.1",
            local_directory=scratch,
            silence_logs=50,
        ) as cluster,
    ):
        yield cluster


def processes(cluster):
    """Return the process id of each worker."""
    from distributed import Client

    with Client(cluster.scheduler_address, set_as_default=False) as client:
        return [*client.run(os.getpid).values()]
