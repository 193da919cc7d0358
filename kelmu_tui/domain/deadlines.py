"""When a notice may be seen and when it is due: visibility times and working days in Finnish time."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.notices import Kind

HELSINKI_TIME: Final = ZoneInfo("Europe/Helsinki")


class KindRule(NamedTuple):
    """Times and deadlines of a kind of notice; days are working days counted from arrival."""

    code: str
    urgent_possible: bool
    visible: str
    visible_urgent: str
    due_days: int
    due_days_urgent: int
    subtypes: tuple[str, ...]
    fields: tuple[str, ...]
    share: float


@cache
def kind_rules() -> Mapping[Kind, KindRule]:
    """Return the rules of the six kinds from the catalogue."""
    return MappingProxyType(
        {
            Kind(row["id"]): KindRule(
                row["code"],
                row["urgent_possible"],
                row["visible"],
                row.get("visible_urgent", row["visible"]),
                row["due_days"],
                row["due_days_urgent"],
                tuple(row["subtypes"]),
                tuple(row["fields"]),
                row["typical_share"],
            )
            for row in catalogue.table("notices.toml")["notice"]
        }
    )


@cache
def kept_after_handling() -> timedelta:
    """Return how long a notice stays in Kelmu after it was handled."""
    return timedelta(days=catalogue.table("notices.toml")["retention"]["handled_days"])


@cache
def _holidays(year: int) -> frozenset[date]:
    # Reckoned here, since the package `holidays` takes a third of a second before its first answer, and the first
    # paint shows working days; a test compares the two for each year of its range.
    easter = _easter(year)
    moving = {easter + timedelta(days=n) for n in (-2, 0, 1, 39, 49)}
    fixed = {date(year, *day) for day in ((1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26))}
    midsummer = _saturday_from(date(year, 6, 20))
    return frozenset(moving | fixed | {midsummer, midsummer - timedelta(days=1), _saturday_from(date(year, 10, 31))})


def _saturday_from(day: date) -> date:
    return day + timedelta(days=(5 - day.weekday()) % 7)


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (the rule of Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def is_working_day(day: date) -> bool:
    """Tell whether offices work on `day` in Finland: Monday to Friday, no public holiday, no eve that is free."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def add_working_days(day: date, count: int) -> date:
    """Return the `count`-th working day after `day`; with 0 the day itself, or the next working day."""
    if count == 0:
        while not is_working_day(day):
            day += timedelta(days=1)
        return day
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """Return how many working days lie after `start` up to `end`; negative when `end` is past."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def visible_from(kind: Kind, urgent: bool, created: datetime, basic_decision: date | None) -> datetime:
    """Return the instant (UTC) from which a notice created at `created` (UTC) may be seen.

    An ordinary application and a reduction wait for the calendar day after the basic decision (assumption: calendar,
    not banking day); all others are visible at once, that is on the same day.
    """
    rule = kind_rules()[kind]
    when = rule.visible_urgent if urgent else rule.visible
    if when != "day_after_basic_decision" or basic_decision is None:
        return created
    opening = datetime.combine(basic_decision + timedelta(days=1), time(0), HELSINKI_TIME).astimezone(UTC)
    return max(created, opening)


def due_on(kind: Kind, urgent: bool, arrived: datetime) -> date:
    """Return the day by which a notice that arrived at `arrived` (UTC) is due; a transfer never changes it."""
    rule = kind_rules()[kind]
    return add_working_days(local_date(arrived), rule.due_days_urgent if urgent else rule.due_days)


def local_date(instant: datetime) -> date:
    """Return the Finnish calendar day of an instant."""
    return instant.astimezone(HELSINKI_TIME).date()
