"""The log of what was shown: an event is committed to the ledger before any content leaves the store.

Events form a chain: each holds the hash of the one before, so that editing, dropping or reordering one shows. An
event is kept as the text that is hashed and shipped (`body`): a JSON object with `number` and the fields of
`ViewEvent`, or the list of them that the ledger's first version wrote. The ledger is synced at each commit; when it
can't be written, nothing is shown.

Events are shipped in their order (`sync.ship`) and leave the ledger some time after the backend's receipt. All
functions work inside the caller's transaction.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import chain

GENESIS: Final = bytes(32)
"""Hash before the first event."""
_OPTIONAL: Final = ("purpose", "case_reference", "reason")
KEPT: Final = timedelta(days=7)
"""How long an event stays after its receipt: a backend that was restored from a backup asks for it again."""
SWEPT: Final = 5000
"""Events that are forgotten in one transaction at the most."""


class ViewEvent(NamedTuple):
    """One look: `view` is list, preview, notice, trace, one of the customers' (customer, customer_list, customer_copy,
    customer_export), or one of Kela's lists' (list_rows, list_compare, list_copy, list_export, invoice_dispute).

    `subject` is the notice's or the customer's id, or list and period (`list_lms_300_days/2026-10`); None for a list of
    notices or customers.

    Attributes:
        purpose, case_reference: for what a customer was looked up; events about notices have none.
        reason: in the user's words, for what rows of a list left the program.
    """

    at: datetime
    user: str
    organisation: str
    view: str
    subject: str | None
    rows: int
    data_at: datetime | None
    purpose: str | None = None
    case_reference: str | None = None
    reason: str | None = None


class Logged(NamedTuple):
    """An event as it stands in the ledger."""

    number: int
    previous: bytes
    hash: bytes
    body: str


# --- logging --------------------------------------------------------------------------------------------------------


def log(db: Any, event: ViewEvent) -> int:
    """Append an event inside `Store.write` and return its number; it counts once that transaction is committed.

    Raises:
        ViewsBarred: nothing may be shown, so nothing is logged either.
    """
    chain.demand(db)
    last = db.execute("SELECT number, hash FROM main.view_event ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, bytes(last[1])) if last is not None else (1, GENESIS)
    _append(db, number, previous, event)
    return number


def verify(db: Any) -> int | None:
    """Return the number of the first event that does not fit into the chain, None when all do."""
    expected: int | None = None
    previous: bytes | None = None
    for number, before, own, body in db.execute(
        "SELECT number, previous, hash, body FROM main.view_event ORDER BY number"
    ):
        # The oldest events leave the ledger once the backend has them: the chain may begin anywhere.
        fits = previous is None or (number == expected and before == previous)
        if not fits or own != chained(before, body) or _number(body) != number:
            return int(number)
        expected, previous = number + 1, own
    return None


def chained(previous: bytes, body: str) -> bytes:
    """Return the hash of an event that stands behind `previous`."""
    return hashlib.sha256(previous + body.encode()).digest()


def _append(db: Any, number: int, previous: bytes, event: ViewEvent) -> bytes:
    body = _body(number, event)
    own = chained(previous, body)
    db.execute(
        "INSERT INTO main.view_event (number, previous, hash, body) VALUES (?, ?, ?, ?)",
        (number, previous, own, body),
    )
    return own


def _body(number: int, event: ViewEvent) -> str:
    values: dict[str, Any] = {
        "number": number,
        "at": event.at.isoformat(),
        "user": event.user,
        "organisation": event.organisation,
        "view": event.view,
        "subject": event.subject,
        "rows": event.rows,
        "data_at": event.data_at.isoformat() if event.data_at is not None else None,
    }
    # Left out where there are none: an event about a notice stays the text that it always was.
    values |= {name: getattr(event, name) for name in _OPTIONAL if getattr(event, name) is not None}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


_FIRST: Final = ("number", *(name for name in ViewEvent._fields if name not in _OPTIONAL))
"""Fields of every event, in the order in which the ledger's first version listed their values."""


def _number(body: str) -> int:
    found = json.loads(body)
    return int(found[0] if isinstance(found, list) else found["number"])


# --- shipping -------------------------------------------------------------------------------------------------------


