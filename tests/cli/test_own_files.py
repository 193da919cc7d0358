"""`kelmu invoices answers` against a demo: what its backend prints of a county's answers is what is read and kept."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import lists, published_until
from kelmu_tui.domain.organisations import social_care_organiser
from kelmu_tui.domain.own_files import ABROAD
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.paths import profile
from kelmu_tui.services.demo import Demo
from tests.cli.conftest import Kelmu
from tests.services.own_tables import csv_bytes, xlsx_bytes

pytestmark = pytest.mark.xdist_group("demo-backend")

USER = "persona-county-invoices"
HEADINGS = ("ref", "cost", "fee")


@pytest.fixture
def county(demo: Kelmu) -> Iterator[Kelmu]:
    """A county's expert for invoices, of whom nothing is kept before and after."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    assert demo("invoices", "answers", "--forget").code == Exit.OK
    yield demo
    demo("invoices", "answers", "--forget")


@pytest.fixture
def printed(county: Kelmu) -> str:
    """What the backend's own command prints of the answers for the newest period that has come."""
    organisation = social_care_organiser("837").business_id
    period = next(islice(published_until(lists()[ABROAD], local_date(SystemClock().now())), 1))
    assert county("lists", "fetch", ABROAD).code == Exit.OK  # lists of a demo are made when they are asked for
    ran = subprocess.run(
        [sys.executable, "-m", "kelmu_backend", "lists", "answers", organisation, period.key, "--data", data_folder()],
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


def data_folder() -> str:
    return str(Demo(profile("demo")).data)


def rows_of(printed: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(printed), delimiter=";"))


def finnish(rows: list[list[str]]) -> list[list[str]]:
    head = ["Tietopyynnön tunnus", "Vastaavan hoidon kustannus", "Asiakasmaksu"]
    return [head, *([ref, cost.replace(".", ","), fee.replace(".", ",")] for ref, cost, fee in rows[1:])]


def test_what_the_backend_prints_is_read_and_kept(county: Kelmu, printed: str, tmp_path: Path) -> None:
    rows = rows_of(printed)
    assert len(rows) > 5
    plain, latin, book = tmp_path / "answers.txt", tmp_path / "vastaukset.csv", tmp_path / "kirja.xlsx"
    plain.write_text(printed, encoding="utf-8")
    latin.write_bytes(csv_bytes(finnish(rows), ";", "latin-1", end="\r\n"))
    numbers: list[list[Any]] = [[*rows[0]], *([ref, float(cost), float(fee)] for ref, cost, fee in rows[1:])]
    book.write_bytes(xlsx_bytes(numbers))

    count = len(rows) - 1
    seen = county("invoices", "answers", str(plain), "--dry-run", "--json").data
    assert (seen["good"], seen["new"], seen["taken"]) == (count, count, False)
    assert county("invoices", "answers", "--json").data == {"kept": None}

    ran = county("invoices", "answers", str(plain), "--json", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    assert ran.data["columns"] == {"ref": 1, "cost": 2, "fee": 3}
    assert (ran.data["new"], ran.data["wrong"], ran.data["taken"]) == (count, 0, True)
    for same in (latin, book):
        again = county("invoices", "answers", str(same), "--json").data
        assert (again["new"], again["changed"], again["same"]) == (0, 0, count)
    assert county("invoices", "answers", "--json").data["kept"]["answers"] == count
    shown = county("invoices", "answers", "--lang", "en")
    assert shown.out.startswith(f"{count} answers (oldest ")

    billed = county("lists", "show", ABROAD, "--json", "--limit", "1000").data["shown"]
    known = {ref: (Decimal(cost), Decimal(fee)) for ref, cost, fee in rows[1:]}
    asked = [row for row in billed if row["request_ref"] is not None]
    assert {row["request_ref"] for row in asked} & known.keys()

    ran = county("invoices", "answers", "--forget", "--lang", "en")
    assert (ran.code, ran.err.strip()) == (Exit.OK, f"{count} answers were forgotten.")
    assert county("invoices", "answers", "--json").data == {"kept": None}


def test_rows_with_mistakes_are_left_out_only_when_that_is_wanted(county: Kelmu, tmp_path: Path) -> None:
    path = tmp_path / "own"
    path.write_bytes(csv_bytes([HEADINGS, ("TP-1", "5,00", "1"), ("TP-2", "5,00", "-1"), ("", "x", "1")]))
    ran = county("invoices", "answers", str(path), "--json", "--lang", "en")
    assert ran.code == Exit.REFUSED
    assert ran.data["problems"] == [
        {"row": 3, "column": 3, "field": "fee", "wrong": "negative", "other": None},
        {"row": 4, "column": 1, "field": "ref", "wrong": "missing", "other": None},
    ]
    assert (ran.data["good"], ran.data["wrong"], ran.data["taken"]) == (1, 2, False)
    assert "Row 3, column C: the sum is negative" in ran.err
    assert "--take-good" in ran.err
    assert county("invoices", "answers", "--json").data == {"kept": None}
    ran = county("invoices", "answers", str(path), "--take-good", "--lang", "en")
    assert ran.code == Exit.OK
    assert "1 answer was kept: 1 new, 0 changed, 0 the same." in ran.err


def test_columns_that_were_chosen_are_used_again(county: Kelmu, tmp_path: Path) -> None:
    path, other = tmp_path / "own", tmp_path / "other"
    headings = ("Numero", "Summa", "Peritty")
    path.write_bytes(csv_bytes([headings, ("TP-1", "5,00", "1")]))
    ran = county("invoices", "answers", str(path), "--json", "--lang", "en")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.REFUSED, "own_file_no_columns")
    chosen = ("--column", "ref=numero", "--column", "cost=2", "--column", "fee=Peritty")
    assert county("invoices", "answers", str(path), *chosen, "--dry-run").code == Exit.OK
    assert county("invoices", "answers", str(path), "--json").code == Exit.REFUSED  # nothing was kept, nor remembered
    assert county("invoices", "answers", str(path), *chosen).code == Exit.OK
    other.write_bytes(xlsx_bytes([("x",)], [headings, ("TP-2", 6, 1.5)]))
    ran = county("invoices", "answers", str(other), "--json", "--lang", "en")
    assert (ran.code, ran.data["remembered"], ran.data["sheet"], ran.data["new"]) == (Exit.OK, True, 2, 1)
    assert "chosen last time" in ran.err


