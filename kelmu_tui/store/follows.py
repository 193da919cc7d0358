"""Customers who are followed, as the replica holds them, with the user's own commands on their way.

Own commands go by the same rules as in the backend (`domain.following`); what one of them makes of a follow is shown
until the replica has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.following import VERBS, FollowEnd, FollowRefused, FollowState, as_of, begun, ended, renewed
from kelmu_tui.store import outbox, overlay
from kelmu_tui.store.replica import microseconds


class Change(NamedTuple):
    """That something happened to a followed customer; what it is in full, a look-up tells.

    Attributes:
        what: as `domain.following.What`, or a word of a newer backend.
        new: the user has not seen it here.
    """

    id: str
    at: datetime
    section: str
    row: str
    benefit: str | None
    what: str
    day: date
    new: bool


class Follow(NamedTuple):
    """A customer who is followed.

    Attributes:
        version: of the row, 0 while its beginning is on its way.
        ended: why it has ended (`domain.following.FollowEnd`), None while it goes on.
        pending: the last own command that is on its way (`domain.following.COMMANDS`).
        changes: the newest first.
    """

    id: str
    version: int
    customer: str
    name: str
    masked_code: str
    purpose: str
    case_reference: str | None
    since: datetime
    until: datetime
    ended: str | None
    pending: str | None
    changes: tuple[Change, ...]

    @property
    def news(self) -> int:
        """How many changes the user has not seen here."""
        return sum(change.new for change in self.changes)

    @property
    def latest(self) -> datetime:
        """When something happened last, or when it began."""
        return self.changes[0].at if self.changes else self.since


def follows(db: Any, organisation: str, now: datetime) -> list[Follow]:
    """Return the follows of the user: those that go on first, and of these what happened last."""
    given = overlay.by_aggregate(command for command in outbox.pending(db, organisation) if command.verb in VERBS)
    held = list(_held(db, now))
    found = [_with(one, given.pop(one.id, ()), now) for one in held]
    found += [new for commands in given.values() if (new := _begun(commands, now)) is not None]
    return sorted(found, key=lambda one: (one.ended is not None, -microseconds(one.latest), one.id))


def news(db: Any, organisation: str, now: datetime) -> int:
    """Return how many changes there are that the user has not seen."""
    return sum(one.news for one in follows(db, organisation, now))


def seen(db: Any, ids: Iterable[str], now: datetime) -> None:
    """Note that everything that these follows tell has been seen."""
    for id_ in ids:
        db.execute(
            "INSERT INTO replica.follow_seen (id, at) VALUES (?1, ?2)"
            " ON CONFLICT (id) DO UPDATE SET at = max(at, excluded.at)",
            (id_, microseconds(now)),
        )
    db.execute("DELETE FROM replica.follow_seen WHERE id NOT IN (SELECT id FROM replica.follow)")


def _held(db: Any, now: datetime) -> Iterator[Follow]:
    rows = db.execute(
        "SELECT f.body, s.at FROM replica.follow AS f"
        " JOIN replica.scope AS o ON o.generation = f.generation AND o.name GLOB 'follows:*'"
        " LEFT JOIN replica.follow_seen AS s ON s.id = f.id WHERE f.expires IS NULL OR f.expires > ?",
        (microseconds(now),),
    )
    for body, at in rows:
        yield _follow(json.loads(body), at)


def _follow(row: dict[str, Any], seen_at: int | None) -> Follow:
    return Follow(
        row["id"],
        row["version"],
        row["customer"],
        row["name"],
        row["masked_code"],
        row["purpose"],
        row.get("case_reference"),
        datetime.fromisoformat(row["since"]),
        datetime.fromisoformat(row["until"]),
        row.get("ended"),
        None,
        tuple(_change(one, seen_at) for one in row.get("changes", ())),
    )


def _change(row: dict[str, Any], seen_at: int | None) -> Change:
    at = datetime.fromisoformat(row["at"])
    new = seen_at is None or microseconds(at) > seen_at
    day = date.fromisoformat(row["day"])
    return Change(row["id"], at, row["section"], row["row"], row.get("benefit"), row["what"], day, new)


# --- own commands ---------------------------------------------------------------------------------------------------


def _with(follow: Follow, commands: Iterable[outbox.Command], now: datetime) -> Follow:
    """Apply commands in local order; one that the rules refuse by now changes nothing."""
    state = as_of(FollowState(follow.until, _end(follow.ended)), now)
    pending = None
    for command in commands:
        if overlay.has_effect(command, follow.version, None):
            continue
        at = datetime.fromisoformat(command.created_at)
        try:
            if command.verb == _RENEW:
                state = renewed(state, at)
            elif command.verb == _CLOSE:
                state = ended(state, FollowEnd.CASE, at)
        except FollowRefused:
            continue
        pending = VERBS[command.verb]
    why = follow.ended if state.ended is None else state.ended.value
    return follow._replace(until=state.until, ended=why, pending=pending)


_BEGIN, _RENEW, _CLOSE = VERBS
_WORDS: Final = frozenset(end.value for end in FollowEnd)


def _end(word: str | None) -> FollowEnd | None:
    """Return why a follow ended; a word of a newer backend is an end all the same."""
    return None if word is None else FollowEnd(word) if word in _WORDS else FollowEnd.MANDATE


def _begun(commands: list[outbox.Command], now: datetime) -> Follow | None:
    """Return the follow that commands begin whose row has not come yet."""
    first = commands[0]
    if first.verb != _BEGIN:
        return None
    at, payload, label = datetime.fromisoformat(first.created_at), first.payload, first.label
    new = Follow(
        first.aggregate,
        0,
        str(payload["customer"]),
        str(label.get("customer", "")),
        str(label.get("masked_code", "")),
        str(payload["purpose"]),
        payload.get("case_reference"),
        at,
        begun(at).until,
        None,
        VERBS[_BEGIN],
        (),
    )
    later = _with(new, commands[1:], now)
    return later._replace(pending=later.pending or VERBS[_BEGIN])
