"""What the user's own pending commands make of the replica's rows: computed by the domain's rules, never stored.

The rows that pending commands touch stand in the temporary table `shown`; lists leave the replica's row out and take
that one instead. It is computed anew only when the commands or the replica's rows have changed since.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.notices import (
    OPEN_STATUSES,
    Actor,
    AddNote,
    Handle,
    Kind,
    NoticeState,
    Open,
    Refused,
    Release,
    Reopen,
    Status,
    Take,
    TakeBack,
    Transfer,
    decide,
)
from kelmu_tui.domain.notices import Command as DomainCommand
from kelmu_tui.domain.transfer import recipient
from kelmu_tui.store import outbox
from kelmu_tui.store.rows import NoteDetail, TraceLine
from kelmu_tui.store.words import municipality_ranks

_SHOWN_TABLE: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS shown (base INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tie INTEGER NOT NULL,"
    " version INTEGER NOT NULL, kind TEXT NOT NULL, kind_rank INTEGER NOT NULL, subtype TEXT, urgent INTEGER NOT NULL,"
    " status TEXT NOT NULL, open INTEGER NOT NULL, municipality TEXT NOT NULL, municipality_rank INTEGER NOT NULL,"
    " arrived INTEGER NOT NULL, due TEXT NOT NULL, customer TEXT NOT NULL, customer_key TEXT NOT NULL,"
    " non_disclosure INTEGER NOT NULL, assignee TEXT, assignee_name TEXT, transferred_from TEXT,"
    " held INTEGER NOT NULL, matches INTEGER NOT NULL DEFAULT 0)"
)
_MATCHED_TABLE: Final = "CREATE TEMP TABLE IF NOT EXISTS matched (row INTEGER PRIMARY KEY)"
_WITHOUT_INPUT: Final[dict[str, DomainCommand]] = {
    "take": Take(),
    "release": Release(),
    "open": Open(),
    "handle": Handle(),
    "reopen": Reopen(),
    "take-back": TakeBack(),
}
_BASE: Final = (
    "rowid, id, tie, version, kind, kind_rank, subtype, urgent, status, open, municipality, municipality_rank,"
    " arrived, due, customer, customer_key, non_disclosure, assignee, assignee_name, transferred_from"
)
_HANDLED: Final = "json_extract(body, '$.handled_at'), json_extract(body, '$.handled_by'), organisation"


class Frame(NamedTuple):
    """What is shown now.

    Attributes:
        organisation: business ID the replica is of.
        notices, traces, announcements: generations shown, 0 when none yet.
        notices_epoch, traces_epoch: epochs of the rows of these generations, None when not known.
        revision: of the replica's rows.
        touched: how many rows stand in `shown`.
    """

    organisation: str
    notices: int
    traces: int
    announcements: int
    notices_epoch: str | None
    traces_epoch: str | None
    revision: int = 0
    touched: int = 0


class Effect(NamedTuple):
    """What pending commands make of one notice; `base_version` is the replica's, the one that If-Match builds on."""

    base_version: int
    state: NoticeState
    notes: tuple[NoteDetail, ...]
    trace: TraceLine | None


def frame(db: Any) -> Frame:
    """Bring `shown` up to date and return what is shown; inside a transaction, so that both stay in step."""
    stamp = (
        db.total_changes,
        db.execute("PRAGMA main.data_version").fetchone()[0],
        db.execute("PRAGMA replica.data_version").fetchone()[0],
    )
    memo = db.memo
    if memo.get("stamp") == stamp:
        known: Frame = memo["frame"]
        return known
    shown = _scopes(db)
    revision = db.execute("SELECT number FROM replica.revision").fetchone()[0]
    commands = db.execute(
        "SELECT aggregate, id, state, ack_version FROM main.command WHERE organisation = ? AND"
        " state IN ('queued', 'sending', 'acknowledged', 'blocked') ORDER BY number",
        (shown.organisation,),
    ).fetchall()
    fingerprint = (shown, revision if commands else None, commands)
    if memo.get("fingerprint") != fingerprint:
        _renew(db, shown, commands)
        memo["fingerprint"] = fingerprint
        memo.pop("text", None)
    memo["frame"] = found = shown._replace(revision=revision, touched=len(memo["marks"]))
    memo["stamp"] = (db.total_changes, *stamp[1:])
    return found