def test_a_sheet_is_chosen_by_its_number(county: Kelmu, tmp_path: Path) -> None:
    path = tmp_path / "own"
    path.write_bytes(xlsx_bytes([HEADINGS, ("TP-1", 5, 1)], [HEADINGS, ("TP-2", 5, 1), ("TP-3", 5, 1)]))
    assert county("invoices", "answers", str(path), "--dry-run", "--json").data["good"] == 1
    assert county("invoices", "answers", str(path), "--dry-run", "--sheet", "2", "--json").data["good"] == 2
    ran = county("invoices", "answers", str(path), "--sheet", "3", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "sheet_unknown")
    assert "Taulukko 2" in ran.document["error"]["message"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"%PDF-1.4 x", "pdf"), (b"PK\x03\x04xx", "broken"), (b"ref;cost;fee\n", "no_rows")],
)
def test_a_file_that_is_none_is_told(county: Kelmu, tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "own").write_bytes(data)
    ran = county("invoices", "answers", str(tmp_path / "own"), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.REFUSED, f"own_file_{code}")


def test_wrong_lines_are_told(county: Kelmu, tmp_path: Path) -> None:
    ran = county("invoices", "answers", str(tmp_path / "none"), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_FOUND, "own_file_missing")
    for words in (("--column", "price=1"), ("--column", "ref"), ("--column", "ref=")):
        ran = county("invoices", "answers", str(tmp_path / "none"), *words, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "column_unknown")
    ran = county("invoices", "answers", str(tmp_path / "none"), "--forget", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "forget_alone")


def test_answers_are_for_who_may_fetch_the_list(demo: Kelmu, tmp_path: Path) -> None:
    assert demo("sign-in", "--persona", "persona-county-worker").code == Exit.OK
    (tmp_path / "own").write_bytes(csv_bytes([HEADINGS, ("TP-1", "5", "1")]))
    ran = demo("invoices", "answers", str(tmp_path / "own"), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, "mandate_missing")


def test_a_review_holds_an_invoice_against_what_the_county_answered(
    county: Kelmu, printed: str, tmp_path: Path
) -> None:
    rows, path = rows_of(printed), tmp_path / "answers.csv"
    path.write_text(printed, encoding="utf-8")
    assert county("invoices", "answers", str(path)).code == Exit.OK
    before = county("invoices", "review", "treatment_abroad", "--fetch", "--json").data
    assert "answers" not in before["without"]
    billed = county("lists", "show", ABROAD, before["period"], "--json", "--limit", "1000").data["shown"]
    asked = {row["request_ref"] for row in billed}
    other = next(row for row in rows[1:] if row[0] in asked)
    path.write_bytes(csv_bytes([HEADINGS, (other[0], str(Decimal(other[1]) + 1), other[2])]))
    assert county("invoices", "answers", str(path)).code == Exit.OK
    after = county("invoices", "review", "treatment_abroad", "--json").data
    found = {one["key"]: one for one in after["findings"]}
    new = [found[key] for key in found.keys() - {one["key"] for one in before["findings"]}]
    assert [one["expected"] for one in new if one["column"] == "comparable_cost_eur"] == [str(Decimal(other[1]) + 1)]


def test_people_who_are_none_of_the_residents_are_found_and_nobody_is_kept(demo: Kelmu, tmp_path: Path) -> None:
    assert demo("sign-in", "--persona", "persona-invoice-checker").code == Exit.OK
    assert demo("invoices", "review", "lms_2025", "--fetch").code == Exit.OK
    shown = demo("lists", "show", "lms_invoice_persons_2025", "--json", "--full", "--limit", "1000").data["shown"]
    codes = sorted({row["identity_code"] for row in shown if row["identity_code"]})
    stranger, path = codes[0], tmp_path / "vaesto.csv"
    path.write_bytes(csv_bytes([("Hetu",), *((code,) for code in codes[1:])]))
    ran = demo("invoices", "review", "lms_2025", "--residents", str(path), "--json", "--full", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    assert "residents" not in ran.data["without"]
    unknown = [one for one in ran.data["findings"] if one["rule"] == "person_unknown"]
    assert stranger in {row["values"]["identity_code"] for one in unknown for row in one["rows"]}
    again = demo("invoices", "review", "lms_2025", "--json").data
    assert "residents" in again["without"]
    assert len(again["findings"]) < len(ran.data["findings"])


@pytest.mark.parametrize(
    ("content", "code"), [(None, "own_file_missing"), (b"Hetu\nx\n", "own_file_no_rows"), (b"", "own_file_empty")]
)
def test_a_file_without_residents_is_refused(demo: Kelmu, tmp_path: Path, content: bytes | None, code: str) -> None:
    assert demo("sign-in", "--persona", "persona-invoice-checker").code == Exit.OK
    assert demo("invoices", "review", "lms_2025", "--fetch").code == Exit.OK
    path = tmp_path / "vaesto.csv"
    if content is not None:
        path.write_bytes(content)
    ran = demo("invoices", "review", "lms_2025", "--residents", str(path), "--json")
    assert ran.document["error"]["code"] == code
