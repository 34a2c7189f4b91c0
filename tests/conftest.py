"""What holds for every test: a busy machine is no reason to fail, and small audits need no process of their own."""

import pytest
from hypothesis import settings

from analyzer.fleet.crew import cores

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def few_runs_are_judged_here(request, monkeypatch):
    """A process a small audit would double the time of the tests; `guarded` ones do as users do."""
    if "guarded" not in request.keywords:
        monkeypatch.setattr(cores, "LEAST", 0)
