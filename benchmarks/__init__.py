"""Measurements of the product, each one command: reading, truth, audit."""
