"""A timeline: what ran when, one row of block characters per thing and one cell per month; and as words of periods."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len

from kelmu_tui.widgets.cells import fit

LEVELS: Final = "▁▂▃▄▅▆▇"
"""From nothing to the whole month; the lowest is the ground line, so that a gap is seen as a gap."""
PLAIN: Final = ".-=#"


class Month(NamedTuple):
    """A month of the calendar."""

    year: int
    number: int

    @property
    def days(self) -> int:
        """How many days it has."""
        return self.last.day

    @property
    def first(self) -> date:
        """Its first day."""
        return _ends(self.year, self.number)[0]

    @property
    def last(self) -> date:
        """Its last day."""
        return _ends(self.year, self.number)[1]

    @property
    def following(self) -> Month:
        """The next one."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


@lru_cache(512)  # each row of each timeline asks for the same few months
def _ends(year: int, number: int) -> tuple[date, date]:
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])


class Span(NamedTuple):
    """From its first to its last day; None has no end."""

    start: date
    end: date | None


class Track(NamedTuple):
    """One row: a short label and when it ran; spans may overlap and come in any order."""

    label: str
    spans: tuple[Span, ...]


def months_until(last: date, count: int) -> tuple[Month, ...]:
    """Return `count` months, of which that of `last` is the last one."""
    number = last.year * 12 + last.month - count
    return tuple(Month(m // 12, m % 12 + 1) for m in range(number, number + count))


def covered(spans: Iterable[Span], month: Month) -> int:
    """Return how many days of the month any of the spans covers."""
    return _days(runs(spans), month)


def _days(merged: Iterable[Span], month: Month) -> int:
    first, last = month.first, month.last
    return sum(
        (min(end or last, last) - max(start, first)).days + 1
        for start, end in merged
        if start <= last and (end is None or end >= first)
    )


def rows(tracks: Sequence[Track], months: Sequence[Month], *, ascii_only: bool = False) -> list[tuple[str, str]]:
    """Return label and cells of each track, one cell per month."""
    levels = PLAIN if ascii_only else LEVELS
    found = []
    for track in tracks:
        merged = runs(track.spans)
        found.append((track.label, "".join(_level(merged, month, levels) for month in months)))
    return found


def _level(merged: Sequence[Span], month: Month, levels: str) -> str:
    days = _days(merged, month)
    if days in (0, month.days):
        return levels[0 if days == 0 else -1]
    # A day is more than nothing, and a day missing is less than a whole month.
    return levels[1 + days * (len(levels) - 2) // month.days]


def years(months: Sequence[Month]) -> str:
    """Return the line above the cells: each year where it begins, as far as it has room."""
    line = ""
    for place, month in enumerate(months):
        text = str(month.year)
        if (place == 0 or month.number == 1) and len(line) <= place and place + len(text) <= len(months):
            # A first year of one or two months would leave no room for the one that follows.
            if place == 0 and 13 - month.number <= len(text) < len(months):
                continue
            line = fit(line, place) + text
    return line


def runs(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        before = found[-1] if found else None
        if before is None or (before.end is not None and (span.start - before.end).days > 1):
            found.append(span)
        elif before.end is not None and (span.end is None or span.end > before.end):
            found[-1] = Span(before.start, span.end)
    return found


def label_width(tracks: Sequence[Track]) -> int:
    """Return the cells of the widest label."""
    return max((cell_len(track.label) for track in tracks), default=0)
