"""Reading customers' files: whole, as a list of those that can be opened again, and by name.

Nothing past its end is returned, whether it was swept or not. All functions work inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import Hidden, Section, under_non_disclosure
from kelmu_tui.store.customer_rows import (
    Claim,
    Decision,
    Deduction,
    File,
    HouseholdPerson,
    Insurance,
    Medicine,
    PassedOn,
    Payment,
    Pending,
    Person,
    Recent,
    Recovery,
    SectionFile,
    SectionRow,
)
from kelmu_tui.store.customers import WAITING
from kelmu_tui.store.replica import instant, microseconds
from kelmu_tui.store.words import asked

_KINDS: Final[Mapping[Section, Any]] = {
    Section.PENDING: Pending,
    Section.DECISIONS: Decision,
    Section.PAYMENTS: Payment,
    Section.CLAIMS: Claim,
    Section.INSURANCE: Insurance,
    Section.RECOVERY: Recovery,
    Section.MEDICINE: Medicine,
    Section.PASSED_ON: PassedOn,
}
_DAYS: Final = (
    "received", "decided", "valid_from", "valid_to", "paid_on", "period_from", "period_to", "reached_on",
)  # fmt: skip
_SUMS: Final = (
    "amount", "gross", "tax", "net", "balance", "instalment", "accrued", "cap", "deductible", "deductible_used",
)  # fmt: skip


def _deductions(found: Iterable[Mapping[str, Any]]) -> tuple[Deduction, ...]:
    return tuple(Deduction(one["kind"], Decimal(one["amount"])) for one in found)


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(_DAYS, date.fromisoformat),
    **dict.fromkeys(_SUMS, Decimal),
    "missing": tuple,
    "deductions": _deductions,
}
"""How a field becomes a value, by its name; the others are taken as they are."""


def file(db: Any, customer: str, now: datetime) -> File | None:
    """Return a customer's file, None when there is none that may be shown."""
    at = microseconds(now)
    found = db.execute(
        "SELECT body, purpose, case_reference, fetched, expires, hidden_fields FROM replica.customer"
        " WHERE id = ? AND expires > ?",
        (customer, at),
    ).fetchone()
    if found is None:
        return None
    body, purpose, case_reference, fetched, expires, hidden_fields = found
    person = _person(json.loads(body))
    rows = db.execute(
        "SELECT section, state, waits_until, source_at, hidden, mandates, narrowed, hidden_fields, news, rows"
        " FROM replica.customer_section WHERE customer = ? AND expires > ?",
        (customer, at),
    ).fetchall()
    sections = {Section(row[0]): _section(Section(row[0]), row[1:], at, person.non_disclosure) for row in rows}
    return File(
        person,
        purpose,
        case_reference,
        instant(fetched),
        instant(expires),
        frozenset(json.loads(hidden_fields)),
        {section: sections[section] for section in Section if section in sections},
    )


def _section(section: Section, row: tuple[Any, ...], at: int, protected: bool) -> SectionFile:
    state, waits_until, source_at, hidden, mandates, narrowed, hidden_fields, news, rows = row
    if waits_until is not None and waits_until > at:
        state = WAITING
    elif state == WAITING:
        state = "down"  # nobody asks any more, and nothing was answered
    kind, away = _KINDS[section], frozenset(json.loads(hidden_fields))
    hides = under_non_disclosure(section.value) if protected else frozenset[str]()
    return SectionFile(
        section,
        state,
        None if hidden is None else Hidden(hidden),
        tuple(json.loads(mandates)),
        None if source_at is None else datetime.fromisoformat(source_at),
        bool(narrowed),
        away | hides,
        tuple(_row(kind, one, hides) for one in json.loads(rows)),
        frozenset(json.loads(news)),
    )


def _row(kind: Any, found: Mapping[str, Any], hides: frozenset[str]) -> SectionRow:
    values = []
    for name in kind._fields:
        # The backend leaves out what non-disclosure hides; should it ever not, it still ends here.
        value = None if name in hides else found.get(name)
        if value is None:
            value = kind._field_defaults.get(name)
        elif name in _READ:
            value = _READ[name](value)
        values.append(value)
    row: SectionRow = kind(*values)
    return row


def _person(found: Mapping[str, Any]) -> Person:
    hides = under_non_disclosure("person") if found["non_disclosure"] else frozenset[str]()
    values: dict[str, Any] = {name: None if name in hides else found.get(name) for name in Person._fields}
    values["born"] = date.fromisoformat(found["born"])
    values["died"] = date.fromisoformat(found["died"]) if found.get("died") else None
    values["earlier_codes"] = tuple(found.get("earlier_codes") or ())
    values["warnings"] = tuple(found.get("warnings") or ())
    values["household"] = tuple(
        HouseholdPerson(
            one["customer"], one["name"], one["masked_code"], one["relation"], date.fromisoformat(one["born"])
        )
        for one in found.get("household") or ()
    )
    return Person(**values)


# --- lists ----------------------------------------------------------------------------------------------------------


def recents(db: Any, now: datetime, limit: int) -> tuple[Recent, ...]:
    """Return the files that can be opened, the newest first."""
    return _recents(db, now, limit, lambda _: True)


def search(db: Any, text: str, now: datetime, limit: int) -> tuple[Recent, ...]:
    """Return the files whose customers' names have words that begin with all those of `text`, the newest first."""
    wanted = asked(text)
    if not wanted:
        return ()
    return _recents(db, now, limit, partial(_begins, wanted))


def _begins(wanted: list[str], words: str) -> bool:
    return all(any(word.startswith(beginning) for word in words.split(" ")) for beginning in wanted)


def _recents(db: Any, now: datetime, limit: int, fits: Callable[[str], bool]) -> tuple[Recent, ...]:
    found = db.execute(
        "SELECT id, name, code, purpose, case_reference, fetched, expires, words FROM replica.customer"
        " WHERE expires > ? ORDER BY fetched DESC, id",
        (microseconds(now),),
    )
    rows = [
        Recent(id_, name, mask(code), purpose, case_reference, instant(fetched), instant(expires))
        for id_, name, code, purpose, case_reference, fetched, expires, words in found
        if fits(words)
    ]
    return tuple(rows[:limit])


def with_code(db: Any, code: str, now: datetime) -> str | None:
    """Return the customer whose file holds an identity code, the present one or an earlier one; None without one."""
    found = db.execute(
        "SELECT id FROM replica.customer WHERE expires > ?1 AND (code = ?2 OR EXISTS (SELECT 1 FROM"
        " json_each(body, '$.earlier_codes') WHERE value = ?2)) ORDER BY code = ?2 DESC LIMIT 1",
        (microseconds(now), code),
    ).fetchone()
    return None if found is None else str(found[0])


def codes(db: Any, customer: str, now: datetime) -> tuple[str, ...]:
    """Return the identity codes of a customer whose file is held, the present one first; none without a file."""
    found = db.execute(
        "SELECT code, body FROM replica.customer WHERE id = ? AND expires > ?", (customer, microseconds(now))
    ).fetchone()
    return () if found is None else (found[0], *(json.loads(found[1]).get("earlier_codes") or ()))
