"""Customers' files in the replica: written section by section as they are answered, and gone when their time is over.

What comes is the wire's JSON, validated by the caller. A file ends at the instant that the backend named; a section
that its source could not give again keeps the rows of before until *their* end. What the user saw last of each row is
kept as a digest, longer than the file, so that what changed can be marked when the customer is looked up again.

All functions work inside the caller's `Store.write("replica")`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.store.replica import microseconds
from kelmu_tui.store.words import folded, tie

if TYPE_CHECKING:
    from kelmu_tui.domain.sections import Section, Sight

PATIENCE: Final = timedelta(minutes=2)
"""How long a section is said to be waited for: longer than any call lasts, in case the process that asks has died."""
WAITING: Final = "waiting"
ANSWERED: Final = frozenset({"shown", "none", "stale"})
"""States in which the source has told what there is."""
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_SIGHTS: Final = "sights"


# --- an answer ------------------------------------------------------------------------------------------------------


def begin(db: Any, line: Mapping[str, Any], asked: Iterable[Section], now: datetime) -> None:
    """Store the person of an answer; the sections asked for are waited for, and show till then what they had."""
    person = line["person"]
    customer, expires = person["customer"], microseconds(line["expires_at"])
    if person["non_disclosure"] and not _was_protected(db, customer):
        # What earlier answers told may hold where the person lives.
        db.execute("DELETE FROM replica.customer_section WHERE customer = ?", (customer,))
    db.execute(
        "INSERT OR REPLACE INTO replica.customer (id, expires, fetched, code, name, words, purpose, case_reference,"
        " hidden_fields, body) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            customer,
            expires,
            microseconds(line["fetched_at"]),
            person["identity_code"],
            f"{person['family_name']}, {person['given_names']}",
            " ".join(folded(f"{person['family_name']} {person['given_names']}")),
            line["purpose"],
            line["case_reference"],
            _ENCODER.encode(line["hidden_fields"]),
            _ENCODER.encode(person),
        ),
    )
    until = microseconds(now + PATIENCE)
    db.executemany(
        "INSERT INTO replica.customer_section (customer, section, expires, state, waits_until, mandates, narrowed,"
        " hidden_fields, news, rows) VALUES (?, ?, ?, 'waiting', ?, '[]', 0, '[]', '[]', '[]')"
        " ON CONFLICT (customer, section) DO UPDATE SET waits_until = excluded.waits_until",
        [(customer, section.value, expires, until) for section in asked],
    )


def _was_protected(db: Any, customer: str) -> bool:
    found = db.execute("SELECT body FROM replica.customer WHERE id = ?", (customer,)).fetchone()
    return found is None or bool(json.loads(found[0])["non_disclosure"])


def put_section(db: Any, head: Mapping[str, Any], line: Mapping[str, Any], now: datetime) -> bool:
    """Store the answer of a section; False when the file is gone, so that nothing of it may come back.

    Args:
        head: the person's line of the same answer.
    """
    customer, section = head["person"]["customer"], line["section"]
    if db.execute("SELECT 1 FROM replica.customer WHERE id = ?", (customer,)).fetchone() is None:
        return False
    if line["state"] == "down" and _keep_stale(db, customer, section, now):
        return True
    rows = line[section]
    marks = _marks(rows)
    db.execute(
        "INSERT OR REPLACE INTO replica.customer_section (customer, section, expires, fetched, state, waits_until,"
        " source_at, hidden, mandates, narrowed, hidden_fields, news, rows) VALUES (?,?,?,?,?,NULL,?,?,?,?,?,?,?)",
        (
            customer,
            section,
            microseconds(head["expires_at"]),
            microseconds(head["fetched_at"]),
            line["state"],
            line["source_at"],
            line["hidden"],
            _ENCODER.encode(line["mandates"]),
            line["narrowed"],
            _ENCODER.encode(line["hidden_fields"]),
            _ENCODER.encode(_news(db, customer, line, marks, now)),
            _ENCODER.encode(rows),
        ),
    )
    return True


def _keep_stale(db: Any, customer: str, section: str, now: datetime) -> bool:
    """Let the rows of before stand for a source that is down; False when there are none that may be shown."""
    changed = db.execute(
        "UPDATE replica.customer_section SET state = 'stale', waits_until = NULL WHERE customer = ? AND section = ?"
        " AND state IN ('shown', 'none', 'stale') AND expires > ?",
        (customer, section, microseconds(now)),
    )
    return bool(changed.rowcount)


def _news(db: Any, customer: str, line: Mapping[str, Any], marks: Mapping[str, int], now: datetime) -> list[str]:
    """Return the ids of the rows that are new or different since the last look; the first answer has no news."""
    if line["state"] not in ANSWERED:
        return []
    seen = _seen(db, customer, line["section"])
    if seen is None:
        _look(db, customer, line["section"], marks, now)
        return []
    return [id_ for id_, mark in marks.items() if seen.get(id_) != mark]


def _marks(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {row["id"]: tie(_ENCODER.encode(row)) for row in rows}


def _seen(db: Any, customer: str, section: str) -> dict[str, int] | None:
    found = db.execute(
        "SELECT marks FROM replica.customer_look WHERE customer = ? AND section = ?", (customer, section)
    ).fetchone()
    return None if found is None else dict(json.loads(found[0]))


def _look(db: Any, customer: str, section: str, marks: Mapping[str, int], now: datetime) -> None:
    from kelmu_tui.domain.sections import looks_kept  # every command sweeps what has ended; few look anybody up

    db.execute(
        "INSERT OR REPLACE INTO replica.customer_look (customer, section, until, marks) VALUES (?, ?, ?, ?)",
        (customer, section, microseconds(now + looks_kept()), _ENCODER.encode(marks)),
    )


def settle(db: Any, customer: str) -> bool:
    """End the waiting: what was not answered stays what it was, or counts as down. Say whether anything waited."""
    changed = db.execute(
        "UPDATE replica.customer_section SET waits_until = NULL, state = iif(state = 'waiting', 'down', state)"
        " WHERE customer = ? AND waits_until IS NOT NULL",
        (customer,),
    )
    return bool(changed.rowcount)


def has_news(db: Any, customer: str, section: Section) -> bool:
    """Tell whether anything in a section is marked."""
    found = db.execute(
        "SELECT 1 FROM replica.customer_section WHERE customer = ? AND section = ? AND news <> '[]'",
        (customer, section.value),
    ).fetchone()
    return found is not None


def seen(db: Any, customer: str, section: Section, now: datetime) -> bool:
    """Note that the user has seen the section as it is; False when nothing in it was marked."""
    found = db.execute(
        "SELECT rows FROM replica.customer_section WHERE customer = ? AND section = ? AND news <> '[]'",
        (customer, section.value),
    ).fetchone()
    if found is None:
        return False
    _look(db, customer, section.value, _marks(json.loads(found[0])), now)
    db.execute(
        "UPDATE replica.customer_section SET news = '[]' WHERE customer = ? AND section = ?", (customer, section.value)
    )
    return True


# --- ends -----------------------------------------------------------------------------------------------------------


def forget(db: Any, customer: str) -> bool:
    """Destroy a file and what is known of looks at it; say whether there was one."""
    gone = bool(db.execute("DELETE FROM replica.customer WHERE id = ?", (customer,)).rowcount)
    db.execute("DELETE FROM replica.customer_section WHERE customer = ?", (customer,))
    db.execute("DELETE FROM replica.customer_look WHERE customer = ?", (customer,))
    return gone


def forget_all(db: Any) -> bool:
    """Destroy all files; say whether there were any."""
    gone = any_held(db)
    for table in ("customer", "customer_section", "customer_look"):
        db.execute(f"DELETE FROM replica.{table}")  # noqa: S608
    return gone


def any_held(db: Any) -> bool:
    """Tell whether there is anything of any customer."""
    found = db.execute(
        "SELECT EXISTS (SELECT 1 FROM replica.customer) OR EXISTS (SELECT 1 FROM replica.customer_look)"
    ).fetchone()
    return bool(found[0])


def next_end(db: Any) -> int | None:
    """Return when the first file, section or look ends, in microseconds of UTC; None when there are none."""
    found = db.execute(
        "SELECT min(at) FROM (SELECT min(expires) AS at FROM replica.customer UNION ALL"
        " SELECT min(expires) FROM replica.customer_section UNION ALL SELECT min(until) FROM replica.customer_look)"
    ).fetchone()[0]
    return None if found is None else int(found)


def end(db: Any, now: datetime) -> list[str]:
    """Destroy what has ended; return the customers concerned.

    A stale section whose rows have ended is down without them, as long as its file lives.
    """
    at = microseconds(now)
    ended = [row[0] for row in db.execute("DELETE FROM replica.customer WHERE expires <= ? RETURNING id", (at,))]
    db.executemany("DELETE FROM replica.customer_section WHERE customer = ?", [(id_,) for id_ in ended])
    stale = db.execute(
        "UPDATE replica.customer_section SET state = 'down', rows = '[]', news = '[]', source_at = NULL,"
        " expires = (SELECT expires FROM replica.customer WHERE id = customer) WHERE expires <= ? AND state = 'stale'"
        " RETURNING customer",
        (at,),
    ).fetchall()
    gone = db.execute("DELETE FROM replica.customer_section WHERE expires <= ? RETURNING customer", (at,)).fetchall()
    db.execute("DELETE FROM replica.customer_look WHERE until <= ?", (at,))
    return list(dict.fromkeys([*ended, *(row[0] for row in (*stale, *gone))]))


# --- mandates -------------------------------------------------------------------------------------------------------


def governed_by(db: Any) -> str | None:
    """Return the print of the sights that the files were last held against (`sights_print`)."""
    found = db.execute("SELECT value FROM replica.state WHERE key = ?", (_SIGHTS,)).fetchone()
    return None if found is None else str(found[0])


def sights_print(sights: Mapping[Section, Sight] | None, person_hides: frozenset[str]) -> str:
    """Return a text that differs whenever something else may be seen."""
    if sights is None:
        return ""
    seen_ = {
        section.value: [one.hidden, None if one.benefits is None else sorted(one.benefits), sorted(one.fields)]
        for section, one in sights.items()
    }
    return _ENCODER.encode([seen_, sorted(person_hides)])


def govern(db: Any, sights: Mapping[Section, Sight] | None, person_hides: frozenset[str]) -> list[str]:
    """Destroy what may not be seen any more; return the customers concerned. None: nobody may be looked up at all.

    A section of which anything may not be seen goes whole: the next answer brings what may.
    """
    touched: list[str] = []
    if sights is None:
        touched = [row[0] for row in db.execute("SELECT id FROM replica.customer")]
        forget_all(db)
    else:
        for customer, body in db.execute("SELECT id, body FROM replica.customer").fetchall():
            if any(json.loads(body).get(name) for name in person_hides):
                forget(db, customer)
                touched.append(customer)
        touched += _govern_sections(db, sights)
    db.execute(
        "INSERT OR REPLACE INTO replica.state (key, value) VALUES (?, ?)", (_SIGHTS, sights_print(sights, person_hides))
    )
    return list(dict.fromkeys(touched))


def _govern_sections(db: Any, sights: Mapping[Section, Sight]) -> list[str]:
    by_name = {section.value: one for section, one in sights.items()}
    touched = []
    found = db.execute("SELECT customer, section, rows FROM replica.customer_section").fetchall()
    for customer, section, rows in found:
        one = by_name[section]
        if not shows(one, {"section": section, section: json.loads(rows)}):
            where = (customer, section)
            db.execute("DELETE FROM replica.customer_section WHERE customer = ? AND section = ?", where)
            db.execute("DELETE FROM replica.customer_look WHERE customer = ? AND section = ?", where)
            touched.append(customer)
    hidden = [section for section, one in by_name.items() if one.hidden is not None]
    db.executemany("DELETE FROM replica.customer_look WHERE section = ?", [(section,) for section in hidden])
    return touched


def shows(sight: Sight, line: Mapping[str, Any]) -> bool:
    """Tell whether everything that an answer says of a section may be seen."""
    rows = line[line["section"]]
    if sight.hidden is not None:
        return not rows
    return all(sight.shows(row.get("benefit")) and all(row.get(name) is None for name in sight.fields) for row in rows)


def is_related(db: Any, codes: Sequence[str]) -> bool:
    """Tell whether a notice in the local inbox is about somebody with one of these identity codes."""
    marks = ",".join("?" * len(codes))
    where = f"json_extract(n.body, '$.customer.identity_code') IN ({marks})"
    joined = "replica.notice AS n JOIN replica.scope AS s ON s.generation = n.generation"
    return db.execute(f"SELECT 1 FROM {joined} WHERE {where} LIMIT 1", tuple(codes)).fetchone() is not None  # noqa: S608