def waiting(db: Any, most: int) -> int:
    """Return how many events wait to be shipped, counted up to `most`."""
    row = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM main.view_event WHERE received_at IS NULL LIMIT ?)", (most,)
    ).fetchone()
    return int(row[0])


def unshipped(db: Any, most: int) -> list[Logged]:
    """Return up to `most` events that wait, in their order and without a gap between them."""
    found: list[Logged] = []
    for number, previous, own, body in db.execute(
        "SELECT number, previous, hash, body FROM main.view_event WHERE received_at IS NULL ORDER BY number LIMIT ?",
        (most,),
    ):
        if found and number != found[-1].number + 1:
            break
        found.append(Logged(number, bytes(previous), bytes(own), body))
    return found


def follows(db: Any, number: int) -> bool:
    """Tell whether the event before `number` is in the ledger, or there never was one."""
    before = db.execute("SELECT 1 FROM main.view_event WHERE number = ?", (number - 1,)).fetchone()
    return number == 1 or before is not None


def newest(db: Any) -> int:
    """Return the number of the newest event, 0 when there is none."""
    return int(db.execute("SELECT coalesce(max(number), 0) FROM main.view_event").fetchone()[0])


def agrees(db: Any, number: int, own: bytes) -> bool:
    """Tell whether the backend's newest event can be of this ledger: not one that it never logged, nor another one."""
    if number > newest(db):
        return False
    row = db.execute("SELECT hash FROM main.view_event WHERE number = ?", (number,)).fetchone()
    return row is None or bytes(row[0]) == own


def received(db: Any, number: int, at: str) -> None:
    """Note the receipt of all events up to `number`; `at` is `outbox.stamp`'s text."""
    db.execute("UPDATE main.view_event SET received_at = ? WHERE received_at IS NULL AND number <= ?", (at, number))


def rewind(db: Any, number: int) -> None:
    """Let everything behind `number` wait again: the backend no longer has it."""
    db.execute("UPDATE main.view_event SET received_at = NULL WHERE received_at IS NOT NULL AND number > ?", (number,))


def forget(db: Any, before: str) -> int:
    """Forget events received before an instant (`outbox.stamp`'s text), some at a time; return how many.

    The newest stays whatever its age, since the next one needs its hash.
    """
    return int(
        db.execute(
            "DELETE FROM main.view_event WHERE number IN (SELECT number FROM main.view_event WHERE received_at < ?"
            " AND number < (SELECT max(number) FROM main.view_event) ORDER BY number LIMIT ?)",
            (before, SWEPT),
        ).rowcount
    )


# --- beginning again ------------------------------------------------------------------------------------------------


def begin_again(db: Any, user: str, ids: Ids) -> None:
    """Begin another chain in a barred ledger, with what waits of the old one as its first events.

    What the backend has stays there; an event that can't be read, or names somebody else, was found out already.
    """
    waiting_ = db.execute("SELECT body FROM main.view_event WHERE received_at IS NULL ORDER BY number").fetchall()
    told = [event for (body,) in waiting_ if (event := _read(body)) is not None and event.user == user]
    db.execute("DELETE FROM main.view_event")
    chain.renew(db, ids)
    previous = GENESIS
    for number, event in enumerate(told, 1):
        previous = _append(db, number, previous, event)


def _read(body: str) -> ViewEvent | None:
    """Return what an event says, None when it is none."""
    try:
        found = json.loads(body)
        _, at, user, organisation, view, subject, rows, data_at = (
            found if isinstance(found, list) else (found[name] for name in _FIRST)
        )
        more = (None,) * len(_OPTIONAL) if isinstance(found, list) else tuple(found.get(name) for name in _OPTIONAL)
        heard = None if data_at is None else datetime.fromisoformat(data_at)
        event = ViewEvent(datetime.fromisoformat(at), user, organisation, view, subject, rows, heard, *more)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    optional = ("" if text is None else text for text in (subject, *more))
    texts = all(isinstance(text, str) for text in (user, organisation, view, *optional))
    aware = event.at.tzinfo is not None and (heard is None or heard.tzinfo is not None)
    return event if texts and aware and isinstance(rows, int) else None
