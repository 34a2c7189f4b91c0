"""Logs in plain files: tables, JSON lines, states of trainers, W&B's records; each kind is a module of `kinds`."""

from analyzer.readers.filelog.store import FileLogs

FORMAT = FileLogs()
