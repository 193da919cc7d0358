"""Drafts of claims: what the user is typing into the form and has not given. They survive the form and the program.

A draft belongs to a user and an organisation. It holds the payee's code and name and the texts as they were typed,
which may not be readable as days or sums yet. It goes when its claim is given, when the user drops it, with the mandate
to make claims (`aftermath.forget_customers`), and when it is older than `KEPT`.

A registration that was refused is a draft as well: it was never a claim, and what it says waits to be mended.

All functions work inside the caller's transaction and touch the ledger only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.store import claim_content, claim_overlay, endings
from kelmu_tui.store.claim_rows import ClaimDraft
from kelmu_tui.store.outbox import stamp

KEPT: Final = timedelta(days=30)


class Owner(NamedTuple):
    """Whose drafts are meant."""

    user: str
    organisation: str


_COLUMNS: Final = "id, claim, payee, name, body, saved_at, base"
_OWNED: Final = "user = ? AND organisation = ? AND saved_at > ?"


def save(db: Any, owner: Owner, draft: ClaimDraft) -> None:
    """Keep a draft in the place of the one with its id."""
    db.execute(
        "INSERT INTO main.claim_draft (id, user, organisation, claim, payee, name, body, saved_at, base)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET claim = excluded.claim,"
        " payee = excluded.payee, name = excluded.name, body = excluded.body, saved_at = excluded.saved_at,"
        " base = excluded.base WHERE user = excluded.user AND organisation = excluded.organisation",
        (
            draft.id,
            *owner,
            draft.claim,
            draft.payee,
            draft.name,
            _json(draft.values),
            stamp(draft.at),
            None if draft.base is None else _json(draft.base),
        ),
    )


def find(db: Any, owner: Owner, id: str, now: datetime) -> ClaimDraft | None:  # noqa: A002
    """Return a draft, None when there is none (any more)."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM main.claim_draft WHERE {_OWNED} AND id = ?",  # noqa: S608
        (*owner, stamp(now - KEPT), id),
    ).fetchone()
    return None if row is None else _draft(row)


def drafts(db: Any, owner: Owner, now: datetime) -> list[ClaimDraft]:
    """Return the drafts, the newest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM main.claim_draft WHERE {_OWNED} ORDER BY saved_at DESC, id",  # noqa: S608
        (*owner, stamp(now - KEPT)),
    )
    return [_draft(row) for row in rows]


def drop(db: Any, owner: Owner, id: str) -> bool:  # noqa: A002
    """Destroy a draft; False when there is none."""
    gone = db.execute("DELETE FROM main.claim_draft WHERE user = ? AND organisation = ? AND id = ?", (*owner, id))
    return bool(gone.rowcount)


def sweep(db: Any, now: datetime) -> None:
    """Destroy what has been kept long enough."""
    db.execute("DELETE FROM main.claim_draft WHERE saved_at <= ?", (stamp(now - KEPT),))


def _draft(row: tuple[Any, ...]) -> ClaimDraft:
    id_, claim, payee, name, body, at, base = row
    said = None if base is None else json.loads(base)
    return ClaimDraft(id_, claim, payee, name, json.loads(body), datetime.fromisoformat(at), said)


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


# --- registrations that were refused --------------------------------------------------------------------------------


def refused(db: Any, organisation: str, claim: str) -> ClaimDraft | None:
    """Return what a registration says that was refused and that the user has not acted on, None without one."""
    command = claim_overlay.refused(db, organisation).get(claim)
    if command is None:
        return None
    at, payload, name = datetime.fromisoformat(command.created_at), command.payload, command.label.get("customer", "")
    return ClaimDraft(claim, None, str(payload["payee"]), str(name), claim_content.typed(payload), at)


def end_refused(db: Any, organisation: str, claim: str, now: datetime, *, how: str = "redone") -> bool:
    """End a registration that was refused, and what stands behind it; False when there is none."""
    command = claim_overlay.refused(db, organisation).get(claim)
    if command is None:
        return False
    for follower in endings.chain(db, command.id):
        endings.discard(db, follower.id, now, ended=how)
    endings.discard(db, command.id, now, ended=how)
    return True
