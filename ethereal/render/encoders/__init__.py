"""What each codec is told: one module per codec, each a `Codec`, chosen by name in `choice.py`."""
