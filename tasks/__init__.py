"""Background work: Celery. A task takes a job id, calls one step of `ethereal.pipeline`, and returns nothing.

Messages may be lost or come twice; the step's claim in the job store decides. `app.py` is the Celery app,
`config.py` its policy, `queue.py` how steps become messages, `process.py` what each worker process sets up.
"""
