"""What the replica's progress means for commands: settled, offered again after a restore, set aside, forgotten.

All functions work inside the caller's transaction, touch the ledger only, and can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from kelmu_tui.store import copies, verbs, views
from kelmu_tui.store.outbox import OFFERED, stamp
from kelmu_tui.store.page import nobodys


def concerned(db: Any, organisation: str, epoch: str | None) -> bool:
    """Tell whether `offer_again`, `settle` or `strand` can have anything to do: most answers change nothing here.

    Without an `epoch`, because the backend has told none, there is nothing to offer again.
    """
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM main.command WHERE organisation = ?1"
        " AND state IN ('acknowledged', 'queued', 'blocked'))"
        " OR ?3 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.secret WHERE key = ?2 AND value = ?3)",
        (organisation, _mark(organisation), epoch),
    ).fetchone()
    return bool(row[0])


def _mark(organisation: str) -> str:
    return f"epoch:{organisation}"


def settle(
    db: Any,
    organisation: str,
    *,
    epoch: str | None,
    checkpoint: int,
    filling: bool,
    now: datetime,
    nowhere: bool = False,
) -> list[str]:
    """End the acknowledged commands whose effect the replica now shows by itself; return their notices.

    That is so when the checkpoint has reached the effect and no scope is being filled: a scope in `fill` may still
    show rows from before it. An effect of another epoch is not the replica's: either it is offered again, or the
    replica has yet to hear of that epoch and shows rows from before it.

    Args:
        nowhere: nothing is granted: no replica is left that could catch up, nor any place where an effect would show.
    """
    rows = db.execute(
        "UPDATE main.command SET state = 'settled', ended_at = ? WHERE state = 'acknowledged' AND organisation = ?"
        " AND (? OR (ack_epoch = ? AND ? >= ack_seq AND NOT ?)) RETURNING aggregate",
        (stamp(now), organisation, nowhere, epoch, checkpoint, filling),
    ).fetchall()
    settled = [row[0] for row in rows]
    _forget_given_away(db, organisation, settled)
    return settled


def _forget_given_away(db: Any, organisation: str, notices: Iterable[str]) -> None:
    """Take the customer's name out of the history of notices that were given to another organisation.

    The sender keeps a trace of them, not the content; the list of own commands is no way around that.
    """
    db.executemany(
        "UPDATE main.command SET label = json_remove(label, '$.customer')"
        " WHERE aggregate = ?1 AND organisation = ?2 AND state = 'settled' AND EXISTS ("
        "  SELECT 1 FROM main.command AS gone WHERE gone.aggregate = ?1 AND gone.organisation = ?2"
        "  AND gone.verb = 'transfer' AND gone.state = 'settled'"
        "  AND json_extract(gone.label, '$.to_organisation') <> ?2)",
        [(notice, organisation) for notice in notices],
    )


def offer_again(db: Any, organisation: str, *, epoch: str, now: datetime) -> list[str]:
    """After a restore of the backend, queue the applied commands of before once more with their old keys.

    What survived the restore answers from the backend's memory, what was lost is applied or refused. What is in
    flight is sent again too: its answer may still tell of an effect from before the restore. A mark in the ledger
    makes it happen once for each epoch. The log of views is told again in the same way. Returns the notices concerned.
    """
    mark = _mark(organisation)
    known = db.execute("SELECT value FROM main.secret WHERE key = ?", (mark,)).fetchone()
    if known is not None and known[0] == epoch:
        return []
    db.execute("INSERT OR REPLACE INTO main.secret (key, value) VALUES (?, ?)", (mark, epoch))
    if known is None:
        return []
    rows = db.execute(
        "UPDATE main.command SET state = 'queued', due_at = NULL, ack_seq = NULL, ack_version = NULL,"
        " ack_epoch = NULL, ended_at = NULL WHERE state IN ('acknowledged', 'settled') AND organisation = ?"
        " AND ack_epoch <> ? AND (state = 'acknowledged' OR ended_at >= ?) RETURNING aggregate",
        (organisation, epoch, stamp(now - OFFERED)),
    ).fetchall()
    views.rewind(db, 0)
    rows += db.execute(
        "UPDATE main.command SET state = 'queued' WHERE state = 'sending' AND organisation = ? RETURNING aggregate",
        (organisation,),
    ).fetchall()
    return [row[0] for row in rows]


def strand(db: Any, organisation: str, scopes: Iterable[str], now: datetime) -> list[str]:
    """Set aside the commands that were never sent and need a scope that is gone; return their notices.

    Copies of documents are destroyed with the mandate to send them. One that was sent once keeps being sent: the
    backend's memory, or its refusal, tells what became of it.
    """
    held = {nobodys(scope) for scope in scopes}
    rows = db.execute(
        "SELECT id, verb, aggregate FROM main.command WHERE state IN ('queued', 'blocked') AND body IS NULL"
        " AND organisation = ?",
        (organisation,),
    ).fetchall()
    gone = [(key, notice) for key, verb, notice in rows if not needed_scopes(verb, organisation) <= held]
    db.executemany(
        "UPDATE main.command SET state = 'undeliverable', due_at = NULL, ended_at = ? WHERE id = ?",
        [(stamp(now), key) for key, _ in gone],
    )
    lost = copies.destroy(db, organisation) if _sendings(organisation) not in held else []
    return [*(notice for _, notice in gone), *lost]


def tells_too_much(db: Any, organisation: str, scopes: Iterable[str]) -> bool:
    """Tell whether the ledger still holds of customers what the user may no longer see (`forget_customers`)."""
    shown = _shown(organisation, scopes)
    if all(shown):
        return False
    row = db.execute(
        f"SELECT EXISTS (SELECT 1 FROM main.command WHERE {_HIDDEN} AND (json_type(label, '$.customer') IS NOT"  # noqa: S608
        f" NULL OR {_OVER} OR {_DECIDED}"
        " OR EXISTS (SELECT 1 FROM main.conflict WHERE command = id AND current IS NOT NULL)))"
        " OR NOT ?4 AND EXISTS (SELECT 1 FROM main.claim_draft WHERE organisation = ?1)"
        " OR NOT ?5 AND EXISTS (SELECT 1 FROM main.sealed_copy WHERE organisation = ?1 AND key IS NOT NULL)",
        (organisation, *shown),
    ).fetchone()
    return bool(row[0])


_HIDDEN: Final = (
    "organisation = ?1 AND NOT CASE WHEN verb GLOB 'follow-*' THEN ?3 WHEN verb GLOB 'claim-*' THEN ?4"
    " WHEN verb GLOB 'document-*' THEN ?5 ELSE ?2 END"
)
"""Commands that tell of somebody whom the user may no longer see."""
_OVER: Final = (
    "verb GLOB 'claim-*' AND state IN ('discarded', 'reissued') AND json_type(payload, '$.payee') IS NOT NULL"
)
"""Commands on claims that the user has ended, and that still say on whose benefit they were."""
_DECIDED: Final = (
    "verb = 'document-send' AND state NOT IN ('queued', 'sending', 'acknowledged', 'settled')"
    " AND json_type(payload, '$.customer') IS NOT NULL"
)
"""Sendings that are not offered again by themselves, and that still say whose documents they were."""


def _shown(organisation: str, scopes: Iterable[str]) -> tuple[bool, bool, bool, bool]:
    """Tell whether people may be seen: of notices, of follows, of claims, and those whose documents are sent."""
    held = {nobodys(scope) for scope in scopes}
    notices, follows = _notices(organisation) in held, _follows(organisation) in held
    return notices, follows, _claims(organisation) in held, _sendings(organisation) in held


def shows(verb: str, organisation: str, scopes: Iterable[str]) -> bool:
    """Tell whether with `scopes` the user may see whom a command is about (the same as `_HIDDEN` for one command)."""
    notices, follows, claims, sendings = _shown(organisation, scopes)
    return {"follow": follows, "claim": claims, "sending": sendings}.get(verbs.table(verb), notices)


def forget_customers(db: Any, organisation: str, scopes: Iterable[str]) -> list[str]:
    """Take names and the backend's rows out of the commands that `scopes` do not show; return their aggregates.

    What the user wrote stays: it is their own work, and they may want to copy it out. A draft of a claim goes: nearly
    all of it is about somebody.
    """
    hidden = (organisation, *_shown(organisation, scopes))
    db.execute(
        "UPDATE main.conflict SET current = NULL WHERE current IS NOT NULL"  # noqa: S608
        f" AND command IN (SELECT id FROM main.command WHERE {_HIDDEN})",
        hidden,
    )
    # Of documents the identity code stands in the command. What may still be offered again keeps its bytes.
    db.execute(
        "UPDATE main.command SET payload = json_remove(payload, '$.customer'), body = NULL"  # noqa: S608
        f" WHERE {_DECIDED} AND {_HIDDEN}",
        hidden,
    )
    # Of claims too; what the user has not ended can still be sent or mended when the mandate comes back.
    db.execute(
        "UPDATE main.command SET payload = json_remove(payload, '$.payee', '$.typed'), body = NULL"  # noqa: S608
        f" WHERE {_OVER} AND {_HIDDEN}",
        hidden,
    )
    rows = db.execute(
        f"UPDATE main.command SET label = json_remove(label, '$.customer') WHERE {_HIDDEN} RETURNING aggregate",  # noqa: S608
        hidden,
    ).fetchall()
    if not _shown(organisation, scopes)[2]:
        db.execute("DELETE FROM main.claim_draft WHERE organisation = ?", (organisation,))
    return [row[0] for row in rows]


def organisations(db: Any) -> list[str]:
    """Return the organisations of which the ledger holds something that goes with a mandate."""
    rows = db.execute(
        "SELECT organisation FROM main.command WHERE state IN ('queued', 'blocked') AND body IS NULL"
        " OR json_type(label, '$.customer') IS NOT NULL"
        " UNION SELECT organisation FROM main.claim_draft"
        " UNION SELECT organisation FROM main.sealed_copy WHERE key IS NOT NULL OR state = 'withdrawn'"
    )
    return [row[0] for row in rows]


def end_organisation(db: Any, organisation: str, now: datetime) -> list[str]:
    """Do what follows when not one mandate for an organisation is left; return the notices of its commands."""
    strand(db, organisation, (), now)
    sweep(db, organisation, ended_before=now)
    return forget_customers(db, organisation, ())


def _notices(organisation: str) -> str:
    return f"notices:{organisation}"


def _follows(organisation: str) -> str:
    return f"follows:{organisation}"


def _claims(organisation: str) -> str:
    return f"claims:{organisation}"


def _sendings(organisation: str) -> str:
    return f"sendings:{organisation}"


def needed_scopes(verb: str, organisation: str) -> set[str]:
    """Return the scopes of the feed without which a command can't be allowed; of an own one without the user."""
    notices, traces = _notices(organisation), f"traces:{organisation}"
    match verbs.table(verb):
        case "follow":
            return {_follows(organisation)}
        case "claim":
            return {_claims(organisation)}
        case "sending":
            return {_sendings(organisation)}
        case "trace":
            return {traces}
    return {notices, traces} if verb == "transfer" else {notices}


def sweep(db: Any, organisation: str, *, ended_before: datetime) -> int:
    """Forget commands that have ended and that nothing refers to; return how many.

    Those of the last week (`KEPT`), and all while the backend is not heard, may have to be offered again after a
    restore of it; only with the organisation itself that ends too.
    """
    old = (
        "SELECT id FROM main.command AS c WHERE state IN ('settled', 'reissued', 'discarded') AND organisation = ?"
        " AND ended_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM main.command AS f WHERE f.after = c.id"
        " AND f.state NOT IN ('settled', 'reissued', 'discarded'))"
    )
    limit = (organisation, stamp(ended_before))
    db.execute(f"DELETE FROM main.conflict WHERE command IN ({old})", limit)  # noqa: S608
    gone = int(db.execute(f"DELETE FROM main.command WHERE id IN ({old})", limit).rowcount)  # noqa: S608
    copies.forget(db)
    return gone
