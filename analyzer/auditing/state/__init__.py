"""What is kept between audits, in one sqlite file: records of runs, and what was found when."""

from analyzer.auditing.state.store import State, open_state

__all__ = ["State", "open_state"]
