"""How many threads NumPy's matrix library takes."""

from __future__ import annotations

import os


def keep_blas_to_one_thread() -> None:
    """Call it before NumPy is imported; a variable that is set already stays as it is.

    OpenBLAS starts a thread for each core, and these wait for work in a busy loop: 0.35 s of a render's CPU
    time, taken from what draws and encodes. Our matrices are small.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # noqa: TID251 - OpenBLAS reads it, we do not
