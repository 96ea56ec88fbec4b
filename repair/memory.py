"""Memory that was freed goes back to the system: a C library that keeps it grows by 100 MB in fifty articles."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def hand_back() -> None:
    """Does what can be done on this platform; takes some milliseconds, so only after what takes far longer."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).malloc_trim(0)
