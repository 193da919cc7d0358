"""What the organisation gave away: traces, with the user's own transfers and take-backs still on their way.

Traces are few (they hold no content and end with the notice's life), so they are read once for each change and kept
beside the connection; pages, counts and ranks are cuts of that list.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from kelmu_tui.domain.notices import Kind
from kelmu_tui.store import outbox, overlay
from kelmu_tui.store.replica import microseconds
from kelmu_tui.store.rows import Key, Query, Sort, TraceLine
from kelmu_tui.store.words import asked, folded, kind_ranks, municipality_ranks, named, tie

_Place = tuple[int | str, int | str, int]


def trace_page(
    db: Any, query: Query, *, after: Key | None = None, before: Key | None = None, limit: int = 50
) -> list[TraceLine]:
    """Return up to `limit` traces after or before a place in the order, or from its beginning; always in order."""
    found, places = _ordered(db, query)
    if before is not None:
        end = bisect_left(places, _bound(query, before))
        return found[max(0, end - limit) : end]
    start = 0 if after is None else bisect_right(places, _bound(query, after))
    return found[start : start + limit]


def trace_count(db: Any, query: Query) -> int:
    """Return how many traces `query` has."""
    return len(_ordered(db, query)[0])


def trace_rank(db: Any, query: Query, id: str) -> int | None:  # noqa: A002
    """Return how many traces of `query` stand before that of the notice `id`; None when it is not among them."""
    return next((n for n, line in enumerate(_ordered(db, query)[0]) if line.id == id), None)


def trace_lines(db: Any, query: Query, ids: Iterable[str]) -> list[TraceLine]:
    """Return the traces of those of `ids` that are in `query` now, in the order of `ids`."""
    found = {line.id: line for line in _ordered(db, query)[0]}
    return [found[wanted] for wanted in dict.fromkeys(ids) if wanted in found]


def trace(db: Any, id: str) -> TraceLine | None:  # noqa: A002
    """Return the trace of one notice, None when there is none."""
    return next((line for line in _all(db) if line.id == id), None)


def trace_key(query: Query, line: TraceLine) -> Key:
    """Return the place of a trace in the order of `query`."""
    first, second, _ = _place(query.sort, line)
    return Key(first, second, line.id)


def _place(sort: Sort, line: TraceLine) -> _Place:
    due, at = line.due.isoformat(), microseconds(line.at)
    match sort:
        case Sort.DUE:
            return due, at, tie(line.id)
        case Sort.KIND:
            return kind_ranks()[line.kind], due, tie(line.id)
        case Sort.MUNICIPALITY:
            return municipality_ranks()[line.to_municipality], due, tie(line.id)
        case _:
            return at, due, tie(line.id)


class _Down:
    """Turns an order around for bisection, whatever the type of its values."""

    __slots__ = ("place",)

    def __init__(self, place: _Place) -> None:
        self.place = place

    def __lt__(self, other: _Down) -> bool:
        return other.place < self.place


def _bound(query: Query, key: Key) -> Any:
    place = (key.first, key.second, tie(key.id))
    return _Down(place) if query.descending else place


def _ordered(db: Any, query: Query) -> tuple[list[TraceLine], list[Any]]:
    lines = _all(db)
    words = asked(query.text)
    stamp = (id(lines), words, query.sort, query.descending)
    known = db.memo.get("traces_ordered")
    if known is not None and known[0] == stamp:
        found: tuple[list[TraceLine], list[Any]] = known[1]
        return found
    placed = sorted(
        ((_place(query.sort, line), line) for line in lines if all(_fits(word, line) for word in words)),
        key=lambda item: item[0],
        reverse=query.descending,
    )
    places: list[Any] = [_Down(place) if query.descending else place for place, _ in placed]
    result = ([line for _, line in placed], places)
    db.memo["traces_ordered"] = (stamp, result)
    return result


def _fits(word: str, line: TraceLine) -> bool:
    names = named(word)
    ranks = municipality_ranks()
    return (
        kind_ranks()[line.kind] in names.kinds
        or ranks[line.from_municipality] in names.municipalities
        or ranks[line.to_municipality] in names.municipalities
        or (line.urgent and names.urgent)
        or any(mine.startswith(word) for mine in folded(f"{line.reason} {line.by}"))
    )


def _all(db: Any) -> list[TraceLine]:
    shown = overlay.frame(db)
    commands = overlay.by_aggregate(outbox.pending(db, shown.organisation))
    flagged = overlay.conflicts(db, shown.organisation)
    stamp = (
        shown,
        flagged,
        [(command.id, command.state, command.ack_version) for given in commands.values() for command in given],
    )
    known = db.memo.get("traces")
    if known is not None and known[0] == stamp:
        lines: list[TraceLine] = known[1]
        return lines
    pending = overlay.pending_traces(db)
    lines = list(pending.values())
    for (body,) in db.execute("SELECT body FROM replica.trace WHERE generation = ?", (shown.traces,)):
        line = trace_line(json.loads(body))
        if line.id not in pending:
            lines.append(_with_take_back(line, commands.get(line.id, ()), shown.traces_epoch))
    lines = [line._replace(conflict=True) if line.id in flagged else line for line in lines]
    db.memo["traces"] = (stamp, lines)
    return lines


def _with_take_back(line: TraceLine, commands: Iterable[outbox.Command], epoch: str | None) -> TraceLine:
    for command in commands:
        if overlay.has_effect(command, line.version, epoch):
            continue
        if command.verb == "take-back" and line.state == "sent":
            line = line._replace(state="taken_back", pending=True)
    return line


def trace_line(row: dict[str, Any]) -> TraceLine:
    """Return a trace of the wire (JSON) as the faces see it."""
    return TraceLine(
        id=row["id"],
        version=row["version"],
        kind=Kind(row["kind"]),
        urgent=row["urgent"],
        due=date.fromisoformat(row["due"]),
        at=datetime.fromisoformat(row["at"]),
        by=row["by"],
        from_municipality=row["from_municipality"],
        to_organisation=row["to_organisation"],
        to_municipality=row["to_municipality"],
        reason=row["reason"],
        state=row["state"],
    )
