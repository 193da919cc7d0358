"""Scopes of the feed: the tables that each kind fills, and the order in which they are filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_TABLES: Final = {
    "notices": frozenset({"notice"}),
    "traces": frozenset({"trace"}),
    "announcements": frozenset({"announcement"}),
    "follows": frozenset({"follow"}),
    "claims": frozenset({"claim", "account"}),
    "sendings": frozenset({"sending"}),
}
"""Tables of each kind of scope. A newer backend may grant others: they are never filled and nothing of them is kept."""
_ORDER: Final = tuple(_TABLES)


def kind(name: str) -> str:
    """Return the kind of a scope."""
    return name.partition(":")[0]


def tables(name: str) -> frozenset[str]:
    """Return the tables of a scope that is known."""
    return _TABLES[kind(name)]


def known(names: Sequence[str]) -> list[str]:
    """Return those of these scopes that are kept here."""
    return [name for name in names if kind(name) in _TABLES]


def fill_key(name: str) -> tuple[int, str]:
    """Return the place of a scope among those that wait to be filled: what is read first comes first."""
    found = kind(name)
    return _ORDER.index(found) if found in _TABLES else len(_ORDER), name
