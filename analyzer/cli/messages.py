"""What is said on standard error: words and names that may hold passwords and control characters."""

from __future__ import annotations

import sys

from analyzer.model.redaction import mask_text
from analyzer.writers.phrases import visible


def safe(text: str) -> str:
    """Return the text with secrets masked and everything that hides or controls text written out."""
    return visible(mask_text(text))


def complain(text: str) -> None:
    """Say a sentence on standard error."""
    sys.stderr.write(f"posthoc: {safe(text)}\n")
