"""What nobody sees any more, deleted in small steps: generations that a fill has replaced, and their words.

Taking a word out of the search index at once costs ten milliseconds a row, which for a whole inbox is half an hour.
So the words of a generation are only marked, and when its last row has gone the index is merged, which leaves the
marked ones behind. Only then is the generation forgotten: a crash on the way begins where it stopped.

All functions work inside the caller's transaction and touch the replica only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from kelmu_tui.store import replica

STEP_ROWS: Final = 100
"""Rows of a step: with their marks in the index about 50 ms."""
STEP_PAGES: Final = 32
"""Pages of the search index that a step merges: about 10 ms."""
_ERASING: Final = "erasing"
_BEGIN: Final = "begin"
_ON: Final = "on"


def abandon(db: Any, generation: int) -> None:
    """Give a generation to the broom: deleting 100 000 rows at once would block the other terminals."""
    _set_abandoned(db, [*abandoned(db), generation])


def abandoned(db: Any) -> list[int]:
    """Return the generations that wait for the broom."""
    text = _state(db, "abandoned")
    return [int(item) for item in json.loads(text)] if text is not None else []


def purge(db: Any, generations: Iterable[int]) -> None:
    """Destroy generations at once, with all that wait: these may hold rows of the same scope."""
    replica.purge(db, *generations, *abandoned(db))
    _set_abandoned(db, [])
    db.execute("DELETE FROM replica.state WHERE key = ?", (_ERASING,))


def sweep(db: Any, rows: int = STEP_ROWS) -> bool:
    """Do one step; True when nothing is left to do."""
    waits = abandoned(db)
    if waits:
        if replica.drop_generation(db, waits[0], rows):
            _set_abandoned(db, waits[1:])
            _set(db, _ERASING, _BEGIN)
        return False
    step = _state(db, _ERASING)
    if step is None:
        return True
    if replica.erase_words(db, STEP_PAGES, begin=step == _BEGIN):
        db.execute("DELETE FROM replica.state WHERE key = ?", (_ERASING,))
        return True
    _set(db, _ERASING, _ON)
    return False


def waiting(db: Any) -> bool:
    """Tell whether `sweep` has anything to do."""
    return bool(abandoned(db)) or _state(db, _ERASING) is not None


def _state(db: Any, key: str) -> str | None:
    row = db.execute("SELECT value FROM replica.state WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _set(db: Any, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO replica.state (key, value) VALUES (?, ?)", (key, value))


def _set_abandoned(db: Any, generations: Iterable[int]) -> None:
    _set(db, "abandoned", json.dumps(list(generations)))
