"""The web app of the product with faults at chosen moments: `gunicorn tests.fault.face:app`."""

from __future__ import annotations

from tests.fault import moments
from web.wsgi import make_app

moments.install()
app = make_app()
