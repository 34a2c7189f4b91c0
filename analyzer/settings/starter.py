"""The commented settings file that `posthoc init` writes: every key, with its default, commented out."""

from __future__ import annotations

TEXT = """\
# Settings of posthoc, read from the working directory; the command line overrules them.
# Every key is commented out and shows its default. A line that begins with #= shows an example.
# All of them are explained in docs/settings.md; `posthoc explain SYMPTOM` lists the limits of a symptom.

# Symptoms: look for these only, or for all but some.
#= select = ["overfitting", "exploding-loss"]
# ignore = []

# The severity from which on the exit code is 1: error, warning, info or never (default: each verb's own).
#= fail-on = "warning"

# Chance of a false finding in one run, over all its statistical tests together.
# alpha = 0.001

# A log without an end that is older than this is partial, not in progress.
# stale-after = "6h"

# What one process may take over one run: time, and memory (default: the machine's, divided by the processes).
# run-timeout = "10min"
#= run-memory = "4GiB"

# With --state: how long vanished runs and past audits are remembered, and who is told what is new.
# retention = "365d"
#= notify = ["slack://token@channel"]

# What a tag means when its name does not say: ROLE[:SPLIT[:lower|higher]]. `posthoc series SOURCE` shows all tags.
#= [roles]
#= "train/quantity_1" = "loss:train:lower"

# Limits of a symptom.
#= [limits.overfitting]
#= rise = 0.15

# Nightly jobs: settings that make jobs of their own, metrics to look at.
#= [history]
#= group-by = ["model"]
#= metric = ["val/accuracy"]

# Pages of runs link to these servers; the MLflow server that a run was read from is linked without it.
#= [links]
#= mlflow = "http://localhost:5000"
#= tensorboard = "http://localhost:6006"

# The price of hours that brought nothing.
#= [cost]
#= gpu-hour = 2.5
#= gpus = 8
#= currency = "EUR"

# Findings that are known and raise no alarm; owner and expires are optional.
#= [[suppress]]
#= symptom = "overfitting"
#= run = "exp1/*"
#= reason = "a known baseline"
#= owner = "ada"
#= expires = 2026-12-31
"""
