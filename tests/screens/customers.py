"""A desk at which customers are looked up: the real store and services, and a backend whose answers tests give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kelmu_tui.api.contract import PersonLine, SectionLine
from kelmu_tui.api.contract.customers import (
    ClaimRow,
    DecisionRow,
    InsuranceRow,
    MedicineRow,
    PassedOnRow,
    RecoveryRow,
)
from kelmu_tui.api.errors import ApiError
from kelmu_tui.domain.sections import Section
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.desk import Hear
from kelmu_tui.services.customers import LookUp
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store import customers
from kelmu_tui.store.database import Changed
from tests.screens.support import SESSION, Office, settled
from tests.services.customers import WIDE, grant
from tests.services.signed_in import MANDATE, organisation, session_text
from tests.store.build import NOW, OWN
from tests.store.customer_lines import answer, head, matters, payment, payments, pending, wire
from tests.widgets.support import until

TODAY = date(2026, 11, 20)


def decision(id: str, **changes: Any) -> DecisionRow:  # noqa: A002
    """Return a decision."""
    values: dict[str, Any] = {
        "id": id,
        "benefit": "basic_social_assistance",
        "decided": date(2026, 10, 28),
        "outcome": "granted",
        "valid_from": date(2026, 11, 1),
        "valid_to": date(2026, 11, 30),
        "amount": Decimal("578.43"),
    }
    return DecisionRow(**{**values, **changes})


def line(section: Section, *rows: Any, **changes: Any) -> SectionLine:
    """Return a section with rows of its kind."""
    values: dict[str, Any] = {
        "section": section,
        "state": "shown" if rows else "none",
        "source_at": NOW,
        section.value: list(rows),
    }
    return SectionLine(**{**values, **changes})


def whole() -> tuple[SectionLine, ...]:
    """Return all sections of somebody of whom there is something in each."""
    monthly = [
        payment(
            f"pay{month:02d}",
            f"{400 + month * 10}.00",
            paid_on=date(2026, month, 2),
            period_from=date(2026, month, 1),
            period_to=date(2026, month, 28),
        )
        for month in range(11, 0, -1)
    ]
    planned = payment(
        "pay12",
        "578.43",
        paid_on=date(2026, 12, 1),
        status="planned",
        period_from=date(2026, 12, 1),
        period_to=date(2026, 12, 31),
    )
    other = payment(
        "paytmt",
        "611.00",
        benefit="labour_market_subsidy",
        incomes_register=True,
        tax=Decimal("20.00"),
        deductions=[],
        paid_on=date(2026, 3, 15),
        period_from=date(2026, 2, 1),
        period_to=date(2026, 2, 28),
    )
    returned = payment("payback", "99.00", status="returned", paid_on=date(2026, 1, 20))
    return (
        matters(pending("m1")),
        line(
            Section.DECISIONS,
            decision("d3"),
            decision(
                "d2",
                benefit="labour_market_subsidy",
                decided=date(2026, 2, 1),
                valid_from=date(2026, 2, 1),
                valid_to=None,
                amount=Decimal("37.21"),
                per="day",
            ),
            decision(
                "d1",
                outcome="rejected",
                decided=date(2025, 5, 5),
                valid_from=None,
                valid_to=None,
                amount=None,
                reason="income",
                appealed=True,
            ),
        ),
        payments(planned, *monthly, other, returned),
        line(
            Section.CLAIMS,
            ClaimRow(
                id="c1",
                benefit="labour_market_subsidy",
                basis="social_assistance_23",
                claimant="Pirkanmaan hyvinvointialue",
                period_from=date(2026, 1, 1),
                amount=Decimal("310.00"),
                status="in_force",
                received=date(2026, 1, 8),
            ),
        ),
        line(Section.INSURANCE, InsuranceRow(id="i1", covered=True, ground="residence", valid_from=date(2019, 4, 1))),
        line(
            Section.RECOVERY,
            RecoveryRow(
                id="r1",
                benefit="general_housing_allowance",
                period_from=date(2025, 1, 1),
                period_to=date(2025, 3, 31),
                amount=Decimal("640.00"),
                balance=Decimal("320.00"),
                instalment=Decimal("40.00"),
                status="in_instalments",
                decided=date(2025, 6, 1),
            ),
        ),
        line(
            Section.MEDICINE,
            MedicineRow(
                id="y26",
                year=2026,
                accrued=Decimal("412.10"),
                cap=Decimal("636.12"),
                deductible=Decimal("70.33"),
                deductible_used=Decimal("70.33"),
            ),
        ),
        line(
            Section.PASSED_ON,
            PassedOnRow(
                id="o1",
                sender="Rakennus Oy",
                kind="wage",
                period_from=date(2026, 9, 1),
                period_to=date(2026, 9, 30),
                amount=Decimal("1250.00"),
                received=date(2026, 10, 6),
            ),
        ),
    )


class LookUpOffice(Office):
    """An office whose user may look customers up; `answers` is what the backend will say to each query.

    Attributes:
        asked: the queries that came.
        gate: the sections come once it is open.
    """

    def __init__(
        self,
        folder: Path,
        rows: Iterable[Mapping[str, Any]],
        *,
        mandates: Iterable[str] = (MANDATE, WIDE),
        **options: Any,
    ) -> None:
        super().__init__(folder, rows, **options)
        made = organisation(OWN, "Pirkanmaa", grants=[grant(mandate) for mandate in mandates])
        put_secrets(
            self.store,
            {"session": session_text(made, user={"id": SESSION.user_id, "name": "Laura Koski", "language": "fi"})},
        )
        self.asked: list[LookUp] = []
        self.answer: Callable[[LookUp], tuple[PersonLine, tuple[SectionLine, ...]]] = lambda _: (head(), whole())
        self.problem: ApiError | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def look_up(self, query: LookUp, hear: Hear) -> str:
        """Answer as the backend does: the person at once, each section when the gate is open."""
        self.asked.append(query)
        if self.problem is not None:
            raise self.problem
        first, sections = self.answer(query)
        await self.thread.run(self._begin, first, [one.section for one in sections])
        hear(first.person.customer)
        await self.gate.wait()
        for one in sections:
            await self.thread.run(self._put, first, one)
            hear(first.person.customer)
        await self.thread.run(self._settle, first)
        return first.person.customer

    def _begin(self, first: PersonLine, sections: Iterable[Section]) -> None:
        with self.store.write("replica") as db:
            customers.begin(db, wire(first), sections, self.time.now())
            self.store.changed("customer", keys=(first.person.customer,))

    def _put(self, first: PersonLine, one: SectionLine) -> None:
        with self.store.write("replica") as db:
            customers.put_section(db, wire(first), wire(one), self.time.now())
            self.store.changed("customer", keys=(first.person.customer,))

    def _settle(self, first: PersonLine) -> None:
        with self.store.write("replica") as db:
            customers.settle(db, first.person.customer)
            self.store.changed("customer", keys=(first.person.customer,))

    def store_changed_now(self) -> None:
        """Tell the screens what a test did to the store behind their backs."""
        self.store_changed(Changed(frozenset({"customer"}), frozenset({"p1"})))

    @property
    def file_screen(self) -> CustomerScreen:
        """The screen of a file, which has to be there."""
        return next(screen for screen in self.screen_stack if isinstance(screen, CustomerScreen))


def logged(app: Office) -> list[tuple[str, str | None]]:
    """Return view and subject of what was logged about customers."""
    with app.store.read() as db:
        found = db.execute("SELECT body ->> 'view', body ->> 'subject' FROM main.view_event ORDER BY number").fetchall()
    return [(view, subject) for view, subject in found if view.startswith("customer")]


@asynccontextmanager
async def looking(
    folder: Path, size: tuple[int, int] = (80, 24), rows: Iterable[Mapping[str, Any]] = (), **options: Any
) -> AsyncIterator[tuple[LookUpOffice, Pilot[Any]]]:
    """Run an office for customers; wait until its inbox is there."""
    app = LookUpOffice(folder, rows, **options)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        app.gate.set()
        app.thread.close()


@asynccontextmanager
async def reading(
    folder: Path,
    size: tuple[int, int] = (80, 24),
    *,
    first: PersonLine | None = None,
    sections: tuple[SectionLine, ...] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[LookUpOffice, Pilot[Any]]]:
    """Run an office with a file that was fetched, and show it."""
    async with looking(folder, size, **options) as (app, pilot):
        found = first or head()
        answer(app.store, found, *(whole() if sections is None else sections))
        app.call_later(app.show_customer, found.person.customer)
        await until(pilot, lambda: isinstance(app.screen, CustomerScreen) and app.screen.ready, "the file")
        await settled(pilot)
        yield app, pilot


LATER = NOW + timedelta(minutes=5)
