"""The inbox as lists read it: pages by keyset, counts and ranks, in every view, order and filter.

A list is merged from at most three sorted parts: waiting and handled rows of the replica, each walked along the index
of the order, and the few rows in `overlay.shown`. So a page costs the same in 100 rows and in 100 000. Functions run
inside `Store.read`. They give what a list may show; the content of one notice is `detail`, and who calls that has
committed its view event before (`store.views`).

A filter's words are beginnings of words of the customer's name, the free texts, or the names of kind, municipality
and urgency in any language. The rows that match are remembered in a temporary table, so that page, count and rank of
one keystroke ask the index once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final

from kelmu_tui.domain.notices import Kind, Status
from kelmu_tui.store import overlay
from kelmu_tui.store.overlay import Frame
from kelmu_tui.store.replica import instant, microseconds
from kelmu_tui.store.rows import Key, NoticeLine, Query, Sort, View
from kelmu_tui.store.words import asked, kind_ranks, municipality_ranks, named, notice_words, sort_key, tie

_FIRST: Final = {
    Sort.DUE: "due",
    Sort.ARRIVED: "arrived",
    Sort.KIND: "kind_rank",
    Sort.MUNICIPALITY: "municipality_rank",
    Sort.CUSTOMER: "customer_key",
}
_INDEX: Final = {
    Sort.DUE: "notice_by_due",
    Sort.ARRIVED: "notice_by_arrived",
    Sort.KIND: "notice_by_kind",
    Sort.MUNICIPALITY: "notice_by_municipality",
    Sort.CUSTOMER: "notice_by_customer",
}
_LINE: Final = (
    "id, version, kind, subtype, urgent, status, municipality, arrived, due, customer, non_disclosure, assignee,"
    " assignee_name, transferred_from"
)
_FEW: Final = 2000
"""Matches that are fetched and sorted one by one; more are met soon enough on a walk along the order."""
_IDS: Final = 500


def _second(sort: Sort) -> str:
    return "arrived" if sort is Sort.DUE else "due"


class _Part:
    """One sorted source of rows: the table, what it must fulfil, and the values for that."""

    def __init__(self, source: str, where: list[str], values: list[Any], pending: bool) -> None:
        self.source = source
        self.where = where
        self.values = values
        self.pending = pending

    def sql(self, columns: str, more: Sequence[str] = ()) -> str:
        """Return a statement that reads `columns` of the part's rows; names and columns come from this module."""
        conditions = " AND ".join([*self.where, *more])
        return f"SELECT {columns} FROM {self.source} WHERE {conditions}"  # noqa: S608


def _parts(db: Any, query: Query) -> list[_Part]:
    """Return the parts of which the rows of `query` consist, after bringing overlay and matches up to date."""
    shown = overlay.frame(db)
    words = _match(db, shown, query.text)
    # Before the first fill is shown there is nothing to read, and the indexes may be laid aside.
    halves = (1, 0) if query.view is View.ALL else (1,)
    parts = [_replica_part(query, shown, waiting, words) for waiting in halves if shown.notices]
    if shown.touched:
        where, values = _conditions(query)
        where.append("held = 1")
        if query.view is not View.ALL:
            where.append("open = 1")
        if words is not None:
            where.append("matches = 1")
        parts.append(_Part("temp.shown", where, values, pending=True))
    return parts


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    match query.view:
        case View.MINE:
            return ["assignee = ?"], [query.user]
        case View.URGENT:
            return ["urgent = 1"], []
        case View.DUE_TODAY:
            return ["due <= ?"], [query.day.isoformat()]
        case View.TRANSFERRED:
            raise ValueError("what was transferred is listed by store.traces")
        case _:
            return [], []


def _replica_part(query: Query, shown: Frame, waiting: int, matches: int | None) -> _Part:
    where, values = _conditions(query)
    where[:0], values[:0] = ["generation = ?", f"open = {waiting}"], [shown.notices]
    if query.view is View.MINE:
        index = "notice_mine"
        where.append("assignee IS NOT NULL")
    elif query.view is View.URGENT and query.sort is Sort.DUE:
        index = "notice_urgent"
    else:
        index = _INDEX[query.sort]
    source = f"replica.notice INDEXED BY {index}"
    if matches is not None and matches <= _FEW:
        # CROSS JOIN keeps the order: few matches are looked up, instead of being met on a walk over everything.
        source = "temp.matched CROSS JOIN replica.notice NOT INDEXED ON replica.notice.rowid = temp.matched.row"
    elif matches is not None:
        where.append("replica.notice.rowid IN temp.matched")
    if shown.touched:
        where.append("replica.notice.rowid NOT IN (SELECT base FROM temp.shown)")
    return _Part(source, where, values, pending=False)


