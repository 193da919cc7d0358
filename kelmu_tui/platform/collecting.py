"""Looking for rubbish, put off while much is kept for a moment."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

_NEVER: Final = 2**31 - 1
_lock = Lock()
_held: list[tuple[int, int, int]] = []


@contextmanager
def no_full_collections() -> Iterator[None]:
    """Look through new objects alone: each look at all of a few hundred thousand would hold up a key by 200 ms.

    Several may be open at a time; after the last one it is as it was before the first.
    """
    with _lock:
        _held.append(gc.get_threshold())
        gc.set_threshold(*_held[0][:2], _NEVER)
    try:
        yield
    finally:
        with _lock:
            first = _held[0]
            _held.pop()
            if not _held:
                gc.set_threshold(*first)
