"""How a process keeps its memory: what stays is not looked at again, and what was large is given back."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

from datastorage.limits import GC_ALLOCATIONS, LARGE_BLOCK_BYTES

# Of glibc's mallopt(3).
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3


def settle() -> None:
    """To be called once all is loaded that stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 20, 50)
    _give_back_large_blocks()


def _give_back_large_blocks() -> None:
    """Otherwise one large body has glibc take all that follow from the heap, which seldom shrinks again."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
        mallopt(_TRIM_THRESHOLD, LARGE_BLOCK_BYTES)