# --- what lists ask -------------------------------------------------------------------------------------------------


def page(
    db: Any, query: Query, *, after: Key | None = None, before: Key | None = None, limit: int = 50
) -> list[NoticeLine]:
    """Return up to `limit` rows after or before a place in the order, or from its beginning; always in order."""
    backwards = before is not None
    down = query.descending != backwards
    place = before if backwards else after
    first, second = _FIRST[query.sort], _second(query.sort)
    columns = f"{first}, {second}, tie, {_LINE}"
    direction = "DESC" if down else "ASC"
    order = f" ORDER BY {first} {direction}, {second} {direction}, tie {direction} LIMIT ?"
    more, key_values = _beyond(query, place, "<" if down else ">")
    found: list[tuple[Any, ...]] = []
    for part in _parts(db, query):
        rows = db.execute(part.sql(columns, more) + order, (*part.values, *key_values, limit))
        found.extend((row[:3], part.pending, row[3:]) for row in rows)
    found.sort(key=lambda item: item[0], reverse=down)
    del found[limit:]
    if backwards:
        found.reverse()
    flagged = overlay.conflicts(db, overlay.frame(db).organisation)
    return [_line(row, pending, flagged) for _, pending, row in found]


def count(db: Any, query: Query) -> int:
    """Return how many rows `query` has."""
    return sum(_number(db, part) for part in _parts(db, query))


def _number(db: Any, part: _Part, more: Sequence[str] = (), values: Sequence[Any] = ()) -> int:
    # Index alone, unless the filter is narrow: no row is read.
    return int(db.execute(part.sql("count(*)", more), (*part.values, *values)).fetchone()[0])


def rank(db: Any, query: Query, id: str) -> int | None:  # noqa: A002
    """Return how many rows of `query` stand before the notice `id`; None when it is not among them."""
    found = lines(db, query, [id])
    if not found:
        return None
    more, values = _beyond(query, key(query, found[0]), ">" if query.descending else "<")
    return sum(_number(db, part, more, values) for part in _parts(db, query))


def lines(db: Any, query: Query, ids: Iterable[str]) -> list[NoticeLine]:
    """Return those of `ids` that are rows of `query` now, in the order of `ids`."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, NoticeLine] = {}
    flagged: frozenset[str] | None = None
    for start in range(0, len(wanted), _IDS):
        chunk = json.dumps(wanted[start : start + _IDS])
        for part in _parts(db, query):
            if flagged is None:
                flagged = overlay.conflicts(db, overlay.frame(db).organisation)
            for row in _by_ids(db, part, chunk):
                found[row[0]] = _line(row, part.pending, flagged)
    return [found[wanted_id] for wanted_id in wanted if wanted_id in found]


def _by_ids(db: Any, part: _Part, ids: str) -> Iterator[tuple[Any, ...]]:
    # Few ids: the identity index finds them, whatever the order's index is.
    source = "temp.shown" if part.pending else "replica.notice INDEXED BY notice_identity"
    where = part.where
    if "CROSS JOIN" in part.source:
        where = [*where, "replica.notice.rowid IN temp.matched"]
    looked = _Part(source, where, part.values, part.pending)
    statement = looked.sql(_LINE, ["id IN (SELECT value FROM json_each(?))"])
    yield from db.execute(statement, (*part.values, ids))


def key(query: Query, line: NoticeLine) -> Key:
    """Return the place of a line in the order of `query`."""
    due, arrived = line.due.isoformat(), microseconds(line.arrived)
    match query.sort:
        case Sort.DUE:
            return Key(due, arrived, line.id)
        case Sort.ARRIVED:
            return Key(arrived, due, line.id)
        case Sort.KIND:
            return Key(kind_ranks()[line.kind], due, line.id)
        case Sort.MUNICIPALITY:
            return Key(municipality_ranks()[line.municipality], due, line.id)
        case Sort.CUSTOMER:
            return Key(sort_key(line.customer), due, line.id)


def any_lines(db: Any, ids: Iterable[str]) -> list[NoticeLine]:
    """Return those of `ids` that the organisation holds now, whatever the view."""
    return lines(db, Query(View.ALL), ids)


def _beyond(query: Query, place: Key | None, sign: str) -> tuple[list[str], tuple[Any, ...]]:
    if place is None:
        return [], ()
    columns = f"({_FIRST[query.sort]}, {_second(query.sort)}, tie)"
    return [f"{columns} {sign} (?, ?, ?)"], (place.first, place.second, tie(place.id))


def _line(row: Sequence[Any], pending: bool, flagged: frozenset[str]) -> NoticeLine:
    return NoticeLine(
        id=row[0],
        version=row[1],
        kind=Kind(row[2]),
        subtype=row[3],
        urgent=bool(row[4]),
        status=Status(row[5]),
        municipality=row[6],
        arrived=instant(row[7]),
        due=date.fromisoformat(row[8]),
        customer=row[9],
        non_disclosure=bool(row[10]),
        assignee=row[11],
        assignee_name=row[12],
        transferred_from=row[13],
        pending=pending,
        conflict=row[0] in flagged,
    )


# --- the filter -----------------------------------------------------------------------------------------------------


def _match(db: Any, shown: Frame, text: str) -> int | None:
    """Fill `temp.matched` with the replica's rows that `text` finds; return how many, None without a filter."""
    # A word that names every kind finds everything; it only costs.
    words = [word for word in asked(text) if len(named(word).kinds) < len(kind_ranks())]
    if not words or not shown.notices:
        return None
    stamp = (words, shown.notices, shown.revision)
    known = db.memo.get("text")
    if known is not None and known[0] == stamp:
        return int(known[1])
    db.execute("DELETE FROM temp.matched")
    for number, word in enumerate(words):
        selects, values = _selects(shown.notices, word)
        union = " UNION ALL ".join(selects)
        if number == 0:
            # In order of rowid: appending to a tree is many times faster than filling it here and there.
            db.execute(f"INSERT OR IGNORE INTO temp.matched SELECT * FROM ({union}) ORDER BY 1", values)  # noqa: S608
        else:
            db.execute(f"DELETE FROM temp.matched WHERE row NOT IN ({union})", values)  # noqa: S608
    if shown.touched:
        _match_shown(db, words)
    total = int(db.execute("SELECT count(*) FROM temp.matched").fetchone()[0])
    db.memo["text"] = (stamp, total)
    # The writes above were only ours; without this every look after a keystroke would compute it all again.
    db.memo["stamp"] = (db.total_changes, *db.memo["stamp"][1:])
    return total


