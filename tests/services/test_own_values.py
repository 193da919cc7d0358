"""Values of the organisation's own tables: sums exactly or not at all, references that agree, codes that are codes."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.own_files import Wanted, limits
from kelmu_tui.domain.review import Answer
from kelmu_tui.services.own_files import guess
from kelmu_tui.services.own_table import Cell, OwnFileProblem
from kelmu_tui.services.own_values import Residents, RowProblem, Wrong, _Unread, euros, read_residents, reference
from tests.services.own_tables import HEADINGS, answers_of, csv_bytes, table_of, xlsx_bytes

TODAY = date(2026, 11, 23)
CODES = tuple(make_identity_code(date(1980, 1, 1 + n), "-", 900 + n).value for n in range(5))


def wrong(cell: Cell) -> Wrong:
    with pytest.raises(_Unread) as caught:
        euros(cell)
    return caught.value.wrong


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", "0.00"),
        ("-0", "0.00"),
        ("12", "12.00"),
        ("12,5", "12.50"),
        ("12.50", "12.50"),
        (" 12,50 € ", "12.50"),
        ("€12,50", "12.50"),
        ("12,50 EUR", "12.50"),
        ("12,50 euroa", "12.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234\u00a0567,50", "1234567.50"),
        ("1\u202f234,50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1.234.567", "1234567.00"),
        ("1,234,567.8", "1234567.80"),
        ("1234,500", "1234.50"),
        ("0,500", "0.50"),
        ("12,3400", "12.34"),
        ("9999999999,99", "9999999999.99"),
        (12, "12.00"),
        (12.5, "12.50"),
        (0.1 + 0.2, "0.30"),
        (1234567.89, "1234567.89"),
    ],
)
def test_sums_as_people_write_them(cell: Cell, value: str) -> None:
    found = euros(cell)
    assert (str(found), found) == (value, Decimal(value))


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("", Wrong.MISSING),
        ("  ", Wrong.MISSING),
        ("€", Wrong.UNREADABLE),
        ("12,-", Wrong.UNREADABLE),
        ("abc", Wrong.UNREADABLE),
        ("12 5", Wrong.UNREADABLE),
        ("1 23", Wrong.UNREADABLE),
        ("1234 567", Wrong.UNREADABLE),
        ("1,2,3", Wrong.UNREADABLE),
        ("1.234,567,8", Wrong.UNREADABLE),
        ("1e3", Wrong.UNREADABLE),
        ("(5,00)", Wrong.UNREADABLE),
        ("５", Wrong.UNREADABLE),
        ("=1+1", Wrong.UNREADABLE),
        ("#N/A", Wrong.UNREADABLE),
        (True, Wrong.UNREADABLE),
        (float("nan"), Wrong.UNREADABLE),
        ("1,234", Wrong.AMBIGUOUS),
        ("123.456", Wrong.AMBIGUOUS),
        ("0,123", Wrong.DECIMALS),
        ("1 234,567", Wrong.DECIMALS),
        (12.345, Wrong.DECIMALS),
        ("-5", Wrong.NEGATIVE),
        ("\N{MINUS SIGN}5,00 €", Wrong.NEGATIVE),
        ("€ -5", Wrong.NEGATIVE),
        (-0.01, Wrong.NEGATIVE),
        ("10000000000", Wrong.TOO_MUCH),
        (1e15, Wrong.TOO_MUCH),
        (float("inf"), Wrong.TOO_MUCH),
    ],
)
def test_sums_that_are_not_read(cell: Cell, why: Wrong) -> None:
    assert wrong(cell) is why


CENTS = st.integers(0, 10**12 - 1)


@given(
    CENTS, st.sampled_from((" ", "\u00a0", "\u202f", "'", "")), st.sampled_from((",", ".")), st.sampled_from(("", " €"))
)
def test_every_sum_of_whole_cents_is_read_exactly(cents: int, parts: str, point: str, sign: str) -> None:
    whole, rest = divmod(cents, 100)
    text = f"{whole:,}".replace(",", parts) + f"{point}{rest:02d}{sign}"
    assert euros(text) == Decimal(cents) / 100


@given(st.integers(0, 10**12))
def test_every_number_of_a_workbook_is_read_exactly(cents: int) -> None:
    if cents < 10**12:
        assert euros(cents / 100) == Decimal(cents) / 100


@given(st.text(max_size=12) | st.floats() | st.integers(-(10**18), 10**18) | st.booleans())
def test_any_cell_is_a_sum_of_whole_cents_or_a_reason(cell: Cell) -> None:
    with suppress(_Unread):
        found = euros(cell)
        assert found >= 0
        assert found == found.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("cell", "found"), [("TP-1", "TP-1"), (" TP-1\u00a0", "TP-1"), (4711.0, "4711"), (4711, "4711"), ("A\u0308", "Ä")]
)
def test_references(cell: Cell, found: str) -> None:
    assert reference(cell) == found


@pytest.mark.parametrize("cell", ["", " ", 1.5, -1.0, 1e15, True, "x" * 65, "a\x07b", "a\u202eb", float("nan")])
def test_references_that_are_none(cell: Cell) -> None:
    with pytest.raises(_Unread):
        reference(cell)


# --- rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [csv_bytes, xlsx_bytes])
def test_bad_rows_are_told_and_the_others_are_good(tmp_path: Path, write: object) -> None:
    rows = [
        HEADINGS,
        ("TP-1", "5,00", "1,00"),
        ("", "5,00", "1,00"),
        ("TP-3", "", "1,00"),
        ("TP-4", "5,001", "1,00"),
        ("TP-5", "5,00", "-1,00"),
        ("TP-6", "viisi", "1,00"),
        (),
        ("TP-7", "5,00"),
        ("TP-1", "5,00", "1"),
    ]
    assert callable(write)
    found = answers_of(table_of(tmp_path, write(rows)))
    assert found.good == {"TP-1": Answer(Decimal("5.00"), Decimal("1.00"))}
    assert found.problems == (
        RowProblem(3, 1, "ref", Wrong.MISSING),
        RowProblem(4, 2, "cost", Wrong.MISSING),
        RowProblem(5, 2, "cost", Wrong.AMBIGUOUS),
        RowProblem(6, 3, "fee", Wrong.NEGATIVE),
        RowProblem(7, 2, "cost", Wrong.UNREADABLE),
        RowProblem(9, 3, "fee", Wrong.MISSING),
    )
    assert (found.wrong, found.doubled) == (6, 1)


def test_rows_that_disagree_are_all_left_out(tmp_path: Path) -> None:
    rows = [
        HEADINGS,
        ("TP-1", "5", "1"),
        ("TP-2", "5", "1"),
        ("TP-1", "6", "1"),
        ("TP-1", "5", "1"),
        ("TP-1", "7", "1"),
    ]
    found = answers_of(table_of(tmp_path, csv_bytes(rows)))
    assert list(found.good) == ["TP-2"]
    assert [(one.row, one.other, one.wrong) for one in found.problems] == [
        (2, 4, Wrong.DISAGREES),
        (4, 2, Wrong.DISAGREES),
        (6, 2, Wrong.DISAGREES),
    ]


def test_so_many_problems_are_listed_and_the_rest_is_counted(tmp_path: Path) -> None:
    rows = [HEADINGS, *(("TP", "x", "1") for _ in range(limits().problems + 5))]
    found = answers_of(table_of(tmp_path, csv_bytes(rows)))
    assert (len(found.problems), found.wrong) == (limits().problems, limits().problems + 5)


# --- residents ------------------------------------------------------------------------------------------------------


def residents(folder: Path, rows: list[tuple[str, ...]]) -> Residents:
    table = table_of(folder, csv_bytes(rows))
    columns = guess(table, Wanted.RESIDENTS)
    assert columns is not None
    return read_residents(table, columns, today=TODAY)


def test_residents_are_a_set_of_valid_codes(tmp_path: Path) -> None:
    found = residents(
        tmp_path,
        [
            ("Nimi", "Henkilötunnus"),
            ("a", CODES[0]),
            ("b", f" {CODES[1].lower()} "),
            ("c", CODES[0]),
            ("d", CODES[2][:-1] + ("0" if CODES[2][-1] != "0" else "1")),
            ("e", ""),
            ("f", "tuntematon"),
        ],
    )
    assert found.codes == {CODES[0], CODES[1]}
    assert found.wrong == 3
    assert [(one.row, one.column, one.wrong) for one in found.problems] == [
        (5, 2, Wrong.UNREADABLE),
        (6, 2, Wrong.MISSING),
        (7, 2, Wrong.UNREADABLE),
    ]
    assert not any(code in repr(found.problems) for code in CODES)


@pytest.mark.parametrize(
    "heading", ["Hetu", "HENKILÖTUNNUS:", "Personbeteckning", "Personal identity code", "identity_code"]
)
def test_the_code_has_names_in_three_languages(tmp_path: Path, heading: str) -> None:
    assert residents(tmp_path, [(heading,), (CODES[0],)]).codes == {CODES[0]}


def test_no_code_is_taken_for_a_heading(tmp_path: Path) -> None:
    table = table_of(tmp_path, csv_bytes([(code,) for code in CODES]))
    assert guess(table, Wanted.RESIDENTS) is None
    chosen = guess(table, Wanted.RESIDENTS, lambda _: (0,))
    assert chosen is not None
    with pytest.raises(OwnFileProblem) as caught:
        read_residents(table, chosen, today=TODAY)
    assert (caught.value.code, caught.value.row) == ("no_headings", 1)
    assert CODES[0] not in f"{caught.value!r}"
