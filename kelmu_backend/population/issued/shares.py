"""The municipality's share, reckoned day by day from the catalogue's steps, without the code that reviews it."""

from __future__ import annotations

from functools import cache
from typing import Final

from kelmu_tui.domain import catalogue

OLD: Final = "pre_2025"
NEW: Final = "2025"


_COUNTED: Final = 3000
"""Days whose percentages are held ready; beyond them the last one goes on."""


@cache
def _percents(model: str) -> tuple[int, ...]:
    steps = [step for step in catalogue.table("lists.toml")["step"] if step["model"] == model]
    return tuple(
        next(step["percent"] for step in steps if step["from_day"] <= day <= step.get("to_day", day))
        for day in range(1, _COUNTED + 1)
    )


def percent(model: str, day: int) -> int:
    """Return the percentage of an accumulated day, the first being 1."""
    return _percents(model)[min(day, _COUNTED) - 1]


def share(model: str, cents: int, days: int, accumulated: int) -> int:
    """Return the share of a payment in cents: each day by its step, half a cent away from zero.

    Args:
        cents: what was paid, negative when it came back; spread evenly over `days`, the last of the accumulated ones.
    """
    percents = sum(percent(model, accumulated - n) for n in range(days))
    whole, rest = divmod(abs(cents) * percents, 100 * days)
    rounded = whole + (2 * rest >= 100 * days)
    return -rounded if cents < 0 else rounded
