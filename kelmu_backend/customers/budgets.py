"""How many customers may be looked up, and what happens to those who try codes: counted from the log of look-ups.

Every budget holds for a user and, a hundred times as large, for an organisation. What was not answered costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, func, select

from kelmu_backend import audit
from kelmu_backend.customers.neighbours import neighbours
from kelmu_backend.database.customer_tables import look_up
from kelmu_backend.keys import Signer
from kelmu_tui.api.contract import LookUpFlag, ProblemCode
from kelmu_tui.domain import catalogue
from kelmu_tui.domain.identifiers import IdentityCode

ORGANISATION: Final = 100
"""How many times a user's budget an organisation has."""
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SEQUENCE: Final = 2
"""Neighbours of a code that were asked for within the last hour, from which on it is a sequence: twins are none."""
_LOOKED_AT: Final = 100
"""Newest look-ups of a user among which codes in a row are sought."""


class Budget(NamedTuple):
    """Customers for an hour and a day; codes in a row that nobody has, and the pause after them."""

    hour: int
    day: int
    unknown: int
    pause: timedelta


class Asker(NamedTuple):
    """Whose budget counts."""

    user: str
    organisation: str

    @property
    def scopes(self) -> Iterator[tuple[ColumnElement[bool], int]]:
        """Conditions on the log, and how many times the budget each has."""
        yield look_up.c.user == self.user, 1
        yield look_up.c.organisation == self.organisation, ORGANISATION


@cache
def budget() -> Budget:
    """Return the budget of the catalogue."""
    row = catalogue.table("customers.toml")["budget"]
    return Budget(row["hour"], row["day"], row["unknown_in_a_row"], timedelta(minutes=row["pause_minutes"]))


def spent(connection: Connection, asker: Asker, person: str, now: datetime) -> int | None:
    """Return the seconds after which another person may be looked up, None when `person` may be now.

    Somebody who counts already costs nothing. An empty `person` is somebody else than all those who count.
    """
    waits = []
    for whose, times in asker.scopes:
        latest = select(func.max(look_up.c.at)).where(whose, _ANSWERED[0], look_up.c.person == person)
        counted = connection.execute(latest).scalar_one()
        for span, limit in ((HOUR, budget().hour), (DAY, budget().day)):
            wait = _full(connection, whose, *_ANSWERED, now - span, limit * times)
            if wait is not None and (counted is None or counted <= now - span):
                waits.append(_seconds(wait + span - now))
    return max(waits, default=None)


def paused(connection: Connection, asker: Asker, now: datetime) -> int | None:
    """Return the seconds until look-ups go on, None when there is no pause."""
    pause = budget().pause
    waits = []
    newest = _recent(connection, asker.user, now)[:1]
    if newest and LookUpFlag.PAUSED in newest[0].flags and newest[0].at > now - pause:
        waits.append(_seconds(newest[0].at + pause - now))
    whose = look_up.c.organisation == asker.organisation
    full = _full(connection, whose, *_UNKNOWN, now - pause, budget().unknown * ORGANISATION)
    if full is not None:
        waits.append(_seconds(full + pause - now))
    return max(waits, default=None)


def ends_a_row(connection: Connection, user: str, mark: str, now: datetime) -> bool:
    """Tell whether an unknown code is the last of so many in a row that a pause follows."""
    marks = {mark}
    for row in _recent(connection, user, now):
        if row.outcome == audit.DONE or LookUpFlag.PAUSED in row.flags:
            break
        marks.add(row.code_mark)
    return len(marks) >= budget().unknown


def in_sequence(connection: Connection, user: str, code: IdentityCode, signer: Signer, now: datetime) -> bool:
    """Tell whether the user asked for neighbours of `code` shortly before, whether anybody has them or not."""
    near = [signer.mark(neighbour) for neighbour in neighbours(code)]
    asked = select(func.count(look_up.c.code_mark.distinct())).where(
        look_up.c.user == user, look_up.c.at > now - HOUR, look_up.c.code_mark.in_(near)
    )
    return int(connection.execute(asked).scalar_one()) >= SEQUENCE


_ANSWERED: Final = (look_up.c.outcome == audit.DONE, look_up.c.person)
_UNKNOWN: Final = (look_up.c.outcome == ProblemCode.NOT_FOUND.value, look_up.c.code_mark)


def _full(
    connection: Connection,
    whose: ColumnElement[bool],
    outcome: ColumnElement[bool],
    of: ColumnElement[Any],
    since: datetime,
    limit: int,
) -> datetime | None:
    """Return when the `limit`th newest of the different `of` was last asked for, None when there are fewer."""
    rows = select(look_up.c.at).where(whose, look_up.c.at > since).order_by(look_up.c.at.desc())
    if connection.execute(rows.offset(limit - 1).limit(1)).first() is None:
        return None  # an index says so; to tell people apart takes their rows
    latest = func.max(look_up.c.at)
    counted = select(latest).where(whose, outcome, look_up.c.at > since).group_by(of)
    found: datetime | None = connection.execute(
        counted.order_by(latest.desc()).offset(limit - 1).limit(1)
    ).scalar_one_or_none()
    return found


def _recent(connection: Connection, user: str, now: datetime) -> Sequence[Row[Any, Any, Any, Any]]:
    """Return the user's newest look-ups of a day that found somebody or nobody, the newest first."""
    found = select(look_up.c.at, look_up.c.outcome, look_up.c.flags, look_up.c.code_mark).where(
        look_up.c.user == user,
        look_up.c.at > now - DAY,
        look_up.c.outcome.in_([audit.DONE, ProblemCode.NOT_FOUND.value]),
    )
    return connection.execute(found.order_by(look_up.c.number.desc()).limit(_LOOKED_AT)).all()


def _seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))
