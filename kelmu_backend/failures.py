"""What is logged of a failure: its type and where it came from; the messages of drivers and models repeat values."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

_PLACES: Final = 8
"""Frames that are told, the innermost."""


def told(failure: BaseException) -> str:
    """Return type and places of a failure."""
    return told_of(type(failure), failure.__traceback__)


def told_of(kind: type[BaseException] | None, trace: TracebackType | None) -> str:
    """Return a type and where it came from, from the outside in."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-_PLACES:]]
    return f"{kind.__name__ if kind else 'error'} at {' > '.join(places)}"