def _selects(generation: int, word: str) -> tuple[list[str], list[Any]]:
    """Return statements whose rows together are those that have a word beginning with `word`."""
    names = named(word)
    selects = ["SELECT rowid FROM replica.notice_text WHERE notice_text MATCH ?"]
    # A folded word is letters and digits alone: between quotes nothing in it can be an operator.
    values: list[Any] = [f'"{word}" *']
    for ranks, index, column in (
        (names.kinds, "notice_by_kind", "kind_rank"),
        (names.municipalities, "notice_by_municipality", "municipality_rank"),
    ):
        if ranks:
            listed = ",".join(str(int(rank)) for rank in ranks)
            selects.append(
                f"SELECT rowid FROM replica.notice INDEXED BY {index}"  # noqa: S608
                f" WHERE generation = ? AND open IN (0, 1) AND {column} IN ({listed})"
            )
            values.append(generation)
    if names.urgent:
        selects.append("SELECT rowid FROM replica.notice WHERE generation = ? AND urgent = 1")
        values.append(generation)
    return selects, values


def _match_shown(db: Any, words: list[str]) -> None:
    """Mark the rows of the overlay that fit: their municipality and notes may differ from what is indexed."""
    matching = []
    rows = db.execute(
        "SELECT s.base, s.id, s.kind_rank, s.municipality_rank, s.urgent, n.body FROM temp.shown AS s"
        " JOIN replica.notice AS n ON n.rowid = s.base"
    ).fetchall()
    effects = db.memo["effects"]
    texts = db.memo.setdefault("texts", {})
    for base, id_, kind, municipality, urgent, body in rows:
        effect = effects[id_]
        if texts.get(id_, (None,))[0] is not effect:
            row = json.loads(body)
            row["notes"] = [*(row.get("notes") or ()), *({"text": note.text} for note in effect.notes)]
            texts[id_] = (effect, notice_words(row).split(" "))
        own = texts[id_][1]
        if all(_fits(word, own, kind, municipality, urgent) for word in words):
            matching.append((base,))
    db.execute("UPDATE temp.shown SET matches = 0")
    db.executemany("UPDATE temp.shown SET matches = 1 WHERE base = ?", matching)


def _fits(word: str, own: list[str], kind: int, municipality: int, urgent: int) -> bool:
    names = named(word)
    return (
        kind in names.kinds
        or municipality in names.municipalities
        or bool(urgent and names.urgent)
        or any(mine.startswith(word) for mine in own)
    )
