"""What is kept between nights, in one sqlite file: rows of runs, and what was found when."""

from analyzer.auditing.state.store import State

__all__ = ["State"]
