"""A render on a machine that is not ours: an order carried out, chunks dealt out, reports sent.

Knows links and messages, no store, no queue and no credentials; nor Modal, which runs it from `modal_app.py`.
"""
