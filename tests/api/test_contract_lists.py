"""Rows of lists on the wire: a value for each column, of the column's type."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from kelmu_tui.api.contract import ListEnd, ListLine, ListRow, ListRowLine, NamedPerson, billed_column, read_values
from kelmu_tui.domain.lists import ColumnType, Event, ListKind, Period, lists

GOOD: dict[ColumnType, list[tuple[Any, Any]]] = {
    ColumnType.TEXT: [("Åsa Öhman", "Åsa Öhman"), ("", "")],
    ColumnType.CODE: [("010190-900R", "010190-900R")],
    ColumnType.MUNICIPALITY: [("091", "091")],
    ColumnType.ADDRESS: [("Koskikatu 1, 33100 TAMPERE", "Koskikatu 1, 33100 TAMPERE")],
    ColumnType.INTEGER: [(0, 0), (-20, -20)],
    ColumnType.DATE: [("2026-11-27", date(2026, 11, 27))],
    ColumnType.FLAG: [(True, True), (False, False)],
    ColumnType.LANGUAGE: [("fi", "fi"), ("smn", "smn")],
    ColumnType.PERIOD: [
        ({"from": "2026-11-02", "to": "2026-11-29"}, Period(date(2026, 11, 2), date(2026, 11, 29))),
    ],
    ColumnType.EUROS: [("123.45", Decimal("123.45")), ("-0.50", Decimal("-0.50")), ("0.00", Decimal("0.00"))],
    ColumnType.PERCENT: [(40, 40)],
    ColumnType.EVENT: [("paid", Event.PAID), ("returned", Event.RETURNED)],
    ColumnType.PERSONS: [
        ([], ()),
        ([{"name": "Ilo Ek", "identity_code": "010125A900X"}], (NamedPerson("Ilo Ek", "010125A900X"),)),
    ],
    ColumnType.SUPPORT_TYPE: [("child_home_care_allowance", "child_home_care_allowance")],
    ColumnType.COUNTRY: [("EE", "EE")],
}
BAD: dict[ColumnType, list[Any]] = {
    ColumnType.TEXT: [1, True, [], {"from": "2026-11-02", "to": "2026-11-29"}],
    ColumnType.CODE: [1],
    ColumnType.MUNICIPALITY: ["91", "0911", "０９１", 91],
    ColumnType.ADDRESS: [5],
    ColumnType.INTEGER: ["1", True, [], 10**12 + 1, -(10**30)],
    ColumnType.DATE: ["27.11.2026", "2026-02-30", "", 20261127],
    ColumnType.FLAG: [1, "true"],
    ColumnType.LANGUAGE: ["FI", "finnish", 1],
    ColumnType.PERIOD: ["2026-11-02", 1, []],
    ColumnType.EUROS: ["1", "1.5", "1,50", "1.500", "+1.00", "NaN", "1e2.00", "١.٠٠", 1],
    ColumnType.PERCENT: ["40", False],
    ColumnType.EVENT: ["PAID", "", 1],
    ColumnType.PERSONS: ["Ilo Ek", 1],
    ColumnType.SUPPORT_TYPE: ["", "Home care", 1],
    ColumnType.COUNTRY: ["EST", "ee", 1],
}
OF_TYPE = {column.type: (one, column) for one in lists().values() for column in one.columns}


def test_every_type_is_tried() -> None:
    assert set(GOOD) == set(BAD) == set(ColumnType) == set(OF_TYPE)


@pytest.mark.parametrize(("kind", "wire", "value"), [(k, *pair) for k, pairs in GOOD.items() for pair in pairs])
def test_a_value_of_its_type_is_read(kind: ColumnType, wire: Any, value: Any) -> None:
    one, column = OF_TYPE[kind]
    found = read_values(one, ListRow.model_validate({"id": "r1", column.id: wire}))
    assert found[column.id] == value
    assert type(found[column.id]) is type(value)
    assert {name for name, other in found.items() if other is None} == {c.id for c in one.columns} - {column.id}


@pytest.mark.parametrize(("kind", "wire"), [(kind, wire) for kind, values in BAD.items() for wire in values])
def test_a_value_of_another_type_is_refused_without_being_repeated(kind: ColumnType, wire: Any) -> None:
    one, column = OF_TYPE[kind]
    with pytest.raises(ValueError, match=f"^{column.id}: not of type {kind.value}$"):
        read_values(one, ListRow.model_validate({"id": "r1", column.id: wire}))


@pytest.mark.parametrize("wire", [1.5, {"from": "2026-11-02"}, {"name": "x"}, "x" * 301, [1]])
def test_what_no_column_may_hold_does_not_get_into_a_row(wire: Any) -> None:
    with pytest.raises(ValidationError):
        ListRow.model_validate({"id": "r1", "name": wire})


def test_columns_of_a_newer_backend_are_left_out() -> None:
    one = lists()["list_lms_300_days"]
    row = ListRow.model_validate({"id": "r1", "name": "Eva Ek", "shoe_size": 43, "address": None})
    assert "shoe_size" not in read_values(one, row)


def test_lines_are_told_apart_and_foreign_text_is_cleaned() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(ListLine)
    found = adapter.validate_python({"line": "row", "row": {"id": "r1", "name": "Eva\x1b[2J Ek"}})
    assert isinstance(found, ListRowLine)
    name = read_values(lists()["list_lms_300_days"], found.row)["name"]
    assert isinstance(name, str)
    assert "\x1b" not in name
    assert adapter.validate_python({"line": "end"}) == ListEnd()


def test_each_invoice_has_one_list_that_bills_and_bills_euros() -> None:
    billing = {}
    for one in lists().values():
        if (billed := billed_column(one.id)) is not None:
            column = one.column(billed)
            assert column is not None
            assert column.type is ColumnType.EUROS
            billing[one.id] = one.invoice
    invoiced = [one.invoice for one in lists().values() if one.kind is ListKind.INVOICE]
    assert set(billing.values()) == set(invoiced)
    assert len(billing) == len(set(billing.values()))
