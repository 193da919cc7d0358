"""Files of the organisation's own: every form is read, and whatever is not is told by its code and its place."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.own_files import Wanted, limits
from kelmu_tui.domain.review import Answer
from kelmu_tui.services import own_values
from kelmu_tui.services.own_files import Columns, guess, named_columns, print_of
from kelmu_tui.services.own_table import OwnFileProblem, Table
from tests.services.own_tables import GOOD, HEADINGS, ROWS, TABLE, answers_of, cells_of, csv_bytes, table_of, xlsx_bytes

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


# --- the same table in every form -----------------------------------------------------------------------------------

FORMS: dict[str, bytes] = {
    f"{name} {separator!r}{' quoted' * every}": mark + csv_bytes(TABLE, separator, encoding, every=every)
    for name, encoding, mark in (
        ("utf-8", "utf-8", b""),
        ("utf-8 marked", "utf-8-sig", b""),
        ("utf-16 little", "utf-16-le", b"\xff\xfe"),
        ("utf-16 big", "utf-16-be", b"\xfe\xff"),
        ("latin-1", "latin-1", b""),
    )
    for separator in (";", ",", "\t")
    for every in (False, True)
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_the_same_in_every_form(tmp_path: Path, form: str) -> None:
    table = table_of(tmp_path, FORMS[form])
    assert cells_of(table) == [tuple(row) for row in TABLE]
    assert answers_of(table).good == GOOD


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(tmp_path: Path, end: str) -> None:
    assert answers_of(table_of(tmp_path, csv_bytes(TABLE, end=end))).good == GOOD


def test_euro_signs_of_windows_are_read(tmp_path: Path) -> None:
    data = "Tunnus;viite;Kustannus (€);Asiakasmaksu, €\nx;TP-1;1 234,50 €;€ 20\n".encode("cp1252")
    assert b"\x80" in data
    found = answers_of(table_of(tmp_path, data))
    assert found.good == {"TP-1": Answer(Decimal("1234.50"), Decimal("20.00"))}


def test_a_byte_that_windows_does_not_know_is_no_obstacle(tmp_path: Path) -> None:
    data = csv_bytes([("ref", "cost", "fee", "note"), ("TP-1", "5", "1", "x")]).replace(b"x", b"\x81\xe4")
    assert answers_of(table_of(tmp_path, data)).good == {"TP-1": Answer(Decimal("5.00"), Decimal("1.00"))}


def test_a_spreadsheet_may_tell_the_separator(tmp_path: Path) -> None:
    data = b"sep=,\n" + csv_bytes(TABLE, ",")
    assert answers_of(table_of(tmp_path, data)).good == GOOD


def test_a_workbook_is_the_same_with_numbers_and_with_texts(tmp_path: Path) -> None:
    numbers = [HEADINGS, ("TP-1", 1234.5, 20), ("TP-2", 800, 0), ("TP-3", 99.95, 9.95)]
    for rows in (TABLE, numbers):
        assert answers_of(table_of(tmp_path, xlsx_bytes(rows))).good == GOOD


def test_sums_that_a_spreadsheet_computed_are_those_it_shows(tmp_path: Path) -> None:
    found = answers_of(table_of(tmp_path, xlsx_bytes([HEADINGS, (4711, 0.1 + 0.2, 1.1 + 2.2)])))
    assert found.good == {"4711": Answer(Decimal("0.30"), Decimal("3.30"))}


def test_a_table_need_not_begin_in_the_first_cell_or_sheet(tmp_path: Path) -> None:
    about = [("Vastaukset 2026",), (), ("Laatija", "Testi")]
    table = table_of(tmp_path, xlsx_bytes([("tyhjä",)], [*about, *TABLE], at=(2, 3)))
    columns = guess(table, Wanted.ANSWERS)
    assert columns == Columns(1, 6, (3, 4, 5))
    assert answers_of(table).good == GOOD
    assert [sheet.name for sheet in table.sheets] == ["Taulukko 1", "Taulukko 2"]


def test_a_sheet_that_is_hidden_is_not_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, row in (("vanha", ("TP-9", 1, 1)), ("uusi", ("TP-1", 5, 1))):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEADINGS)
            sheet.write_row(1, 0, row)
        book.worksheets()[1].activate()
        book.worksheets()[0].hide()
    table = table_of(tmp_path, out.getvalue())
    assert [(sheet.number, sheet.name) for sheet in table.sheets] == [(1, "uusi")]
    assert list(answers_of(table).good) == ["TP-1"]


@pytest.mark.parametrize("heading", ["PK-tunnus", "MZ", "GIF89a", "Rar!", "7z", "%PD", "sep"])
def test_a_heading_may_begin_as_other_files_do(tmp_path: Path, heading: str) -> None:
    rows = [(heading, *HEADINGS), ("x", *ROWS[0])]
    assert list(answers_of(table_of(tmp_path, csv_bytes(rows))).good) == ["TP-1"]


def test_cells_of_a_workbook_that_are_no_text_and_no_number(tmp_path: Path) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "d.m.yyyy"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, (datetime(2026, 1, 2), True, 1e20))
        sheet.write_formula(0, 3, "=1/0", None, "#DIV/0!")
        sheet.write(0, 4, "last")
    cells = cells_of(table_of(tmp_path, out.getvalue()))[0]
    assert cells[0].startswith("2026-01-02")
    assert cells[1:3] == ("TRUE", "1e+20")
    assert cells[4] == "last"


def test_headings_are_looked_for_among_the_first_rows_only(tmp_path: Path) -> None:
    before = [("x",)] * (limits().searched - 1)
    assert answers_of(table_of(tmp_path, csv_bytes([*before, *TABLE]))).good == GOOD
    assert guess(table_of(tmp_path, csv_bytes([("x",), *before, *TABLE])), Wanted.ANSWERS) is None


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=12)
ANY_ROWS = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=8)
)


def shown(rows: list[list[str]]) -> list[tuple[str, ...]]:
    """Return rows as they are read: without spaces around cells and empty cells at the end."""
    found = []
    for row in rows:
        cells = list(row)
        while cells and not cells[-1]:
            cells.pop()
        found.append(tuple(cell.strip() for cell in cells))
    return found


@SHARED
@given(ANY_ROWS, st.sampled_from((";", ",", "\t")), st.sampled_from(("utf-8", "utf-8-sig", "utf-16")))
def test_any_table_comes_back_from_text(tmp_path: Path, rows: list[list[str]], separator: str, encoding: str) -> None:
    # With all cells quoted there is one way to read it; an empty table is another matter.
    data = csv_bytes(rows, separator, encoding, every=True)
    assert cells_of(table_of(tmp_path, data)) == shown(rows)


@settings(parent=SHARED, max_examples=40)
@given(ANY_ROWS.filter(lambda rows: any(any(row) for row in rows)))
def test_any_table_comes_back_from_a_workbook(tmp_path: Path, rows: list[list[str]]) -> None:
    found = cells_of(table_of(tmp_path, xlsx_bytes(rows)))
    wanted = shown(rows)
    while wanted and not wanted[-1]:
        wanted.pop()
    assert found == wanted


# --- columns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headings",
    [
        ("request_ref", "comparable_cost_eur", "client_fee_eur"),
        ("TIETOPYYNNÖN TUNNUS", "Vastaavan hoidon kustannus (€)", "asiakasmaksu, euroa"),
        ("Tietopyynnon tunnus:", " vastaavan hoidon   kustannukset", "Asiakasmaksut"),
        ("Begärans referens", "Kostnad för motsvarande vård", "Klientavgift"),
        ("Information request reference", "Cost of comparable treatment", "Client fee"),
        ("Ref", "Cost EUR", "Fee"),
    ],
)
def test_headings_are_known_in_three_languages(tmp_path: Path, headings: tuple[str, ...]) -> None:
    table = table_of(tmp_path, csv_bytes([("Nimi", *headings, "Muuta"), ("x", *ROWS[0], "y")]))
    assert guess(table, Wanted.ANSWERS) == Columns(0, 1, (1, 2, 3))


def test_an_exact_name_goes_before_another_word_for_it(tmp_path: Path) -> None:
    headings = ("Viite", "Tietopyynnön tunnus", "Hinta", "Vastaavan hoidon kustannus", "Asiakasmaksu")
    table = table_of(tmp_path, csv_bytes([headings, ("a", "TP-1", "1", "2", "3")]))
    assert guess(table, Wanted.ANSWERS) == Columns(0, 1, (1, 3, 4))


def test_what_was_chosen_before_goes_before_what_is_guessed(tmp_path: Path) -> None:
    rows = [("Tunnus A", *HEADINGS), ("TP-9", *ROWS[0])]
    table = table_of(tmp_path, csv_bytes(rows))
    chosen = {print_of(("TUNNUS a", *HEADINGS)): (0, 2, 3)}
    assert guess(table, Wanted.ANSWERS, chosen.get) == Columns(0, 1, (0, 2, 3))
    other = table_of(tmp_path, csv_bytes([HEADINGS, ROWS[0]]))
    assert guess(other, Wanted.ANSWERS, chosen.get) == Columns(0, 1, (0, 1, 2))


def test_columns_are_named_by_heading_or_number(tmp_path: Path) -> None:
    table: Table = table_of(tmp_path, csv_bytes([("otsikko",), ("A1", "B1", "Asiakasmaksu"), ("TP-1", "5", "1")]))
    sheet = table.sheets[0]
    assert named_columns(sheet, Wanted.ANSWERS, {"ref": "a1", "cost": "2"}) == (2, (0, 1, 2))
    assert named_columns(sheet, Wanted.ANSWERS, {"ref": "a1", "cost": "9"}) is None
    assert named_columns(sheet, Wanted.ANSWERS, {"ref": "a1", "cost": "a1"}) is None
    with pytest.raises(OwnFileProblem, match="doubled_heading"):
        named_columns(
            table_of(tmp_path, csv_bytes([("a", "a", "fee"), ("1", "2", "3")])).sheets[0],
            Wanted.ANSWERS,
            {"ref": "a", "cost": "2"},
        )


def test_a_first_row_of_data_is_not_taken_for_headings(tmp_path: Path) -> None:
    table = table_of(tmp_path, csv_bytes(ROWS))
    found = named_columns(table.sheets[0], Wanted.ANSWERS, {"ref": "1", "cost": "2", "fee": "3"})
    assert found is not None
    with pytest.raises(OwnFileProblem, match="no_headings"):
        own_values.read_answers(table, Columns(0, *found))
