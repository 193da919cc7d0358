"""Drafts: what the user is typing in a dialog and has not given yet. It survives the dialog, the program and the desk.

A draft belongs to a user, an organisation, a verb and the notices that it was begun for. It is offered where all the
notices of a dialog are among its own, so that a text about one customer never turns up beside another. It holds no
name, only what the user typed and the kind of the notices, and it goes when it has been given, is emptied, or is
older than `KEPT`.

All functions work inside the caller's transaction and touch the ledger only.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.text import clean
from kelmu_tui.store.endings import written
from kelmu_tui.store.outbox import stamp
from kelmu_tui.store.rows import CommandLine

KEPT: Final = timedelta(days=7)
STATE: Final = "draft"
"""State of a draft where it stands among the commands."""
STATES: Final = (STATE,)
VERBS: Final = frozenset({"note", "transfer"})
"""Commands with a text of the user's own."""


class Kept(NamedTuple):
    """A draft; `payload` has the fields of its command and what else the dialog wants to know again."""

    id: str
    organisation: str
    verb: str
    notices: tuple[str, ...]
    payload: dict[str, Any]
    label: dict[str, Any]
    at: datetime


_COLUMNS: Final = "id, organisation, verb, notices, payload, label, saved_at"


def _kept(row: tuple[Any, ...]) -> Kept:
    id_, organisation, verb, notices, payload, label, at = row
    own = tuple(json.loads(notices))
    return Kept(id_, organisation, verb, own, json.loads(payload), json.loads(label), datetime.fromisoformat(at))


class Owner(NamedTuple):
    """Whose draft it is, and what it is to become."""

    user: str
    organisation: str
    verb: str


_OWNED: Final = "user = ? AND organisation = ? AND verb = ?"


def save(
    db: Any,
    owner: Owner,
    notices: Iterable[str],
    payload: Mapping[str, Any],
    label: Mapping[str, Any],
    *,
    id: str,  # noqa: A002
    now: datetime,
    before: str | None = None,
) -> None:
    """Keep a draft in the place of the one for the same notices; `id` names it when there was none.

    Args:
        before: id of the draft for more notices that it began as: these have a text of their own from now on.
    """
    _leave(db, owner, notices, before)
    db.execute(
        "INSERT INTO main.draft (id, user, organisation, verb, notices, payload, label, saved_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user, organisation, verb, notices)"
        " DO UPDATE SET payload = excluded.payload, saved_at = excluded.saved_at",
        (id, *owner, _list(notices), _json(payload), _json(label), stamp(now)),
    )
    sweep(db, now)


def drop(db: Any, owner: Owner, notices: Iterable[str], *, before: str | None = None) -> None:
    """Destroy the draft for just these notices, since it was emptied; `before` as in `save`."""
    _leave(db, owner, notices, before)
    db.execute(f"DELETE FROM main.draft WHERE {_OWNED} AND notices = ?", (*owner, _list(notices)))  # noqa: S608


def _leave(db: Any, owner: Owner, notices: Iterable[str], before: str | None) -> None:
    row = db.execute(f"SELECT {_COLUMNS} FROM main.draft WHERE id = ?", (before,)).fetchone()  # noqa: S608
    if row is not None:
        _take_out(db, owner, _kept(row), set(notices))


def _take_out(db: Any, owner: Owner, found: Kept, done: set[str]) -> None:
    db.execute("DELETE FROM main.draft WHERE id = ?", (found.id,))
    left = [id_ for id_ in found.notices if id_ not in done]
    if left:
        db.execute(
            "INSERT OR REPLACE INTO main.draft (id, user, organisation, verb, notices, payload, label, saved_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (found.id, *owner, _list(left), _json(found.payload), _json(found.label), stamp(found.at)),
        )


def find(db: Any, owner: Owner, notices: Iterable[str], now: datetime) -> Kept | None:
    """Return the newest draft that was begun for all of `notices`."""
    wanted = set(notices)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM main.draft WHERE {_OWNED} AND saved_at > ? ORDER BY saved_at DESC",  # noqa: S608
        (*owner, stamp(now - KEPT)),
    )
    return next((found for found in map(_kept, rows) if wanted <= set(found.notices)), None)


def given(db: Any, owner: Owner, notices: Iterable[str], payload: Mapping[str, Any]) -> None:
    """Take notices out of the drafts whose text they have got, in the transaction that saves the command."""
    if owner.verb not in VERBS:
        return
    done, text = set(notices), _plain(payload)
    rows = db.execute(f"SELECT {_COLUMNS} FROM main.draft WHERE {_OWNED}", owner).fetchall()  # noqa: S608
    for found in map(_kept, rows):
        if not done.isdisjoint(found.notices) and _plain(found.payload) == text:
            _take_out(db, owner, found, done)


def _plain(payload: Mapping[str, Any]) -> str:
    return clean(written(payload), multiline=True).strip()


def _list(notices: Iterable[str]) -> str:
    return json.dumps(sorted(set(notices)), separators=(",", ":"))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- among the commands ---------------------------------------------------------------------------------------------


def lines(db: Any, now: datetime) -> list[CommandLine]:
    """Return the drafts that hold a text as lines of the outbox, the newest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM main.draft WHERE saved_at > ? ORDER BY saved_at DESC",  # noqa: S608
        (stamp(now - KEPT),),
    )
    return [line for line in map(_line, map(_kept, rows)) if line.text]


def line(db: Any, id: str, now: datetime) -> CommandLine | None:  # noqa: A002
    """Return one draft as a line of the outbox."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM main.draft WHERE id = ? AND saved_at > ?",  # noqa: S608
        (id, stamp(now - KEPT)),
    ).fetchone()
    return None if row is None else _line(_kept(row))


def _line(found: Kept) -> CommandLine:
    return CommandLine(
        id=found.id,
        organisation=found.organisation,
        verb=found.verb,
        aggregate=found.notices[0],
        label={**found.label, "count": len(found.notices)},
        state=STATE,
        created_at=found.at,
        attempts=0,
        due_at=None,
        problem=None,
        conflict=None,
        text=written(found.payload),
    )


def discard(db: Any, id: str) -> bool:  # noqa: A002
    """Destroy a draft; False when there is none."""
    return bool(db.execute("DELETE FROM main.draft WHERE id = ?", (id,)).rowcount)


def sweep(db: Any, now: datetime) -> None:
    """Destroy what has been kept long enough."""
    db.execute("DELETE FROM main.draft WHERE saved_at <= ?", (stamp(now - KEPT),))
