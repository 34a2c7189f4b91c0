"""What the options say of MLflow: which runs of it are wanted, and whether verdicts go back there."""

from __future__ import annotations

import argparse
from typing import Any

from analyzer.auditing.write_back import WriteBack
from analyzer.cli.messages import complain
from analyzer.readers import Choice

Options = argparse.Namespace


def wanted(options: Options) -> dict[str, Any]:
    """Return which runs of a tracker are wanted, as keywords of the package's functions."""
    choice = Choice(tuple(options.experiments), options.filter, options.deleted)
    return {"tracking_uri": options.tracking_uri, "choice": choice}


def handback(options: Options) -> WriteBack | None:
    """Return what takes verdicts back, when that was asked for."""
    return WriteBack() if options.write_back else None


def tell_written(options: Options, back: WriteBack | None) -> int:
    """Say what came of --write-back; return 2 when a verdict could not be written, else 0."""
    if back is None:
        return 0
    for sentence in back.told():
        if back.failures or not options.quiet:
            complain(sentence)
    return 2 if back.failures else 0
