"""Rows of every section in which each value that can be is a mark of its own, and a second reading of the catalogues:
which of these marks an organisation may see."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.sections import Section

TEXT: Final = "<text>"
TEXTS: Final = "<texts>"
DAY: Final = "<day>"
SUM: Final = "<sum>"
BENEFIT: Final = "<benefit>"

FIELDS: Final[dict[Section, dict[str, Any]]] = {
    Section.PENDING: {
        "id": TEXT,
        "benefit": BENEFIT,
        "kind": "appeal",
        "received": DAY,
        "stage": "in_handling",
        "missing": TEXTS,
        "office": TEXT,
    },
    Section.DECISIONS: {
        "id": TEXT,
        "benefit": BENEFIT,
        "decided": DAY,
        "outcome": "granted",
        "valid_from": DAY,
        "valid_to": DAY,
        "amount": SUM,
        "per": "day",
        "reason": TEXT,
        "appealed": True,
    },
    Section.PAYMENTS: {
        "id": TEXT,
        "benefit": BENEFIT,
        "paid_on": DAY,
        "period_from": DAY,
        "period_to": DAY,
        "gross": SUM,
        "tax": SUM,
        "deductions": [{"kind": "recovery", "amount": SUM}],
        "net": SUM,
        "payee": "landlord",
        "account": TEXT,
        "incomes_register": True,
        "status": "paid",
    },
    Section.CLAIMS: {
        "id": TEXT,
        "benefit": BENEFIT,
        "basis": TEXT,
        "claimant": TEXT,
        "claimant_id": None,
        "period_from": DAY,
        "period_to": DAY,
        "amount": SUM,
        "status": "received",
        "received": DAY,
    },
    Section.INSURANCE: {
        "id": TEXT,
        "covered": True,
        "ground": "work",
        "valid_from": DAY,
        "valid_to": DAY,
        "country": "SE",
    },
    Section.RECOVERY: {
        "id": TEXT,
        "benefit": BENEFIT,
        "period_from": DAY,
        "period_to": DAY,
        "amount": SUM,
        "balance": SUM,
        "instalment": SUM,
        "status": "open",
        "decided": DAY,
    },
    Section.MEDICINE: {
        "id": TEXT,
        "year": 2026,
        "accrued": SUM,
        "cap": SUM,
        "deductible": SUM,
        "deductible_used": SUM,
        "reached_on": DAY,
    },
    Section.PASSED_ON: {
        "id": TEXT,
        "sender": TEXT,
        "kind": TEXT,
        "period_from": DAY,
        "period_to": DAY,
        "amount": SUM,
        "received": DAY,
    },
}


class Mark(NamedTuple):
    """A value that stands in the record once, and where."""

    section: Section
    benefit: str | None
    field: str
    value: str


class Marked(NamedTuple):
    """A row, and the marks in it."""

    section: Section
    benefit: str | None
    body: dict[str, Any]
    marks: list[Mark]


def marked_rows(benefits: Sequence[str], *, step: int = 1) -> Iterator[Marked]:
    """Give rows of every section, one for each of `benefits` where rows have one.

    Args:
        step: how far the marks lie apart; days of one row fall into different years with more than 366.
    """
    numbers = count(1, step)
    for section, fields in FIELDS.items():
        for benefit in benefits if "benefit" in fields else (None,):
            marks: list[Mark] = []
            body = {
                name: _value(what, Mark(section, benefit, name, ""), marks, numbers) for name, what in fields.items()
            }
            # A source may send more than the contract knows.
            body["internal_note"] = _value(TEXT, Mark(section, benefit, "internal_note", ""), marks, numbers)
            yield Marked(section, benefit, body, marks)


def _value(what: Any, at: Mark, marks: list[Mark], numbers: Iterator[int]) -> Any:
    if isinstance(what, list):
        return [{name: _value(inner, at, marks, numbers) for name, inner in one.items()} for one in what]
    if what == BENEFIT:
        return at.benefit
    if what == TEXTS:
        return [_value(TEXT, at, marks, numbers) for _ in range(2)]
    number = next(numbers)
    made = {
        TEXT: f"m{number:06d}x",
        DAY: (date(1900, 1, 1) + timedelta(days=number)).isoformat(),
        SUM: f"{100_000 + number}.07",
    }
    if not isinstance(what, str) or what not in made:
        return what
    marks.append(at._replace(value=made[what]))
    return made[what]


# --- the second reading ---------------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """What may be seen of a section: why nothing (None: something), benefits (None: all), fields that stay away."""

    hidden: str | None
    benefits: frozenset[str] | None
    away: frozenset[str]


@cache
def catalogue(name: str) -> dict[str, Any]:
    """Return a catalogue as it stands in its file."""
    return tomllib.loads((files("kelmu_tui.domain.catalogue") / name).read_text(encoding="utf-8"))


def openers(held: Sequence[str], kind: str, capability: str) -> list[str]:
    """Return the mandates among `held` that open a capability for a type of organisation."""
    rows = {row["id"]: row for row in catalogue("mandates.toml")["mandate"]}
    return [name for name in held if capability in rows[name]["opens"] and kind in rows[name]["org_types"]]


def seen(held: Sequence[str], kind: str, content: Sequence[str] | None, section: Section, *, order: bool) -> Seen:
    """Return what the catalogues say of a section."""
    facts = next(row for row in catalogue("customers.toml")["section"] if row["id"] == section.value)
    everybody = [row["id"] for row in catalogue("mandates.toml")["mandate"]]
    nothing: frozenset[str] = frozenset()
    if not openers(everybody, kind, facts["capability"]):
        return Seen("law", nothing, nothing)
    by = openers(held, kind, facts["capability"])
    if not by:
        return Seen("mandate", nothing, nothing)
    if content is not None and section.value not in content:
        return Seen("agreement", nothing, nothing)
    views = [_view(name) for name in by]
    benefits = None if any(b is None for b, _ in views) else frozenset().union(*(b for b, _ in views if b))
    return Seen(None, benefits, _away(section.value, [h for _, h in views], order=order))


def away_of_person(held: Sequence[str], kind: str, *, order: bool) -> frozenset[str]:
    """Return the fields of a person that stay away."""
    return _away("person", [_view(name)[1] for name in openers(held, kind, "customer_lookup")], order=order)


def _away(prefix: str, hides: list[frozenset[str]], *, order: bool) -> frozenset[str]:
    names = set.intersection(*(set(one) for one in hides))
    if order:
        names |= set(catalogue("customers.toml")["non_disclosure"]["hides"])
    return frozenset(name.split(".")[1] for name in names if name.split(".")[0] == prefix)


def _view(mandate: str) -> tuple[frozenset[str] | None, frozenset[str]]:
    row = next(row for row in catalogue("customers.toml")["view"] if row["mandate"] == mandate)
    grouped = {one["id"] for one in catalogue("benefits.toml")["benefit"] if one["group"] in row["benefit_groups"]}
    return (frozenset(row["benefits"]) | grouped) or None, frozenset(row["hides"])
