"""Following a customer: how long a follow lasts, how it ends, and what it tells of.

A follow belongs to one user in one organisation and is about one person, for one purpose and case. It ends with the
case (the user says so), with the mandate that opened it, or with its time, and nothing begins it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.sections import looks_kept

MAX_CHANGES: Final = 50
"""Newest changes that a follow tells."""
COMMANDS: Final = ("begin", "renew", "end")
VERBS: Final[Mapping[str, str]] = MappingProxyType({f"follow-{command}": command for command in COMMANDS})
"""The commands as an outbox names them, where those on notices stand beside."""


class What(StrEnum):
    """What happened to a row of a section, in the words in which a follow tells it."""

    MATTER = "matter"
    """Something became pending, or went a step on."""
    DECISION = "decision"
    PAYMENT = "payment"
    """Something was paid."""
    STOPPED = "stopped"
    """A benefit ended or was interrupted, or a payment did not go through."""
    CLAIM = "claim"
    INSURANCE = "insurance"
    RECOVERY = "recovery"
    MEDICINE_CAP = "medicine_cap"
    """The year's cap of medicine costs was reached."""
    PASSED_ON = "passed_on"
    """Others passed data to Kela."""
    WITHDRAWN = "withdrawn"
    """A row is no longer there."""


class FollowEnd(StrEnum):
    """Why a follow has ended."""

    CASE = "case"
    MANDATE = "mandate"
    TIME = "time"


class FollowRefusal(StrEnum):
    """Stable reasons why a rule refuses a command on a follow."""

    ALREADY_BEGUN = "follow_begun"
    """The id is in use."""
    ALREADY_FOLLOWED = "already_followed"
    """The user follows the customer for this purpose and case under another id."""
    ENDED = "follow_ended"


class FollowRefused(ValueError):
    """A rule refuses a command on a follow; `reason` is stable and translated by the faces."""

    def __init__(self, reason: FollowRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FollowState:
    """The part of a follow that commands and time change; instants are UTC."""

    until: datetime
    ended: FollowEnd | None = None
    ended_at: datetime | None = None


@cache
def ended_kept() -> timedelta:
    """Return how long a follow that has ended can still be read."""
    return timedelta(days=catalogue.table("customers.toml")["retention"]["follow_ended_days"])


def begun(now: datetime) -> FollowState:
    """Return a follow that begins at `now`."""
    return FollowState(now + looks_kept())


def as_of(state: FollowState, now: datetime) -> FollowState:
    """Return what has become of a follow by `now`: whether anybody has noticed or not, its time ends it."""
    if state.ended is None and state.until <= now:
        return replace(state, ended=FollowEnd.TIME, ended_at=state.until)
    return state


def renewed(state: FollowState, now: datetime) -> FollowState:
    """Return a follow that lasts its whole time from `now` on.

    Raises:
        FollowRefused: it has ended.
    """
    return replace(_running(state, now), until=now + looks_kept())


def ended(state: FollowState, why: FollowEnd, now: datetime) -> FollowState:
    """Return a follow that ends at `now`.

    Raises:
        FollowRefused: it has ended before.
    """
    return replace(_running(state, now), ended=why, ended_at=now)


def _running(state: FollowState, now: datetime) -> FollowState:
    found = as_of(state, now)
    if found.ended is not None:
        raise FollowRefused(FollowRefusal.ENDED)
    return found