def _scopes(db: Any) -> Frame:
    """Return what is shown of each scope, without the rows' revision."""
    organisation = ""
    found: dict[str, tuple[int, str | None]] = dict.fromkeys(("notices", "traces", "announcements"), (0, None))
    rows = db.execute(
        "SELECT s.name, s.generation, coalesce(g.value, e.value) FROM replica.scope AS s"
        " LEFT JOIN replica.state AS g ON g.key = 'epoch:' || s.generation"
        " LEFT JOIN replica.state AS e ON e.key = 'epoch'"
    )
    for name, generation, epoch in rows:
        kind, _, owner = name.partition(":")
        if kind in found:
            found[kind] = generation, epoch
            organisation = owner or organisation
    (notices, notices_epoch), (traces, traces_epoch), (announcements, _) = found.values()
    return Frame(organisation, notices, traces, announcements, notices_epoch, traces_epoch)


def _renew(db: Any, shown: Frame, commands: Sequence[tuple[Any, ...]]) -> None:
    """Compute anew what differs from last time; with thousands of commands waiting, all of it would be felt."""
    memo = db.memo
    if memo.get("scopes") != shown:
        db.execute(_SHOWN_TABLE)
        db.execute(_MATCHED_TABLE)
        db.execute("DELETE FROM temp.shown")
        memo.update(scopes=shown, marks={}, effects={})
    known: dict[str, tuple[Any, ...]] = memo["marks"]
    effects: dict[str, Effect] = memo["effects"]
    marks = _marks(db, shown.notices, commands)
    gone = [id_ for id_ in known if id_ not in marks]
    changed = [id_ for id_, mark in marks.items() if known.get(id_) != mark]
    db.execute("DELETE FROM temp.shown WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(gone + changed),))
    for id_ in gone:
        del effects[id_]
    given = by_aggregate(outbox.pending(db, shown.organisation, changed))
    rows = []
    for base in _bases(db, shown.notices, changed):
        effects[base[1]] = effect = apply(base, given[base[1]], shown.notices_epoch)
        rows.append(_shown_row(base, effect.state, shown.organisation))
    db.executemany(f"INSERT INTO temp.shown VALUES ({','.join('?' * 21)}, 0)", rows)  # noqa: S608
    memo["marks"] = marks


def _marks(db: Any, generation: int, commands: Sequence[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return for each held notice with pending commands what its effect hangs on: its row and the commands' states."""
    given: dict[str, list[tuple[Any, ...]]] = {}
    for aggregate, *state in commands:
        given.setdefault(aggregate, []).append(tuple(state))
    held = db.execute(
        "SELECT id, rowid, version FROM replica.notice WHERE generation = ? AND id IN (SELECT value FROM json_each(?))",
        (generation, json.dumps(list(given))),
    )
    return {id_: (*row, *given[id_]) for id_, *row in held}


def by_aggregate(commands: Iterable[outbox.Command]) -> dict[str, list[outbox.Command]]:
    """Return commands by the notice they concern, each in local order."""
    found: dict[str, list[outbox.Command]] = {}
    for command in commands:
        found.setdefault(command.aggregate, []).append(command)
    return found


def _bases(db: Any, generation: int, ids: Iterable[str]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = db.execute(
        f"SELECT {_BASE}, {_HANDLED} FROM replica.notice WHERE generation = ?"  # noqa: S608
        " AND id IN (SELECT value FROM json_each(?))",
        (generation, json.dumps(list(ids))),
    ).fetchall()
    return found


def effect(db: Any, shown: Frame, id: str) -> Effect | None:  # noqa: A002
    """Return what stands of a held notice with all pending commands applied, None when it is not in the replica."""
    effects: Mapping[str, Effect] = db.memo["effects"]
    if id in effects:
        return effects[id]
    bases = _bases(db, shown.notices, [id])
    return apply(bases[0], (), shown.notices_epoch) if bases else None


def summary(db: Any, id: str) -> dict[str, Any]:  # noqa: A002
    """Return what a held notice is called in the outbox, where the replica may be gone: customer, kind, day."""
    customer, kind, urgent, due = db.execute(
        "SELECT customer, kind, urgent, due FROM replica.notice WHERE generation = ? AND id = ?",
        (frame(db).notices, id),
    ).fetchone()
    return {"customer": customer, "kind": kind, "urgent": bool(urgent), "due": due}


def has_effect(command: outbox.Command, version: int, epoch: str | None) -> bool:
    """Tell whether a row of the replica has a command's effect already; versions of two epochs tell nothing."""
    return command.ack_version is not None and version >= command.ack_version and epoch in (None, command.ack_epoch)


def apply(base: Sequence[Any], commands: Iterable[outbox.Command], epoch: str | None) -> Effect:
    """Apply commands in local order to a row of the replica; one that the rules refuse by now changes nothing.

    Args:
        epoch: of the row, None when not known.
    """
    state = NoticeState(
        kind=Kind(base[4]),
        status=Status(base[8]),
        organisation=base[22],
        municipality=base[10],
        version=base[3],
        assignee=base[17],
        assignee_name=base[18],
        handled_at=datetime.fromisoformat(base[20]) if base[20] else None,
        handled_by=base[21],
        transferred_from=base[19],
    )
    notes: list[NoteDetail] = []
    trace: TraceLine | None = None
    left = state.municipality
    for command in commands:
        if has_effect(command, base[3], epoch):
            continue
        at = datetime.fromisoformat(command.created_at)
        actor = Actor(command.user, str(command.label.get("by", "")), command.organisation)
        given = domain_command(command, state.kind, at)
        try:
            after = decide(state, given, actor, at)
        except Refused:
            continue
        if isinstance(given, AddNote):
            notes.append(NoteDetail(at, actor.name, given.text, pending=True))
        elif isinstance(given, Transfer):
            left = state.municipality
            trace = _trace(base, given, actor, at, left)
        elif isinstance(given, TakeBack):
            # The rules know no earlier place; the sender's own terminal does.
            after, trace = after._replace(municipality=left), None
        state = after
    if state.organisation == base[22]:
        trace = None
    return Effect(base[3], state, tuple(notes), trace)


def domain_command(command: outbox.Command, kind: Kind, at: datetime) -> DomainCommand:
    """Return the rule's command that a row of the outbox stands for."""
    payload = command.payload
    if command.verb == "note":
        return AddNote(payload["text"])
    if command.verb == "transfer":
        holder = recipient(kind, payload["municipality"], local_date(at))
        return Transfer(holder.business_id if holder else "", payload["municipality"], payload["reason"])
    return _WITHOUT_INPUT[command.verb]


def _trace(base: Sequence[Any], given: Transfer, actor: Actor, at: datetime, left: str) -> TraceLine:
    return TraceLine(
        id=base[1],
        version=base[3],
        kind=Kind(base[4]),
        urgent=bool(base[7]),
        due=date.fromisoformat(base[13]),
        at=at,
        by=actor.name,
        from_municipality=left,
        to_organisation=given.organisation,
        to_municipality=given.municipality,
        reason=given.reason,
        state="sent",
        pending=True,
    )


def _shown_row(base: Sequence[Any], state: NoticeState, organisation: str) -> tuple[Any, ...]:
    return (
        *base[:8],
        state.status.value,
        state.status in OPEN_STATUSES,
        state.municipality,
        municipality_ranks()[state.municipality],
        *base[12:17],
        state.assignee,
        state.assignee_name,
        state.transferred_from,
        state.organisation == organisation,
    )


def pending_traces(db: Any) -> dict[str, TraceLine]:
    """Return traces of transfers that are still on their way, by notice; `frame` has been called before."""
    effects: Mapping[str, Effect] = db.memo["effects"]
    return {key: effect.trace for key, effect in effects.items() if effect.trace is not None}


def conflicts(db: Any, organisation: str) -> frozenset[str]:
    """Return the notices whose refused command the user has not acted on."""
    found = db.execute(
        "SELECT c.aggregate FROM main.conflict AS k JOIN main.command AS c ON c.id = k.command"
        " WHERE k.ended IS NULL AND c.organisation = ?",
        (organisation,),
    )
    return frozenset(row[0] for row in found)
