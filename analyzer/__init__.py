"""posthoc reads the logs that training leaves behind and says what went wrong in each run, why, and what to do."""

__version__ = "0.1.0"
