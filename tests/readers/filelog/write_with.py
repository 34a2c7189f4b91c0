"""Write a log with the library named: `python write_with.py LIBRARY FOLDER`; runs in the environment of the writers.

The points are those of `POINTS`; exit code 77 means that the library is not installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

POINTS = [(step, 2.0 / (step + 1) + 1e-17 * step) for step in range(40)]
ABSENT = 77


def wandb(folder: str) -> None:
    """Two metrics, one of them nested, in an offline run that ends with exit code 3."""
    os.environ["WANDB_SILENT"] = "true"
    import wandb as library

    run = library.init(mode="offline", dir=folder, project="p", config={"lr": 0.1, "net": {"width": 8}})
    for step, value in POINTS:
        run.log(
            {"loss": value, "val": {"acc": 1 - value, "text": "a"}, "bins": library.Histogram([1, 2, 3])}, step=step
        )
    run.finish(exit_code=3)


def dvclive(folder: str) -> None:
    """A metric in a folder."""
    from dvclive import Live

    with Live(str(Path(folder) / "dvclive"), save_dvc_exp=False, dvcyaml=None, report=None) as live:
        live.log_params({"lr": 0.1})
        for _, value in POINTS:
            live.log_metric("train/loss", value)
            live.next_step()


def trackio(folder: str) -> None:
    """A metric, by the storage that the client uses."""
    os.environ["TRACKIO_DIR"] = folder
    from trackio.sqlite_storage import SQLiteStorage

    SQLiteStorage.bulk_log(
        project="p", run="a", metrics_list=[{"loss": v} for _, v in POINTS], steps=[s for s, _ in POINTS]
    )


def lightning(folder: str) -> None:
    """Training rows with the logger alone, without a training."""
    from lightning.pytorch.loggers import CSVLogger

    logger = CSVLogger(folder)
    logger.log_hyperparams({"lr": 0.1})
    for step, value in POINTS:
        logger.log_metrics({"train_loss": value}, step)
    logger.save()


def keras(folder: str) -> None:
    """Epochs by the callback alone, without a training."""
    from keras.callbacks import CSVLogger

    logger = CSVLogger(str(Path(folder) / "training.log"))
    logger.on_train_begin()
    for step, value in POINTS:
        logger.on_epoch_end(step, {"loss": value})
    logger.on_train_end()


WRITERS: dict[str, Callable[[str], None]] = {
    "dvclive": dvclive,
    "keras": keras,
    "lightning": lightning,
    "trackio": trackio,
    "wandb": wandb,
}

if __name__ == "__main__":
    own = Path(__file__).resolve().parent
    sys.path = [place for place in sys.path if Path(place).resolve() != own]  # its modules are named as libraries
    try:
        WRITERS[sys.argv[1]](sys.argv[2])
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(ABSENT)
