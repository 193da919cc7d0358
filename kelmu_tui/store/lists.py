"""Publications of lists, and the copies of them in the replica: what is here, and when it ends.

A copy is *staged* while its rows come (`store.list_fetch`), *whole* from one moment on, when it takes the place of the
copy of an older version, and *gone* when nothing of it is shown any more: its rows are then deleted in small steps. A
whole copy never changes, so that what was computed from it holds as long as it is there.

Functions that write work inside the caller's `Store.write("replica")`. Every start asks here whether something has
ended; the catalogue of lists is read by those alone that need it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.store.replica import instant, microseconds

SHIFT: Final = 32
"""Bits of a row's number that tell its place of arrival in the copy."""
RESUMABLE: Final = timedelta(days=1)
"""How long the rows of a fetch that broke off are kept for going on."""
STEP_ROWS: Final = 500
"""Rows deleted in one transaction: about 10 ms."""
STEP_PLACES: Final = 5000
"""Places of the order deleted in one transaction."""


class Publication(NamedTuple):
    """What the backend says of one period of a list.

    Attributes:
        period: `domain.lists.Period.key`.
        version: grows when it is published anew.
        rows: how many it has.
        expires: from then on it cannot be fetched; None without an end.
    """

    list: str
    period: str
    version: int
    published_at: datetime
    rows: int
    withdrawn: bool = False
    expires: datetime | None = None


class Copy(NamedTuple):
    """A whole copy of a list's period.

    Attributes:
        number: names this copy; a later one of the same period has another.
        persons: how many there are in its rows.
    """

    number: int
    list: str
    period: str
    version: int
    published_at: datetime
    rows: int
    persons: int
    fetched_at: datetime
    expires_at: datetime


class Entry(NamedTuple):
    """A period of a list: as the backend told it, as it is here, and how much of a fetch is.

    Attributes:
        publication: None when the backend does not name it (any more).
        copy: None when none is here.
        staged: rows of a fetch that is under way or broke off, None without one.
    """

    list: str
    period: str
    publication: Publication | None
    copy: Copy | None
    staged: int | None

    @property
    def outdated(self) -> bool:
        """Whether a newer version was published than is here."""
        if self.publication is None or self.copy is None:
            return False
        return self.publication.version > self.copy.version


# --- what there is --------------------------------------------------------------------------------------------------


def announce(db: Any, publications: Iterable[Publication], of: Iterable[str]) -> list[str]:
    """Store everything that the backend publishes of the lists `of`; return the lists of which a copy went.

    What is withdrawn goes at once, unless a newer version of it is here.
    """
    found = list(publications)
    db.executemany("DELETE FROM replica.list_publication WHERE list = ?", [(list_,) for list_ in set(of)])
    db.executemany(
        "INSERT OR REPLACE INTO replica.list_publication (list, period, version, published, rows, withdrawn, expires)"
        " VALUES (?,?,?,?,?,?,?)",
        [
            (
                one.list,
                one.period,
                one.version,
                microseconds(one.published_at),
                one.rows,
                one.withdrawn,
                None if one.expires is None else microseconds(one.expires),
            )
            for one in found
        ],
    )
    gone = [one.list for one in found if one.withdrawn and withdraw(db, one.list, one.period, one.version)]
    return list(dict.fromkeys(gone))


def shelf(db: Any, now: datetime) -> list[Entry]:
    """Return every period of the lists that is published or here, the newest period of each list first."""
    published = {(one.list, one.period): one for one in _publications(db, now)}
    whole = {(one.list, one.period): one for one in copies(db, now)}
    staged = {
        (list_, period): rows
        for list_, period, rows in db.execute(
            "SELECT list, period, rows FROM replica.list_copy WHERE state = 'staged' AND expires > ?",
            (microseconds(now),),
        )
    }
    names = sorted(published | whole | staged, key=lambda name: (name[0], _first(name[1])), reverse=True)
    names.sort(key=lambda name: name[0])
    return [
        Entry(list_, period, published.get((list_, period)), whole.get((list_, period)), staged.get((list_, period)))
        for list_, period in names
    ]


def _first(period: str) -> str:
    from kelmu_tui.domain.lists import read_period

    return read_period(period).first.isoformat()


