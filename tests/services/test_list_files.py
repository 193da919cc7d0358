"""Files of rows: whatever a text says, it is a text; what is read back by others is what stood in the row."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kelmu_tui.domain.lists import Event, Period
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.organisations import Names, OrganisationType
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.case_file import inert
from kelmu_tui.services.list_fields import About
from kelmu_tui.services.list_files import Form, Writing
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_values import ListRow, Named, Value
from kelmu_tui.store.lists import Copy
from kelmu_tui.store.rows import ActiveOrganisation, ActiveSession
from tests.services.exporting import document, sheets, table
from tests.store.list_rows import INVOICED, LIST, PERIOD

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
LANGUAGES = ("fi", "sv", "en")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BEGINNINGS = st.sampled_from(
    ["", "=", "+1", "-1", "@", "\t=", "\r", " =", "'", '"', "\uff1d", "<r>", "\ufeff=", "_x003D_"]
)
TEXTS = st.builds(
    "{}{}{}".format, BEGINNINGS, st.text(max_size=30), st.sampled_from(["", "</r>", ";", ",", '"', "\r\n", " "])
)
CENTS = st.integers(-(10**11), 10**11)
DAYS = st.dates(date(1900, 3, 1), date(2100, 12, 31))


def about(list_: str, rows: int, purpose: str = "Seuranta", query: ListQuery | None = None, **changes: Any) -> About:
    one = catalogue()[list_]
    own = ActiveOrganisation("9900080-0", Names("Kunta", "Kommun", "Town"), OrganisationType.MUNICIPALITY, None, ())
    given_: dict[str, Any] = {
        "list": one,
        "copy": Copy(1, list_, PERIOD, 2, AT, 9, 9, AT, AT),
        "query": query or ListQuery(),
        "session": ActiveSession("u1", "Meri Salo", own, frozenset(), "d", "l"),
        "purpose": purpose,
        "columns": tuple(column.id for column in one.columns),
        "full": True,
        "marked": False,
        "rows": rows,
        "left_out": 0,
        "made_at": AT,
    }
    return About(**given_ | changes)


def a_row(list_: str, number: int = 1, *, hidden: bool = False, **values: Value) -> ListRow:
    none: dict[str, Value] = {column.id: None for column in catalogue()[list_].columns}
    return ListRow(f"r{number}", number, hidden, none | values)


def write(folder: str | Path, form: Form, told: About, rows: Sequence[ListRow], language: str = "fi") -> Path:
    path = Path(folder) / f"a.{form.value}"
    writing = Writing(form, path, told, Translator(language))
    writing.begin()
    writing.put(rows)
    writing.end()
    return path


def first(headings: Sequence[Any], row: Sequence[Any]) -> Mapping[str, Any]:
    return dict(zip(headings, row, strict=True))


# --- texts ----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS)
@example("<r></is><f>1+1</f>", "</r>")
@example('=HYPERLINK("http://x")', "mailto:a@b.fi")
def test_no_text_is_a_formula_in_a_table(name: str, address: str) -> None:
    for language, delimiter in (("fi", ";"), ("en", ",")):
        with TemporaryDirectory() as folder:
            told = about(LIST, 1, purpose=clean(name))
            head, _, rows = table(
                write(folder, Form.CSV, told, [a_row(LIST, name=name, address=address)], language), delimiter
            )
        for cell in (*head.values(), *rows[0]):
            assert not cell.startswith(DANGEROUS)
            assert not cell.lstrip().startswith(DANGEROUS)
        assert [cell.removeprefix("'") for cell in (rows[0][0], rows[0][3])] == [
            clean(text).removeprefix("'") for text in (name, address)
        ]


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS)
@example("<r></is><f>1+1</f>", "</r>")
@example("<r><t>x</t></r>", "http://example.invalid/")
def test_no_text_is_a_formula_or_a_link_in_a_workbook(name: str, address: str) -> None:
    with TemporaryDirectory() as folder:
        told = about(LIST, 1, purpose=clean(name))
        path = write(folder, Form.XLSX, told, [a_row(LIST, name=name, address=address)])
        _, headings, rows = sheets(path)
        with zipfile.ZipFile(path) as packed:
            parts = {part: packed.read(part) for part in packed.namelist()}
    for part, content in parts.items():
        assert b"<f>" not in content
        assert b"hyperlink" not in content.lower() or not part.startswith("xl/worksheets")
        assert b"<r>" not in content
    said = first(headings, rows[0])
    for label, text in (("Nimi", clean(name)), ("Osoite", clean(address))):
        marked = text.startswith("<r>") and text.endswith("</r>")
        assert said[label] == (f"'{text}" if marked else text)


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS)
def test_json_has_every_text_as_it_stood(name: str, address: str) -> None:
    for form in (Form.JSON, Form.NDJSON):
        with TemporaryDirectory() as folder:
            told = about(LIST, 2, purpose=clean(name))
            rows = [a_row(LIST, name=name, address=address), a_row(LIST, 2)]
            head, found = document(write(folder, form, told, rows))
        assert head["purpose"] == clean(name)
        assert [one["name"] for one in found] == [clean(name), None]
        assert found[0]["address"] == clean(address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1", "'=1"),
        ("  =1", "'  =1"),
        ("\t1", "'\t1"),
        ("\r1", "'\r1"),
        ("\n1", "'\n1"),
        ("@a", "'@a"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str, expected: str) -> None:
    assert inert(text) == expected


# --- numbers and days -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(CENTS, DAYS, DAYS, st.integers(0, 100))
@example(-1, date(1900, 3, 1), date(2100, 12, 31), 30)
def test_sums_and_days_are_read_back_exactly(cents: int, paid: date, last: date, share: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    row = a_row(
        INVOICED, amount_eur=amount, paid_on=paid, period=Period(paid, last), share_percent=share, event=Event.RETURNED
    )
    told = about(INVOICED, 1)
    with TemporaryDirectory() as folder:
        _, headings, rows = table(write(folder, Form.CSV, told, [row], "sv"))
        as_text = first(headings, rows[0])
        _, headings, cells = sheets(write(folder, Form.XLSX, told, [row], "sv"))
        typed = first(headings, cells[0])
        plain = document(write(folder, Form.JSON, told, [row]))[1][0]
    assert Decimal(as_text["Utbetalt belopp"].replace(",", ".")) == amount
    assert as_text["Utbetalt belopp"][-3] == ","
    assert Decimal(str(typed["Utbetalt belopp"])) == amount
    assert (as_text["Betalningsdag"], typed["Betalningsdag"]) == (paid.isoformat(), paid)
    assert (typed["Betalningsperiod, från"], typed["Betalningsperiod, till"]) == (paid, last)
    assert (as_text["Kommunens andel %"], typed["Kommunens andel %"]) == (str(share), share)
    assert typed["Händelse"] == Translator("sv")("lists.event.returned")
    assert (plain["amount_eur"], plain["event"]) == (str(amount), "returned")
    assert plain["period"] == {"from": paid.isoformat(), "to": last.isoformat()}


def test_a_day_that_workbooks_do_not_know_is_a_text(tmp_path: Path) -> None:
    veterans = "list_front_veterans_supplement"
    _, headings, rows = sheets(write(tmp_path, Form.XLSX, about(veterans, 1), [a_row(veterans, born=date(1899, 5, 1))]))
    assert first(headings, rows[0])["Syntymäaika"] == "1899-05-01"


def test_persons_in_a_row_are_masked_like_the_row(tmp_path: Path) -> None:
    care = "list_childcare_recipients"
    row = a_row(care, identity_code="010190-900X", children=(Named("Virta, Ilo", "010120A901X"),))
    for full, code in ((True, "010120A901X"), (False, "******A*01X")):
        folder = tmp_path / str(full)
        folder.mkdir()
        told = about(care, 1, full=full)
        assert first(*table(write(folder, Form.CSV, told, [row]))[1:][:1], table(folder / "a.csv")[2][0])["Lapset"] == (
            f"Virta, Ilo {code}"
        )
        plain = document(write(folder, Form.NDJSON, told, [row]))[1][0]
        assert plain["children"] == [{"name": "Virta, Ilo", "identity_code": code}]
        assert (plain["identity_code"] == "010190-900X") is full


# --- what it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_says_what_it_is(tmp_path: Path, language: str) -> None:
    t = Translator(language)
    query = ListQuery((SortKey("name", descending=True),), "aino", "837")
    told = about(LIST, 1234, query=query, marked=True)
    delimiter = "," if language == "en" else ";"
    in_table = table(write(tmp_path, Form.CSV, told, [], language), delimiter)[0]
    in_book = sheets(write(tmp_path, Form.XLSX, told, [], language))[0]
    assert in_book == in_table
    own = {"fi": "Kunta", "sv": "Kommun", "en": "Town"}[language]
    assert in_book == {
        t("lists.column_name"): f"{catalogue()[LIST].name.get(language)} ({LIST})",
        t("lists.column_period"): "2026-10 (1.10.–31.10.2026)",
        t("lists.version"): "2",
        t("lists.column_published"): "23.11.2026 10:00",
        t("lists.fetched_at"): "23.11.2026 10:00",
        t("lists.export_made_at"): "23.11.2026 10:00",
        t("lists.export_organisation"): f"{own} (9900080-0)",
        t("lists.export_by"): "Meri Salo (u1)",
        t("lists.export_purpose"): "Seuranta",
        t("lists.export_filter"): (
            f"{t('lists.export_marked')}; 837 {'Tammerfors' if language == 'sv' else 'Tampere'}; aino"
        ),
        t("lists.export_sort"): t(
            "lists.export_descending", column={"fi": "Nimi", "sv": "Namn", "en": "Name"}[language]
        ),
        t("lists.export_codes"): t("lists.export_whole"),
        t("lists.column_rows"): t.formats.number(1234),
    }
    head = document(write(tmp_path, Form.JSON, told, []))[0]
    assert head == document(write(tmp_path, Form.NDJSON, told, []))[0]
    assert head == {
        "list": LIST,
        "period": PERIOD,
        "version": 2,
        "published_at": AT.isoformat(),
        "fetched_at": AT.isoformat(),
        "made_at": AT.isoformat(),
        "organisation": "9900080-0",
        "user": "u1",
        "purpose": "Seuranta",
        "filter": "aino",
        "municipality": "837",
        "sort": [{"column": "name", "descending": True}],
        "columns": [column.id for column in catalogue()[LIST].columns],
        "full": True,
        "marked": True,
        "rows": 1234,
        "left_out": 0,
    }


@pytest.mark.parametrize("form", list(Form))
def test_chosen_columns_leave_in_the_chosen_order(tmp_path: Path, form: Form) -> None:
    told = about(LIST, 1, columns=("days_accumulated", "name"))
    path = write(tmp_path, form, told, [a_row(LIST, name="A", days_accumulated=3, address="X", hidden=True)])
    if form in (Form.CSV, Form.XLSX):
        _, headings, rows = table(path) if form is Form.CSV else sheets(path)
        assert list(headings) == ["Kertyneet päivät", "Nimi", "Turvakielto"]
        assert [str(cell) for cell in rows[0]] in (["3", "A", "kyllä"], ["3.0", "A", "kyllä"])
    else:
        plain = document(path)[1][0]
        assert plain == {"id": "r1", "non_disclosure": True, "days_accumulated": 3, "name": "A"}


def test_the_headings_of_a_workbook_stay_in_sight(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path, Form.XLSX, about(LIST, 0), [])) as packed:
        assert b'<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in packed.read(
            "xl/worksheets/sheet1.xml"
        )
        assert b"2026-11-23T08:00:00Z" in packed.read("docProps/core.xml")
