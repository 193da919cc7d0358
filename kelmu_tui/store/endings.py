"""The user's end of the outbox: what can be done with a command that does not go its way, and how it is shown.

queued          retry (now), discard while it was never sent
refused         redo on the notice as it is now, reload (drop it and look), discard
blocked         redo, discard
undeliverable   retry when the mandate is back, discard
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import copies, outbox, verbs
from kelmu_tui.store.outbox import Command, Draft, State, place, stamp
from kelmu_tui.store.rows import CommandLine, Conflict


class NotPossible(ValueError):
    """The command is not in a state that allows it; `reason` is stable.

    `unknown`: there is no such command. `maybe_applied`: it was sent and its answer is not known, so that only the
    backend can say what became of it. `state`: it has ended, or waits for something else.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_DISCARDABLE: Final = (State.QUEUED, State.REFUSED, State.BLOCKED, State.UNDELIVERABLE)


def _found(db: Any, id: str) -> Command:  # noqa: A002
    found = outbox.command(db, id)
    if found is None:
        raise NotPossible("unknown")
    return found


def retry(db: Any, id: str) -> Command:  # noqa: A002
    """Make a waiting command due now; an undeliverable one goes back into the queue, at its end.

    Raises:
        NotPossible: it does not wait.
    """
    found = _found(db, id)
    if verbs.table(found.verb) == verbs.SENDING:
        _demand_copies(db, found)
        copies.hasten(db, found.aggregate)
    if found.state is State.UNDELIVERABLE:
        # It goes behind what was given since: one of those may be in flight already.
        state, after = place(db, found.organisation, found.aggregate)
        db.execute(
            "UPDATE main.command SET state = ?, after = ?, ended_at = NULL, due_at = NULL,"
            " number = (SELECT max(number) + 1 FROM main.command) WHERE id = ?",
            (state.value, after, id),
        )
    elif found.state is State.QUEUED:
        db.execute("UPDATE main.command SET due_at = NULL WHERE id = ?", (id,))
    else:
        raise NotPossible("state")
    return found


def retry_all(db: Any) -> int:
    """Make everything that waits due now; return how many commands."""
    copies.hasten(db)
    return int(db.execute("UPDATE main.command SET due_at = NULL WHERE state = 'queued'").rowcount)


def discard(db: Any, id: str, now: datetime, *, ended: str = "discarded") -> Command:  # noqa: A002
    """End a command by the user's will; what stands behind it moves up.

    Followers of a refused one stay blocked: each is the user's work, and ends only by its own decision.

    Raises:
        NotPossible: it is under way or has ended.
    """
    found = _found(db, id)
    if found.state not in _DISCARDABLE:
        raise NotPossible("maybe_applied" if found.state is State.SENDING else "state")
    if found.state is State.QUEUED:
        if found.body is not None:
            raise NotPossible("maybe_applied")
        db.execute("UPDATE main.command SET after = ? WHERE after = ?", (found.after, id))
    _end(db, id, State.DISCARDED, now, ended)
    if verbs.table(found.verb) == verbs.SENDING:
        copies.withdraw(db, found.aggregate)
    return found


def redo(db: Any, id: str, *, version: int | None, lease: str | None, ids: Ids, now: datetime) -> list[str]:  # noqa: A002
    """Give a refused or blocked command again, as a new one on the notice as it is now, with all that stood behind it.

    Args:
        version: the notice's version in the replica; None takes the one the refusal told.
        lease: newest lease id known; None takes the command's own.
        ids: source of the new commands' ids.

    Returns:
        Ids of the new commands, in local order.

    Raises:
        NotPossible: it is neither refused nor blocked.
    """
    found = _found(db, id)
    if found.state not in (State.REFUSED, State.BLOCKED):
        raise NotPossible("state")
    if verbs.table(found.verb) == verbs.SENDING:
        _demand_copies(db, found)
        copies.again(db, found.aggregate)
    chained = [found, *chain(db, id)]
    base = max(version or 0, _current_version(db, id)) or found.base_version
    for old in chained:
        _end(db, old.id, State.REISSUED, now, "redone")
    made: list[str] = []
    for old in chained:
        draft = Draft(
            old.user, old.organisation, old.aggregate, old.verb, old.payload, old.label, base, lease or old.lease
        )
        made.append(outbox.append(db, draft, id=ids.new(), now=now))
    return made


