"""Dates, times, numbers, sums and spans of time as people in Finland write them.

Instants are shown in Finnish time. Dates are numeric with dots in all three languages: the form is the same on every
screen, columns keep their width, and dots never mean month first. Groups of digits, units and currency are tied with
no-break spaces.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from kelmu_tui.domain.deadlines import HELSINKI_TIME, local_date, working_days_between

Day = date  # `date` is a method below

NBSP: Final = "\N{NO-BREAK SPACE}"
DUE_WIDTH: Final = 7
"""Cells of the short form of a due day."""


class _Words(NamedTuple):
    """What differs between the languages; pairs are singular and plural."""

    today: str
    tomorrow: str
    yesterday: str
    now: str
    working_day_short: str
    working_day: tuple[str, str]
    left: str
    late: str
    late_bare: str
    late_short: str
    hours: str
    days: str
    ago: str
    bytes: tuple[str, str, str, str]
    weekdays: tuple[str, str, str, str, str, str, str]
    group: str
    point: str


_WORDS: Final = {
    "fi": _Words(
        today="tänään",
        tomorrow="huomenna",
        yesterday="eilen",
        now="nyt",
        working_day_short="tpv",
        working_day=("työpäivä", "työpäivää"),
        left="{count} {unit} jäljellä",
        late="myöhässä {count} {unit}",
        late_bare="määräaika päättyi",
        late_short="myöh.",
        hours="t",
        days="pv",
        ago="{span} sitten",
        bytes=("t", "kt", "Mt", "Gt"),
        weekdays=("ma", "ti", "ke", "to", "pe", "la", "su"),
        group=NBSP,
        point=",",
    ),
    "sv": _Words(
        today="i dag",
        tomorrow="i morgon",
        yesterday="i går",
        now="nu",
        working_day_short="vd",
        working_day=("vardag", "vardagar"),
        left="{count} {unit} kvar",
        late="försenat {count} {unit}",
        late_bare="tidsfristen har gått ut",
        late_short="förs.",
        hours="h",
        days="d",
        ago="för {span} sedan",
        bytes=("B", "kB", "MB", "GB"),
        weekdays=("må", "ti", "on", "to", "fr", "lö", "sö"),
        group=NBSP,
        point=",",
    ),
    "en": _Words(
        today="today",
        tomorrow="tomorrow",
        yesterday="yesterday",
        now="now",
        working_day_short="wd",
        working_day=("working day", "working days"),
        left="{count} {unit} left",
        late="{count} {unit} late",
        late_bare="deadline passed",
        late_short="late",
        hours="h",
        days="d",
        ago="{span} ago",
        bytes=("B", "kB", "MB", "GB"),
        weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        group=",",
        point=".",
    ),
}


class Formats:
    """Values as text in one language."""

    def __init__(self, language: str) -> None:
        self._words = _WORDS.get(language, _WORDS["fi"])
        self._english = self._words.point == "."

    # --- days and times ---------------------------------------------------------------------------------------------

    def date(self, day: Day) -> str:
        """Return `24.11.2026`."""
        return f"{day.day}.{day.month}.{day.year}"

    def short_date(self, day: Day) -> str:
        """Return `24.11.`, for places where the year is plain."""
        return f"{day.day}.{day.month}."

    def weekday(self, day: Day) -> str:
        """Return the short name of the day of the week."""
        return self._words.weekdays[day.weekday()]

    def time(self, instant: datetime) -> str:
        """Return `12:04` in Finnish time."""
        return f"{instant.astimezone(HELSINKI_TIME):%H:%M}"

    def instant(self, instant: datetime) -> str:
        """Return `24.11.2026 12:04` in Finnish time."""
        return f"{self.date(local_date(instant))} {self.time(instant)}"

    def short_instant(self, instant: datetime) -> str:
        """Return `24.11. 12:04` in Finnish time."""
        return f"{self.short_date(local_date(instant))} {self.time(instant)}"

    def moment(self, instant: datetime, now: datetime) -> str:
        """Return as little as tells when: `12:04` today, `24.11. 12:04` this year, else with the year."""
        day, today = local_date(instant), local_date(now)
        if day == today:
            return self.time(instant)
        return self.short_instant(instant) if day.year == today.year else self.instant(instant)

    def relative_date(self, day: Day, today: Day) -> str:
        """Return `tänään`, `eilen`, `huomenna`, else the date, with its year when that is another one."""
        words = self._words
        near = {0: words.today, 1: words.tomorrow, -1: words.yesterday}.get((day - today).days)
        if near is not None:
            return near
        return self.short_date(day) if day.year == today.year else self.date(day)

    def period(self, start: Day, end: Day | None) -> str:
        """Return `1.2.–30.4.2026`, with both years when they differ, or `1.2.2026–` without end."""
        if end is None:
            return f"{self.date(start)}–"
        first = self.short_date(start) if start.year == end.year else self.date(start)
        return f"{first}–{self.date(end)}"

    # --- deadlines --------------------------------------------------------------------------------------------------

    def due(self, due: Day, today: Day) -> str:
        """Return the days left in at most seven cells: `tänään`, `1 tpv`, `-2 tpv` or `myöh.` when late.

        Where the unit does not fit, the number stands alone.
        """
        if due == today:
            return self._words.today
        days = working_days_between(today, due)
        if due < today and days == 0:
            # A weekend lies between: late, but by no working day yet.
            return self._words.late_short
        text = f"{days}{NBSP}{self._words.working_day_short}"
        return text if len(text) <= DUE_WIDTH else str(days)

    def due_long(self, due: Day, today: Day) -> str:
        """Return the days left in words: `tänään`, `3 työpäivää jäljellä`, `myöhässä 2 työpäivää`."""
        words = self._words
        if due == today:
            return words.today
        days = working_days_between(today, due)
        if due < today and days == 0:
            return words.late_bare
        frame = words.left if due > today else words.late
        unit = words.working_day[abs(days) != 1]
        return frame.format(count=self.number(abs(days)), unit=unit)

    # --- spans of time ----------------------------------------------------------------------------------------------

    def age(self, since: datetime, now: datetime) -> str:
        """Return how old something is, coarsely: `nyt` below a minute, `4 min`, `3 t`, `12 pv`."""
        span = max(now - since, timedelta())
        return self._words.now if span < timedelta(minutes=1) else self.duration(span.total_seconds())

    def ago(self, since: datetime, now: datetime) -> str:
        """Return the age as a phrase: `nyt`, `4 min sitten`."""
        span = self.age(since, now)
        return span if span == self._words.now else self._words.ago.format(span=span)

    def duration(self, seconds: float) -> str:
        """Return a span in its largest whole unit: `45 s`, `4 min`, `3 t`, `12 pv`."""
        whole = int(seconds)
        if whole < 60:
            return f"{whole}{NBSP}s"
        if whole < 3600:
            return f"{whole // 60}{NBSP}min"
        if whole < 86_400:
            return f"{whole // 3600}{NBSP}{self._words.hours}"
        return f"{self.number(whole // 86_400)}{NBSP}{self._words.days}"

    def countdown(self, seconds: float) -> str:
        """Return time left as `4:05`, never below zero; a started second counts."""
        whole = max(0, -int(-seconds // 1))
        return f"{whole // 60}:{whole % 60:02d}"

    # --- numbers ----------------------------------------------------------------------------------------------------

    def number(self, number: int) -> str:
        """Return `1 204` with a no-break space, in English `1,204`."""
        return f"{number:,}".replace(",", self._words.group)

    def decimal(self, number: Decimal, places: int) -> str:
        """Return `number` rounded half up to `places` decimals."""
        rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        whole, _, fraction = f"{rounded:,f}".partition(".")
        whole = whole.replace(",", self._words.group)
        return f"{whole}{self._words.point}{fraction}" if fraction else whole

    def euros(self, amount: Decimal) -> str:
        """Return `578,43 €`, in English `€578.43`."""
        text = self.decimal(amount, 2)
        if self._english:
            return f"-€{text[1:]}" if text.startswith("-") else f"€{text}"
        return f"{text}{NBSP}€"

    def percent(self, number: int) -> str:
        """Return `20 %`, in English `20%`."""
        return f"{number}%" if self._english else f"{number}{NBSP}%"

    def size(self, count: int) -> str:
        """Return a number of bytes as `312 t`, `12,4 kt`, `3,1 Mt`; a kilobyte is 1 000 bytes."""
        units = self._words.bytes
        if count < 1000:
            return f"{count}{NBSP}{units[0]}"
        amount, unit = Decimal(count), 0
        while amount >= Decimal("999.95") and unit < len(units) - 1:
            amount /= 1000
            unit += 1
        return f"{self.decimal(amount, 1)}{NBSP}{units[unit]}"