def _is_known(list_: str) -> bool:
    from kelmu_tui.domain.lists import lists

    return list_ in lists()


def _publications(db: Any, now: datetime) -> list[Publication]:
    rows = db.execute(
        "SELECT list, period, version, published, rows, withdrawn, expires FROM replica.list_publication"
        " WHERE expires IS NULL OR expires > ?",
        (microseconds(now),),
    )
    return [
        Publication(list_, period, version, instant(at), count, bool(withdrawn), None if end is None else instant(end))
        for list_, period, version, at, count, withdrawn, end in rows
        if _is_known(list_)
    ]


_COPY: Final = "SELECT number, list, period, version, published, rows, persons, fetched, expires FROM replica.list_copy"


def copies(db: Any, now: datetime) -> list[Copy]:
    """Return the whole copies that may be shown."""
    rows = db.execute(f"{_COPY} WHERE state = 'whole' AND expires > ?", (microseconds(now),))
    return [_copy(row) for row in rows if _is_known(row[1])]


def copy(db: Any, list_: str, period: str, now: datetime) -> Copy | None:
    """Return the whole copy of a period, None when none may be shown."""
    row = db.execute(
        f"{_COPY} WHERE list = ? AND period = ? AND state = 'whole' AND expires > ?",
        (list_, period, microseconds(now)),
    ).fetchone()
    return None if row is None or not _is_known(row[1]) else _copy(row)


def _copy(row: tuple[Any, ...]) -> Copy:
    number, list_, period, version, published, rows, persons, fetched, expires = row
    return Copy(number, list_, period, version, instant(published), rows, persons, instant(fetched), instant(expires))


# --- ends -----------------------------------------------------------------------------------------------------------


def withdraw(db: Any, list_: str, period: str, version: int) -> bool:
    """End what is here of a period up to a version, with its counts; say whether there was anything."""
    db.execute(
        "DELETE FROM replica.list_count WHERE list = ? AND period = ? AND version <= ?", (list_, period, version)
    )
    return _end(db, "list = ? AND period = ? AND version <= ?", (list_, period, version)) > 0


def abandon(db: Any, number: int) -> None:
    """End a copy that is staged; one that is whole by now stays."""
    _end(db, "number = ? AND state = 'staged'", (number,))


def next_end(db: Any) -> int | None:
    """Return when the first copy or invoice ends, in microseconds of UTC; None when there are none."""
    found = db.execute(
        "SELECT min(first) FROM (SELECT min(expires) AS first FROM replica.list_copy WHERE state <> 'gone'"
        " UNION ALL SELECT min(expires) FROM replica.invoice_head)"
    ).fetchone()[0]
    return None if found is None else int(found)


def end(db: Any, now: datetime) -> int:
    """End the copies and forget the publications and invoices whose time is over; return how many copies."""
    at = microseconds(now)
    for table in ("list_publication", "invoice_head"):
        db.execute(f"DELETE FROM replica.{table} WHERE expires <= ?", (at,))  # noqa: S608
    return _end(db, "expires <= ?", (at,))


def _end(db: Any, where: str, values: tuple[Any, ...]) -> int:
    ended = "UPDATE replica.list_copy SET state = 'gone' WHERE state <> 'gone'"
    return int(db.execute(f"{ended} AND {where}", values).rowcount)


def erasing(db: Any) -> bool:
    """Tell whether rows wait to be deleted."""
    return db.execute("SELECT 1 FROM replica.list_copy WHERE state = 'gone' LIMIT 1").fetchone() is not None


def erase(db: Any, rows: int = STEP_ROWS) -> bool:
    """Delete some rows of what has gone; True when nothing is left of it. The log has to be emptied then."""
    found = db.execute("SELECT number FROM replica.list_copy WHERE state = 'gone' LIMIT 1").fetchone()
    if found is None:
        return True
    number = found[0]
    last = db.execute(
        "SELECT max(row) FROM (SELECT row FROM replica.list_row WHERE row >= ? AND row < ? ORDER BY row LIMIT ?)",
        (*span(number), rows),
    ).fetchone()[0]
    if last is not None:
        db.execute("DELETE FROM replica.list_row WHERE row >= ? AND row <= ?", (number << SHIFT, last))
        return False
    last = db.execute(
        "SELECT max(place) FROM (SELECT place FROM replica.list_order WHERE copy = ? ORDER BY place LIMIT ?)",
        (number, STEP_PLACES),
    ).fetchone()[0]
    if last is not None:
        db.execute("DELETE FROM replica.list_order WHERE copy = ? AND place <= ?", (number, last))
        return False
    db.execute("DELETE FROM replica.list_copy WHERE number = ?", (number,))
    return not erasing(db)