def _demand_copies(db: Any, found: Command) -> None:
    """Let nothing be sent again of which the documents are destroyed here.

    Raises:
        NotPossible: they are.
    """
    if found.state is not State.QUEUED and not copies.all_held(db, found.aggregate):
        raise NotPossible("state")


def chain(db: Any, id: str) -> list[Command]:  # noqa: A002
    """Return the blocked commands that stand behind `id`, in local order."""
    rows = db.execute(
        "WITH RECURSIVE follower (id) AS (SELECT id FROM main.command WHERE after = ?"
        " UNION SELECT c.id FROM main.command AS c JOIN follower AS f ON c.after = f.id)"
        " SELECT c.id FROM main.command AS c JOIN follower AS f ON f.id = c.id WHERE c.state = 'blocked'"
        " ORDER BY c.number",
        (id,),
    ).fetchall()
    return [_found(db, row[0]) for row in rows]


def _current_version(db: Any, id: str) -> int:  # noqa: A002
    row = db.execute("SELECT current FROM main.conflict WHERE command = ?", (id,)).fetchone()
    current = json.loads(row[0]) if row is not None and row[0] is not None else {}
    version = current.get("version", 0)
    return version if isinstance(version, int) else 0


def _end(db: Any, id: str, state: State, now: datetime, conflict: str) -> None:  # noqa: A002
    db.execute(
        "UPDATE main.command SET state = ?, ended_at = ?, due_at = NULL WHERE id = ?", (state.value, stamp(now), id)
    )
    db.execute("UPDATE main.conflict SET ended = ? WHERE command = ? AND ended IS NULL", (conflict, id))


# --- lists ----------------------------------------------------------------------------------------------------------

_LINE: Final = (
    "SELECT c.id, c.organisation, c.verb, c.aggregate, c.label, c.state, c.created_at, c.attempts, c.due_at,"
    " c.problem, c.payload, k.at, k.code, k.rule, k.current FROM main.command AS c"
    " LEFT JOIN main.conflict AS k ON k.command = c.id AND k.ended IS NULL"
)


def lines(db: Any, *, limit: int = 500) -> list[CommandLine]:
    """Return the commands for a list: those that need the user first, then those on their way, then ended ones.

    Within each part the newest stand first.
    """
    rows = db.execute(
        f"{_LINE} ORDER BY CASE WHEN k.command IS NOT NULL THEN 0"
        " WHEN c.state IN ('blocked', 'undeliverable') THEN 1"
        " WHEN c.state IN ('queued', 'sending') THEN 2 WHEN c.state = 'acknowledged' THEN 3 ELSE 4 END,"
        " c.number DESC LIMIT ?",
        (limit,),
    )
    return [_line(row) for row in rows]


def line(db: Any, id: str) -> CommandLine | None:  # noqa: A002
    """Return one command for a list."""
    row = db.execute(f"{_LINE} WHERE c.id = ?", (id,)).fetchone()
    return _line(row) if row is not None else None


def _line(row: tuple[Any, ...]) -> CommandLine:
    id_, organisation, verb, aggregate, label, state, created, attempts, due, problem, payload, *refusal = row
    at, code, rule, current = refusal
    conflict = None
    if at is not None:
        conflict = Conflict(datetime.fromisoformat(at), code, rule, _loaded(current))
    return CommandLine(
        id=id_,
        organisation=organisation,
        verb=verb,
        aggregate=aggregate,
        label=json.loads(label),
        state=state,
        created_at=datetime.fromisoformat(created),
        attempts=attempts,
        due_at=datetime.fromisoformat(due) if due else None,
        problem=_loaded(problem),
        conflict=conflict,
        # What has arrived stands in the record, for those who may see it there.
        text="" if state == State.SETTLED else written(json.loads(payload), verb),
    )


def _loaded(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))


_TEXTS: Final = ("text", "reason")
"""Fields of a command that hold what the user wrote."""
_CLAIM_TEXTS: Final = ("grounds",)
"""Those of a command on a claim, where a reason is one of the catalogue."""


def written(payload: Mapping[str, Any], verb: str = "") -> str:
    """Return what the user wrote for a command with this payload, empty when nothing."""
    names = _CLAIM_TEXTS if verbs.table(verb) == verbs.CLAIM else _TEXTS
    return "\n".join(str(payload[name]) for name in names if payload.get(name))
