"""Handing whole renders to machines that are not ours: the messages both ends speak, and the port.

`messages.py`, `proof.py` and `dispatcher.py` know nothing of Modal; `modal_calls.py` is the adapter on it.
"""
