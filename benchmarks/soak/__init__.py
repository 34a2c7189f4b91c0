"""A fleet of runs for simulated months, audited again and again, against a model of what must be reported."""
