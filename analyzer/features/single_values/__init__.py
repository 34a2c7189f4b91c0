"""Runs that log one value a metric: what can be said of them without a curve."""

from __future__ import annotations

from analyzer.features.single_values.values import Single, Value, single_of

__all__ = ["Single", "Value", "single_of"]
