"""Days as people write them: `24.11.2026`, `24.11.26`, `24.11.` (the nearest one), `2026-11-24`; and days near them."""

from __future__ import annotations

import calendar
import re
from datetime import date
from enum import StrEnum
from typing import Final

from kelmu_tui.domain.claims.days import YEARS_AHEAD

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2099
_DAY: Final = re.compile(r"(\d{1,2})\s*[./ -]\s*(\d{1,2})(?:\s*[./ -]\s*(\d{4}|\d{2})|\.)?", re.ASCII)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)


class DayFault(StrEnum):
    """Why a day cannot be read."""

    FORMAT = "format"
    """It is not written as days are."""
    NONE = "none"
    """The month has no such day."""
    FAR = "far"
    """It lies in another century."""


class InvalidDay(ValueError):
    """A day cannot be read; what was typed is not in the message."""

    def __init__(self, fault: DayFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse_day(text: str, today: date) -> date:
    """Return the day that was typed.

    Args:
        today: a day without a year is the one nearest to it.

    Raises:
        InvalidDay: it is none.
    """
    wanted = text.strip()
    iso = _ISO.fullmatch(wanted)
    if iso is not None:
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    found = _DAY.fullmatch(wanted)
    if found is None:
        raise InvalidDay(DayFault.FORMAT)
    day, month, year = int(found[1]), int(found[2]), found[3]
    if year is not None:
        return _day(_whole_year(int(year), today) if len(year) == 2 else int(year), month, day)
    near = [one for one in (_try(today.year + step, month, day) for step in (-1, 0, 1)) if one is not None]
    if not near:
        raise InvalidDay(DayFault.NONE)
    return min(near, key=lambda one: abs((one - today).days))


def _whole_year(year: int, today: date) -> int:
    """Return the year of two digits that lies not further ahead than claims do; care may have begun long ago."""
    return year + (2000 if year + 2000 <= today.year + YEARS_AHEAD else 1900)


def _day(year: int, month: int, day: int) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidDay(DayFault.FAR)
    found = _try(year, month, day)
    if found is None:
        raise InvalidDay(DayFault.NONE)
    return found


def _try(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def end_of_month(day: date) -> date:
    """Return the last day of the month of `day`."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
