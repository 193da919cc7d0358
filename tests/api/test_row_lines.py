"""The compiled reader takes what the model takes and gives the same; rows as they are sent it takes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_backend.lists.publishing import IssuedRow
from kelmu_tui.api.row_lines import read_line, read_row
from kelmu_tui.domain.lists import ColumnType, Event, KelaList, lists
from tests.population.issued_support import BILLING, clean

NAMES = st.text(st.characters(categories=["L", "N", "P", "Zs"], max_codepoint=0x17F), max_size=40)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat)
SUMS = st.integers(-(10**12) + 1, 10**12 - 1).map(lambda n: f"{'-' if n < 0 else ''}{abs(n) // 100}.{abs(n) % 100:02d}")
WHOLES = st.integers(-(10**12), 10**12)
GOOD: dict[ColumnType, st.SearchStrategy[Any]] = {
    **dict.fromkeys((ColumnType.TEXT, ColumnType.CODE, ColumnType.ADDRESS), NAMES),
    ColumnType.MUNICIPALITY: st.from_regex("[0-9]{3}", fullmatch=True),
    ColumnType.INTEGER: WHOLES,
    ColumnType.DATE: DAYS,
    ColumnType.FLAG: st.booleans(),
    ColumnType.LANGUAGE: st.sampled_from(["fi", "sv", "smn"]),
    ColumnType.PERIOD: st.fixed_dictionaries({"from": DAYS, "to": DAYS}),
    ColumnType.EUROS: SUMS,
    ColumnType.PERCENT: st.integers(0, 100),
    ColumnType.EVENT: st.sampled_from([event.value for event in Event]),
    ColumnType.PERSONS: st.lists(
        st.fixed_dictionaries({"name": NAMES, "identity_code": st.just("010125A900X")}), max_size=3
    ),
    ColumnType.SUPPORT_TYPE: st.sampled_from(["home_care", "x"]),
    ColumnType.COUNTRY: st.sampled_from(["EE", "SE"]),
}
STRANGE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["", "1" * 81, "x" * 300, "x" * 301, "20261012", "2026-W41-1", "2026-02-30", "0000-01-01", "1.5"])
    | st.sampled_from(
        ["12.34\n", "１2.34", "091\n", "9\u0660\u0660", "ma\u0308ki", "e\u0301", "a\u202eb", "paid ", "Paid"]
    )
    | st.sampled_from([10**12 + 1, -(10**12) - 1, 10**40, 1.0, [], {}, [[]], {"from": "2026-10-01"}])
    | st.sampled_from([{"from": "2026-10-01", "to": "2026-10-02", "at": 1}, {"from": 0, "to": "2026-10-02"}])
    | st.sampled_from(
        [[{"name": "E"}], [{"name": "E", "identity_code": ""}], [{"name": "E", "identity_code": "1"}] * 51]
    )
)
LISTS = st.sampled_from(list(lists().values()))
NEEDLE = "Salainentie"


def _line(row: Any, **more: Any) -> str:
    return json.dumps({"line": "row", "row": row, **more}, ensure_ascii=False, separators=(",", ":"))


@st.composite
def usual(draw: st.DrawFn) -> tuple[KelaList, dict[str, Any]]:
    """Draw a list and a row as a backend of ours sends it."""
    one = draw(LISTS)
    row: dict[str, Any] = {"id": draw(st.from_regex("[a-z0-9]{1,20}", fullmatch=True))}
    if draw(st.booleans()):
        row["non_disclosure"] = draw(st.booleans())
    for column in one.columns:
        if draw(st.integers(0, 9)):
            row[column.id] = draw(st.none() | GOOD[column.type])
    return one, row


@st.composite
def strange(draw: st.DrawFn) -> tuple[KelaList, str]:
    """Draw a list and a line that is nearly a row of it, or hardly."""
    one, row = draw(usual())
    names = [*row, "non_disclosure", "shoe_size", "line"]
    for name in draw(st.lists(st.sampled_from(names), max_size=3)):
        row[name] = draw(STRANGE)
    line = json.dumps(
        {"line": "row", "row": row, **draw(st.sampled_from([{}, {}, {"more": 1}]))},
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
    )
    again = draw(st.sampled_from(["", '"id":"zz",', '"name":5,', '"non_disclosure":1,']))
    line = line.replace('"row":{', f'"row":{{{again}', 1)
    at = draw(st.integers(0, len(line)))
    return one, line[:at] + draw(st.sampled_from(["", "", "", " ", "\t", "\x1b", "\ufeff", "0", '"'])) + line[at:]


def _judged(one: KelaList, line: str) -> dict[str, Any] | None:
    """Return what the model makes of a line, None when it refuses it."""
    try:
        found = json.loads(line)
        return read_row(one, found["row"], line) if found["line"] == "row" else None
    except (ValueError, TypeError, KeyError):
        return None


def _exact(row: dict[str, Any]) -> str:
    """Return a text in which True is not 1."""
    return json.dumps(row, sort_keys=True)


@given(usual())
def test_a_row_in_the_usual_form_is_taken_and_is_what_the_model_gives(drawn: tuple[KelaList, dict[str, Any]]) -> None:
    one, row = drawn
    line = _line(row)
    found, judged = read_line(one, line), _judged(one, line)
    assert judged is not None
    if found is None:
        assert "\\" in line or not line.isprintable() or any(ord(sign) > 255 for sign in line)
    else:
        assert _exact(found) == _exact(judged) == _exact({"non_disclosure": False} | row)


@given(strange())
def test_what_is_taken_is_what_the_model_gives_and_nothing_that_it_refuses(drawn: tuple[KelaList, str]) -> None:
    one, line = drawn
    found = read_line(one, line)
    if found is not None:
        judged = _judged(one, line)
        assert judged is not None
        assert _exact(found) == _exact(judged)


@pytest.mark.parametrize("name", [one.id for one in BILLING])
def test_rows_of_the_record_are_all_in_the_usual_form(name: str) -> None:
    rows: list[IssuedRow] = [row for issue in clean(1, name) for row in issue.rows]
    assert rows
    for row in rows:
        assert read_line(lists()[name], _line(row.content)) == {"non_disclosure": False} | row.content


@pytest.mark.parametrize(
    ("row", "more"),
    [
        ({"id": "r1", "name": "Virta\x1b[2J"}, {}),
        ({"id": "r1", "reached_on": "20261012"}, {}),
        ({"id": "r1", "shoe_size": 43}, {}),
        ({"id": "r1"}, {"more": True}),
        ({"id": "r1", "municipality": "91"}, {}),
        ({"id": "r1", "days_accumulated": 10**12 + 1}, {}),
        ({"id": "r1", "name": NEEDLE * 30}, {}),
        ({"id": ""}, {}),
        ({"name": NEEDLE}, {}),
        ([], {}),
    ],
)
def test_other_lines_are_left_to_the_model(row: Any, more: dict[str, Any]) -> None:
    assert read_line(lists()["list_lms_300_days"], _line(row, **more)) is None
