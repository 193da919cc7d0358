"""Lines of a look-up's answer for tests, and how they get into a store."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from kelmu_tui.api.contract import (
    Deduction,
    HouseholdPerson,
    PaymentRow,
    PendingKind,
    PendingRow,
    PendingStage,
    Person,
    PersonLine,
    SectionLine,
    SectionState,
)
from kelmu_tui.domain.sections import Hidden, Section
from kelmu_tui.store import customer_files, customers
from kelmu_tui.store.customer_rows import File
from kelmu_tui.store.database import Store
from tests.store.build import NOW

PENDING, PAYMENTS = Section.PENDING, Section.PAYMENTS
CODE = "010190-900P"
KEPT = timedelta(hours=12)


def person(customer: str = "p1", **changes: Any) -> Person:
    """Return an artificial person."""
    values: dict[str, Any] = {
        "customer": customer,
        "identity_code": CODE,
        "family_name": "Virtanen",
        "given_names": "Aino Örnvik",
        "born": date(1990, 1, 1),
        "language": "fi",
        "home_municipality": "837",
        "address": "Salainentie 7",
        "telephone": "0401234567",
        "household": [
            HouseholdPerson(
                customer="p2", name="Virtanen, Eino", masked_code="******A*01X", relation="child", born=date(2015, 5, 5)
            )
        ],
    }
    return Person(**{**values, **changes})


def head(at: datetime = NOW, *, kept: timedelta = KEPT, who: Person | None = None, **changes: Any) -> PersonLine:
    """Return the first line of an answer fetched at an instant."""
    values: dict[str, Any] = {
        "query": "q1",
        "person": who or person(),
        "purpose": "supplementary_social_assistance",
        "case_reference": "123/26",
        "fetched_at": at,
        "expires_at": at + kept,
    }
    return PersonLine(**{**values, **changes})


def payment(id: str, net: str = "500.00", **changes: Any) -> PaymentRow:  # noqa: A002
    """Return a payment."""
    values: dict[str, Any] = {
        "id": id,
        "benefit": "basic_social_assistance",
        "paid_on": date(2026, 11, 2),
        "period_from": date(2026, 11, 1),
        "period_to": date(2026, 11, 30),
        "gross": Decimal(net) + 20,
        "deductions": [Deduction(kind="recovery", amount=Decimal("20.00"))],
        "net": Decimal(net),
        "payee": "customer",
        "account": "FI** **** 0889",
        "incomes_register": False,
    }
    return PaymentRow(**{**values, **changes})


def pending(id: str, **changes: Any) -> PendingRow:  # noqa: A002
    """Return a pending matter."""
    values: dict[str, Any] = {
        "id": id,
        "benefit": "general_housing_allowance",
        "kind": PendingKind.APPLICATION,
        "received": date(2026, 11, 12),
        "stage": PendingStage.ATTACHMENTS_MISSING,
        "missing": ["Vuokrasopimus"],
        "office": "Nokian toimisto",
    }
    return PendingRow(**{**values, **changes})


def payments(*rows: PaymentRow, at: datetime | None = NOW, **changes: Any) -> SectionLine:
    """Return the section of payments: none without rows."""
    values: dict[str, Any] = {
        "section": Section.PAYMENTS,
        "state": SectionState.SHOWN if rows else SectionState.NONE,
        "source_at": at,
        "payments": list(rows),
    }
    return SectionLine(**{**values, **changes})


def matters(*rows: PendingRow, at: datetime | None = NOW, **changes: Any) -> SectionLine:
    """Return the section of pending matters."""
    values: dict[str, Any] = {
        "section": Section.PENDING,
        "state": SectionState.SHOWN,
        "source_at": at,
        "pending": list(rows),
    }
    return SectionLine(**{**values, **changes})


def down(section: Section = Section.PAYMENTS) -> SectionLine:
    """Return a section whose source does not answer."""
    return SectionLine(section=section, state=SectionState.DOWN)


def hidden(section: Section, why: Hidden = Hidden.LAW) -> SectionLine:
    """Return a section of which nothing may be seen."""
    return SectionLine(section=section, state=SectionState.HIDDEN, hidden=why)


def wire(line: PersonLine | SectionLine) -> dict[str, Any]:
    """Return a line as the store takes it."""
    return line.model_dump(mode="json")


def begin(store: Store, line: PersonLine, *sections: Section) -> None:
    """Store the first line of an answer to a question for some sections."""
    with store.write("replica") as db:
        customers.begin(db, wire(line), sections or (PAYMENTS,), store.clock.now())


def put(store: Store, line: PersonLine, *sections: SectionLine) -> bool:
    """Store lines of sections; False when one of them was not taken."""
    with store.write("replica") as db:
        taken = [customers.put_section(db, wire(line), wire(one), store.clock.now()) for one in sections]
    return all(taken)


def answer(store: Store, line: PersonLine, *sections: SectionLine) -> None:
    """Store an answer."""
    begin(store, line, *(one.section for one in sections))
    assert put(store, line, *sections)


def file(store: Store, customer: str = "p1") -> File:
    """Return a file that has to be there."""
    with store.read() as db:
        found = customer_files.file(db, customer, store.clock.now())
    assert found is not None
    return found


def held(store: Store, customer: str = "p1") -> bool:
    """Tell whether a file is there."""
    with store.read() as db:
        return customer_files.file(db, customer, store.clock.now()) is not None
