"""The JSON schema of findings.json, for whoever reads it with another program."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def findings_schema() -> dict[str, Any]:
    """Return the schema of the document `posthoc/1` (JSON Schema 2020-12)."""
    return dict(json.loads(resources.files(__name__).joinpath("posthoc-1.json").read_text(encoding="utf-8")))
