"""Whole farms of real processes that are killed, cut off and starved at chosen moments.

`farm.py` runs them, `moments.py` is loaded by its workers and dies where it is told, `audit.py` counts what
became of every step in the database itself.
"""
