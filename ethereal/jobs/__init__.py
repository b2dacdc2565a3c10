"""Jobs: what was asked for, how far it is, and who may write about it.

`model.py` holds the values and the allowed moves, `store.py` the port with its promises; adapters are
`memory.py` and `sql.py`, the latter on a `Database` in a file or on a server. Every move is one atomic step
with its guard inside. Time is always an argument.
"""
