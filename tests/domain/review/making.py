"""Clean rows to be changed, and a review of an invoice of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.lists import Event, Period, invoices, read_period
from kelmu_tui.domain.review import (
    Answer,
    ChildcareRow,
    Finding,
    Head,
    Row,
    TreatmentRow,
    UnemploymentRow,
    review,
)

AINO, OTTO = (make_identity_code(date(1990, 1, day), "-", 900).value for day in (1, 2))
NOVEMBER = read_period("2026-11")
OCTOBER_DAYS = Period(date(2026, 10, 5), date(2026, 10, 30))


def euros(text: str) -> Decimal:
    """Return a sum."""
    return Decimal(text)


def benefit(**changes: Any) -> UnemploymentRow:
    """Return a clean row: 20 days at 37 euros that end at day 210, so ten of them at each percentage."""
    row = UnemploymentRow(
        "r1",
        AINO,
        "853",
        OCTOBER_DAYS,
        date(2026, 11, 4),
        20,
        210,
        euros("740.00"),
        20,
        euros("111.00"),
        Event.PAID,
    )
    return row._replace(**changes)


def support(**changes: Any) -> ChildcareRow:
    """Return a clean row of home care allowance."""
    row = ChildcareRow(
        "r1",
        AINO,
        "853",
        "home_care",
        NOVEMBER,
        date(2026, 11, 30),
        euros("477.68"),
        euros("100.00"),
        Event.PAID,
    )
    return row._replace(**changes)


def treatment(**changes: Any) -> TreatmentRow:
    """Return a clean row, reimbursed as far as can be."""
    row = TreatmentRow(
        "r1",
        AINO,
        "EE",
        Period(date(2026, 2, 3), date(2026, 2, 5)),
        True,
        "TP-1",
        euros("2400.00"),
        euros("46.50"),
        euros("2353.50"),
        date(2026, 3, 10),
    )
    return row._replace(**changes)


ANSWERS = {"TP-1": Answer(euros("2400.00"), euros("46.50"))}


def found(rows: Sequence[Row], kind: str = "lms_2025", total: str | None = None, **more: Any) -> tuple[Finding, ...]:
    """Return what a review of an invoice of these rows finds; its total is right unless given."""
    period = read_period("2026-H1") if kind == "treatment_abroad" else NOVEMBER
    one = invoices()[kind]
    right = sum((row.billed for row in rows if row.billed is not None), Decimal(0))
    payer = "02" if kind == "treatment_abroad" else "853"
    head = Head(kind, period, one.sent.on(period), one.due(period), right if total is None else Decimal(total), payer)
    return review(head, iter(rows), **more)
