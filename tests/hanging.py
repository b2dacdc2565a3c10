"""What tests and the workers of tests.bodies agree on; importing bodies puts them in the product's place."""

from __future__ import annotations

HANGING = "hanging"  # the stage of a job whose body hangs
CHUNKS, LONG = 3, "long"  # of a job that is dealt out; the title of one whose first chunk takes long
