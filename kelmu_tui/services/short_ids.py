"""Identifiers as people type them: the first digits are enough while they mean one thing.

Lists show `SHOWN` digits; scripts and JSON have whole identifiers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kelmu_tui.store.database import Store

SHOWN: Final = 8
"""Digits that lists show: among 100 000 notices about one pair begins alike, and that one is asked back."""
SHORTEST: Final = 4


class Ambiguous(LookupError):
    """Several identifiers begin like `word`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Unknown(LookupError):
    """Nothing begins like the `words`."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__(*words)
        self.words = words


_NOTICES: Final = (
    "SELECT r.id FROM replica.scope AS s JOIN replica.notice AS r ON r.generation = s.generation"
    " WHERE r.id >= ?1 AND r.id < ?2 UNION "
    "SELECT r.id FROM replica.scope AS s JOIN replica.trace AS r ON r.generation = s.generation"
    " WHERE r.id >= ?1 AND r.id < ?2 LIMIT 2"
)
_CUSTOMERS: Final = "SELECT id FROM replica.customer WHERE id >= ?1 AND id < ?2 LIMIT 2"
_COMMANDS: Final = (
    "SELECT id FROM main.command WHERE id >= ?1 AND id < ?2 UNION"
    " SELECT id FROM main.draft WHERE id >= ?1 AND id < ?2 LIMIT 2"
)


def notice_ids(store: Store, words: Iterable[str]) -> tuple[str, ...]:
    """Return the notices (or traces of notices) that `words` mean, each once and in order.

    Raises:
        Unknown, Ambiguous: a word means nothing, or several.
    """
    return _expanded(store, _NOTICES, words)


def customer_ids(store: Store, words: Iterable[str]) -> tuple[str, ...]:
    """Return the customers whose files are held that `words` mean, each once and in order.

    Raises:
        Unknown, Ambiguous: a word means nothing, or several.
    """
    return _expanded(store, _CUSTOMERS, words)


def command_ids(store: Store, words: Iterable[str]) -> tuple[str, ...]:
    """Return the commands and drafts that `words` mean, each once and in order.

    Raises:
        Unknown, Ambiguous: a word means nothing, or several.
    """
    return _expanded(store, _COMMANDS, words)


def _expanded(store: Store, sql: str, words: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    unknown = []
    with store.read() as db:
        for word in words:
            whole = _meant(db, sql, word)
            if whole is None:
                unknown.append(word)
            else:
                found[whole] = None
    if unknown:
        raise Unknown(tuple(unknown))
    return tuple(found)


def _meant(db: Any, sql: str, word: str) -> str | None:
    if len(word) < SHORTEST:
        return None
    # The last code point sorts after everything that an identifier may hold, so this is "begins with".
    rows = [str(row[0]) for row in db.execute(sql, (word, word + "\U0010ffff"))]
    if word in rows:
        return word
    if len(rows) > 1:
        raise Ambiguous(word)
    return rows[0] if rows else None