def span(copy_: int) -> tuple[int, int]:
    """Return the number of a copy's first row, and the first one behind its rows."""
    return copy_ << SHIFT, (copy_ + 1) << SHIFT


# --- mandates -------------------------------------------------------------------------------------------------------


def any_held(db: Any) -> bool:
    """Tell whether there is anything of any list that has not gone."""
    found = db.execute(
        "SELECT EXISTS (SELECT 1 FROM replica.list_copy WHERE state <> 'gone')"
        " OR EXISTS (SELECT 1 FROM replica.list_count) OR EXISTS (SELECT 1 FROM replica.list_publication)"
        " OR EXISTS (SELECT 1 FROM replica.invoice_head)"
    ).fetchone()
    return bool(found[0])


def named(db: Any) -> frozenset[str]:
    """Return the lists of which there is anything that has not gone."""
    rows = db.execute(
        "SELECT list FROM replica.list_copy WHERE state <> 'gone' UNION SELECT list FROM replica.list_count"
        " UNION SELECT list FROM replica.list_publication UNION SELECT list FROM replica.invoice_head"
    )
    return frozenset(row[0] for row in rows)


def keep_only(db: Any, opened: frozenset[str]) -> list[str]:
    """End everything of the lists that are not open; return those of which there was any.

    Nothing of them is shown from then on. Their rows are deleted by `erase`, like those of any copy that has gone:
    300 000 at once would keep everybody else from the store for seconds.
    """
    gone = sorted(named(db) - opened)
    for list_ in gone:
        _end(db, "list = ?", (list_,))
        for table in ("list_count", "list_publication", "invoice_head"):
            db.execute(f"DELETE FROM replica.{table} WHERE list = ?", (list_,))  # noqa: S608
    return gone


def forget_all(db: Any) -> bool:
    """End everything of all lists; say whether there was anything."""
    return bool(keep_only(db, frozenset()))


# --- counts ---------------------------------------------------------------------------------------------------------


class Counts(NamedTuple):
    """How many there were in a period: rows, persons, and persons against the period before (None until compared)."""

    period: str
    rows: int
    persons: int
    came: int | None
    went: int | None
    changed: int | None


def counts(db: Any, list_: str) -> list[Counts]:
    """Return the counts of a list's periods, the oldest first."""
    rows = db.execute(
        "SELECT period, rows, persons, came, went, changed FROM replica.list_count WHERE list = ?", (list_,)
    )
    return sorted((Counts(*row) for row in rows), key=lambda one: _first(one.period))


def count(db: Any, list_: str, period: str, version: int, rows: int, persons: int) -> None:
    """Note the counts of a period, and forget those of periods longer ago than the retention says."""
    from kelmu_tui.domain.lists import retention

    db.execute(
        "INSERT OR REPLACE INTO replica.list_count (list, period, version, rows, persons) VALUES (?, ?, ?, ?, ?)",
        (list_, period, version, rows, persons),
    )
    old = [one.period for one in counts(db, list_)][: -retention().compared]
    db.executemany("DELETE FROM replica.list_count WHERE list = ? AND period = ?", [(list_, one) for one in old])


def count_changes(db: Any, list_: str, period: str, version: int, found: tuple[int, int, int]) -> bool:
    """Note how many persons came, went and changed against the period before; say whether that was news."""
    changed = db.execute(
        "UPDATE replica.list_count SET came = ?, went = ?, changed = ? WHERE list = ? AND period = ? AND version = ?"
        " AND (came, went, changed) IS NOT (?, ?, ?)",
        (*found, list_, period, version, *found),
    )
    return bool(changed.rowcount)
