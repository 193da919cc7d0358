"""How long a claim that is over can still be read, and the time that Kela gives a payee to be heard."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from kelmu_tui.domain import catalogue


@cache
def closed_kept() -> timedelta:
    """Return how long a claim stays in the organisation's register after nothing more is to come."""
    return timedelta(days=catalogue.table("claims.toml")["retention"]["closed_days"])


@cache
def hearing_time() -> timedelta:
    """Return how long Kela waits for the answer of a payee whom it hears."""
    return timedelta(days=catalogue.table("claims.toml")["hearing"]["days"])
