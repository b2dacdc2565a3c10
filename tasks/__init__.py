"""Background work: Celery. Shells of a few lines over the steps in `ethereal`."""
