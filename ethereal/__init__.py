"""The domain: turning sound into video. Knows no Flask and no Celery.

Ports are protocols beside their adapters; `bootstrap.py` alone names adapters, `settings.py` alone reads the
environment. Nothing happens at import.
"""

__version__ = "0.1.0"
