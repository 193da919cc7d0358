"""Identifiers as people type them: the first digits are enough while they mean one thing.

Lists show `SHOWN` digits; scripts and JSON have whole identifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

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


def among(known: Collection[str], words: Iterable[str]) -> tuple[str, ...]:
    """Return which of the `known` ids the words mean, each once and in order.

    Raises:
        Unknown, Ambiguous: a word means nothing, or several.
    """
    return _all_meant(words, lambda word: [one for one in known if one.startswith(word)])


def _expanded(store: Store, sql: str, words: Iterable[str]) -> tuple[str, ...]:
    with store.read() as db:
        # The last code point sorts after everything that an identifier may hold, so this is "begins with".
        return _all_meant(words, lambda word: [str(row[0]) for row in db.execute(sql, (word, word + "\U0010ffff"))])


def _all_meant(words: Iterable[str], beginning: Callable[[str], list[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    unknown = []
    for word in words:
        fit = beginning(word) if len(word) >= SHORTEST else []
        if len(fit) > 1 and word not in fit:
            raise Ambiguous(word)
        if fit:
            found[word if word in fit else fit[0]] = None
        else:
            unknown.append(word)
    if unknown:
        raise Unknown(tuple(unknown))
    return tuple(found)
