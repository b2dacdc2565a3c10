"""Objects: audio, plans, chunks and videos, by storage key.

`keys.py` alone spells keys. `store.py` is the port, `local.py` its adapter for one machine, `r2.py` the one
for Cloudflare R2. A put appears whole or not at all; that an object exists never means that it is complete:
the recorded sha256 does.
"""
