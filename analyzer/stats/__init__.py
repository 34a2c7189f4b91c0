"""Arrays in, numbers out: robust measures that know nothing of runs."""
