"""Rows as the wire has them become typed rows; what is not of its type is refused without being told."""

from __future__ import annotations

import traceback
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.domain.lists import Event, Period, lists
from kelmu_tui.domain.review import (
    ChildcareRow,
    Shape,
    TreatmentRow,
    UnemploymentRow,
    UnreadableRow,
    read_row,
    shape_of,
)

PAYMENT: dict[str, Any] = {
    "id": "r1",
    "name": "Aalto Aino",
    "identity_code": "010190-900P",
    "municipality": "853",
    "period": {"from": "2026-10-01", "to": "2026-10-31"},
    "paid_on": "2026-11-04",
    "days_paid": 22,
    "days_accumulated": 150,
    "amount_eur": "814.00",
    "share_percent": 10,
    "municipal_share_eur": "81.40",
    "event": "paid",
}
SUPPORT: dict[str, Any] = {
    "id": "r2",
    "name": "Aalto Aino",
    "identity_code": "010190-900P",
    "municipality": "853",
    "support_type": "home_care",
    "period": {"from": "2026-11-01", "to": "2026-11-30"},
    "paid_on": "2026-11-30",
    "amount_eur": "-377.68",
    "municipal_supplement_eur": "0.00",
    "event": "returned",
}
TREATMENT: dict[str, Any] = {
    "id": "r3",
    "name": "Aalto Aino",
    "identity_code": "010190-900P",
    "country": "EE",
    "treated": {"from": "2026-02-03", "to": "2026-02-03"},
    "prior_authorisation": True,
    "request_ref": "TP-1",
    "comparable_cost_eur": "2400.00",
    "client_fee_eur": "46.50",
    "reimbursed_eur": "2100.00",
    "paid_on": "2026-03-10",
}
WIRE = {Shape.UNEMPLOYMENT: PAYMENT, Shape.CHILDCARE: SUPPORT, Shape.TREATMENT_ABROAD: TREATMENT}


def test_a_row_is_read() -> None:
    assert read_row(Shape.UNEMPLOYMENT, PAYMENT) == UnemploymentRow(
        "r1",
        "010190-900P",
        "853",
        Period(date(2026, 10, 1), date(2026, 10, 31)),
        date(2026, 11, 4),
        22,
        150,
        Decimal("814.00"),
        10,
        Decimal("81.40"),
        Event.PAID,
    )
    assert read_row(Shape.CHILDCARE, SUPPORT) == ChildcareRow(
        "r2",
        "010190-900P",
        "853",
        "home_care",
        Period(date(2026, 11, 1), date(2026, 11, 30)),
        date(2026, 11, 30),
        Decimal("-377.68"),
        Decimal("0.00"),
        Event.RETURNED,
    )
    assert read_row(Shape.TREATMENT_ABROAD, TREATMENT) == TreatmentRow(
        "r3",
        "010190-900P",
        "EE",
        Period(date(2026, 2, 3), date(2026, 2, 3)),
        True,
        "TP-1",
        Decimal("2400.00"),
        Decimal("46.50"),
        Decimal("2100.00"),
        date(2026, 3, 10),
    )


def test_what_is_billed_is_the_column_of_the_invoice() -> None:
    billed = [read_row(shape, values).billed for shape, values in WIRE.items()]
    assert billed == [Decimal("81.40"), Decimal("-377.68"), Decimal("2100.00")]


@pytest.mark.parametrize("shape", Shape)
def test_what_is_not_shown_is_not_known(shape: Shape) -> None:
    bare = read_row(shape, {"id": "r"})
    assert bare.id == "r"
    assert bare.billed is None
    assert bare == read_row(shape, dict.fromkeys(WIRE[shape]) | {"id": "r"})


def test_rows_are_made_of_columns_of_their_lists() -> None:
    for one in lists().values():
        if one.invoice is not None and one.id != "list_childcare_recipients":
            columns = {column.id for column in one.columns} | {"id"}
            assert set(WIRE[shape_of(one.invoice)]) <= columns


@pytest.mark.parametrize(
    ("shape", "column", "value"),
    [
        (Shape.UNEMPLOYMENT, "id", None),
        (Shape.UNEMPLOYMENT, "id", 7),
        (Shape.UNEMPLOYMENT, "identity_code", 10190),
        (Shape.UNEMPLOYMENT, "period", "2026-10"),
        (Shape.UNEMPLOYMENT, "period", {"from": "2026-10-01"}),
        (Shape.UNEMPLOYMENT, "period", {"from": "2026-10-01", "to": None}),
        (Shape.UNEMPLOYMENT, "period", {"from": "2026-10-02", "to": "2026-10-01"}),
        (Shape.UNEMPLOYMENT, "paid_on", "4.11.2026"),
        (Shape.UNEMPLOYMENT, "paid_on", 20261104),
        (Shape.UNEMPLOYMENT, "paid_on", ["2026-11-04"]),
        (Shape.UNEMPLOYMENT, "days_paid", "22"),
        (Shape.UNEMPLOYMENT, "days_paid", 22.0),
        (Shape.UNEMPLOYMENT, "days_paid", True),
        (Shape.UNEMPLOYMENT, "amount_eur", 814.0),
        (Shape.UNEMPLOYMENT, "amount_eur", "814,00"),
        (Shape.UNEMPLOYMENT, "amount_eur", "814"),
        (Shape.UNEMPLOYMENT, "amount_eur", "814.005"),
        (Shape.UNEMPLOYMENT, "amount_eur", "NaN"),
        (Shape.UNEMPLOYMENT, "amount_eur", "８14.00"),
        (Shape.UNEMPLOYMENT, "amount_eur", "814.00\n"),
        (Shape.UNEMPLOYMENT, "event", "billed"),
        (Shape.CHILDCARE, "municipal_supplement_eur", "1e2"),
        (Shape.TREATMENT_ABROAD, "prior_authorisation", 1),
        (Shape.TREATMENT_ABROAD, "treated", []),
    ],
)
def test_what_is_not_of_its_type_is_refused(shape: Shape, column: str, value: object) -> None:
    with pytest.raises(UnreadableRow) as refused:
        read_row(shape, WIRE[shape] | {column: value})
    assert str(refused.value) == column
    # No value may reach a log by way of the cause.
    assert "During handling" not in "".join(traceback.format_exception(refused.value))
