"""Histories over nights: since when a job's metric is at another level, by how much, and what changed with it.

`account` divides one metric's nights into levels, `scan` does so for all metrics of a job and says which changes would
have been told on which night, `cause` names the settings and the commit that changed with one. Arrays in, nouns of
`analyzer.model.history` out; nothing here reads or writes.
"""
