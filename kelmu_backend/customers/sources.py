"""The systems that a customer's rows come from: which of them are down, and which are slow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from kelmu_backend.database.customer_tables import source
from kelmu_tui.domain.sections import section_facts

TIMEOUT: Final = 10.0
"""Seconds that an answer waits for a source before it counts as down."""


class State(StrEnum):
    """How a source is."""

    UP = "up"
    DOWN = "down"
    SLOW = "slow"


class Source(NamedTuple):
    """How a source is, since when (None: always was), and by how many milliseconds it is slow."""

    state: State
    since: datetime | None
    delay_ms: int

    @property
    def wait(self) -> float:
        """Seconds until it has answered, or is given up."""
        return min(self.delay_ms / 1000, TIMEOUT) if self.state is State.SLOW else 0

    @property
    def answers(self) -> bool:
        """Whether it answers in time."""
        return self.state is not State.DOWN and (self.state is State.UP or self.delay_ms / 1000 <= TIMEOUT)


_UP: Final = Source(State.UP, None, 0)


def names() -> tuple[str, ...]:
    """Return the ids of all sources."""
    return tuple(facts.source for facts in section_facts().values())


def states(connection: Connection) -> Mapping[str, Source]:
    """Return how each source is."""
    known = {row.id: Source(State(row.state), row.since, row.delay_ms) for row in connection.execute(select(source))}
    return {name: known.get(name, _UP) for name in names()}


def become(connection: Connection, name: str, state: State, now: datetime, delay_ms: int = 0) -> None:
    """Let a source be down, slow or up from now on."""
    connection.execute(delete(source).where(source.c.id == name))
    if state is not State.UP:
        values = {"id": name, "state": state.value, "since": now, "delay_ms": delay_ms}
        connection.execute(insert(source).values(values))
