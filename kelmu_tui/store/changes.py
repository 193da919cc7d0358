"""Signals of what a commit changed: collected inside the transaction, told after it."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

_LEDGER: Final = frozenset(
    {
        "secret",
        "command",
        "conflict",
        "view_event",
        "trouble",
        "list_view",
        "judgement",
        "own_answer",
        "own_mapping",
        "claim_draft",
    }
)
_REPLICA: Final = frozenset(
    {
        "state",
        "scope",
        "notice",
        "trace",
        "announcement",
        "customer",
        "follow",
        "list",
        "invoice",
        "claim",
        "account",
        "sending",
    }
)
EVERYTHING: Final = _LEDGER | _REPLICA
"""Tables named in a `Changed` of everything."""


class Changed(NamedTuple):
    """What a commit changed; no `keys` means that any row of the tables may have changed."""

    tables: frozenset[str]
    keys: frozenset[str] = frozenset()


class Changes:
    """What the present transaction changed, and who wants to hear of it."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Changed], None]] = []
        self._tables: frozenset[str] = frozenset()
        self._keys: frozenset[str] = frozenset()
        self._any_key = False

    def add(self, tables: Iterable[str], keys: Iterable[str]) -> None:
        """Note changed tables and ids; no ids means any row."""
        keys = frozenset(keys)
        self._tables |= frozenset(tables)
        self._keys |= keys
        self._any_key = self._any_key or not keys

    def forget(self) -> None:
        """Drop what was noted: the transaction was undone, or begins."""
        self._tables = frozenset()
        self._keys = frozenset()
        self._any_key = False

    def listen(self, callback: Callable[[Changed], None]) -> Callable[[], None]:
        """Register a listener and return a function that ends it."""
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    def tell(self) -> None:
        """Tell the listeners what was noted, if anything."""
        if self._tables:
            change = Changed(self._tables, frozenset() if self._any_key else self._keys)
            self.forget()
            for callback in list(self._listeners):
                callback(change)
