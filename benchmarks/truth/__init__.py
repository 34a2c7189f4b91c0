"""Trains small models with known faults, and scores what posthoc and its peers say of their logs."""
