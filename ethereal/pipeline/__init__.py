"""The story of a job in verbs: submit, prepare, upload, dispatch, plan, render, assemble, cancel, reap.

Every step is claimed in the job store, can be repeated on any host, and ends by committing under its attempt.
Steps know ports, never adapters.
"""
