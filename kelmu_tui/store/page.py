"""A page of the backend's feed in the store's own words: the store knows nothing of the wire's models."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A change of the feed; `row` is the wire's JSON object for `up`, None for `rm`."""

    scope: str
    id: str
    version: int
    op: str
    row: Mapping[str, Any] | None = None


class Page(NamedTuple):
    """An answer of the feed, see `contract.Changes`; `at` is the backend's time."""

    kind: str
    epoch: str
    cursor: str
    seq: int
    more: bool
    changes: Sequence[Entry]
    granted: Sequence[str]
    added: Sequence[str]
    revoked: Sequence[str]
    session_revision: int
    lease: str
    lease_until: datetime
    at: datetime


def nobodys(scope: str) -> str:
    """Return the name of a scope without the user whose it is."""
    return ":".join(scope.split(":")[:2])
