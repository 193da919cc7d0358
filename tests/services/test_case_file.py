"""A customer's file as it leaves the program: text, pages, tables and JSON say the same."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.api import contract
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.saving import NotSaved
from kelmu_tui.services.case_file import LINES, WIDTH, Form, form_of, made, pages, table, text
from kelmu_tui.store.customer_rows import File
from kelmu_tui.store.database import Store
from tests.services.customers import at_work
from tests.services.signed_in import NOW
from tests.store.customer_lines import PAYMENTS, PENDING, answer, file, head, hidden, matters, payment, payments, person
from tests.store.customer_lines import pending as matter

CODE = make_identity_code(person().born, "-", 900)
ALL = (PENDING, PAYMENTS, Section.RECOVERY)


@pytest.fixture
def replica(profile: Profile, store: Store) -> Store:
    """The store of somebody who may look customers up."""
    at_work(profile, store)
    return store


@pytest.fixture
def held(replica: Store) -> File:
    """Two payments, a matter, and a section hidden by law."""
    answer(
        replica,
        head(NOW, who=person(identity_code=CODE.value, address="=HYPERLINK(1)")),
        payments(payment("m1", "578.43"), payment("m2", "12.00")),
        matters(matter("a1", office="=1+2", missing=["vuokrasopimus", "tiliote"])),
        hidden(Section.RECOVERY),
    )
    return file(replica)


@pytest.mark.parametrize(("name", "form"), [("a.txt", Form.PAGES), ("a.CSV", Form.TABLE), ("a.b.json", Form.DATA)])
def test_the_ending_decides_the_form(name: str, form: Form) -> None:
    assert form_of(Path(name)) is form


@pytest.mark.parametrize("name", ["a", "a.pdf", "txt", "a.txt.gz"])
def test_another_ending_is_refused(name: str) -> None:
    with pytest.raises(NotSaved, match="ending"):
        form_of(Path(name))


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_whole_file_says_whose_it_is_from_where_and_why(held: File, language: str) -> None:
    t = Translator(language)
    said = text(held, ALL, t)
    lines = said.splitlines()
    assert lines[0] == f"Virtanen, Aino Örnvik ({CODE.masked})"
    assert "123/26" in lines[1]
    for section in ALL:
        assert t.choice("customers.section", section).upper() in lines
    assert t.choice("customers.hidden", "law") in said
    assert said.count("\n- ") == 3
    assert t.formats.euros(Decimal("578.43")) in said
    assert CODE.value not in said


@given(st.lists(st.text("abcä -", max_size=300), max_size=150))
def test_pages_fit_and_lose_nothing(lines: list[str]) -> None:
    t = Translator("en")
    made_pages = pages("\n".join(lines), t).split("\f")
    for number, page in enumerate(made_pages, 1):
        printed = page.splitlines()
        assert len(printed) <= LINES
        assert all(len(line) <= WIDTH for line in printed)
        assert printed[-1].strip() == f"Page {number}/{len(made_pages)}"
    words = " ".join(line for page in made_pages for line in page.splitlines()[:-2]).split()
    assert "".join(words) == "".join("".join(lines).split())


def rows(text_: str, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_, newline=""), delimiter=delimiter))


def test_a_table_has_sums_and_days_that_a_spreadsheet_reads(held: File) -> None:
    finnish, english = (
        rows(table(held, (PAYMENTS,), Translator("fi")), ";"),
        rows(table(held, (PAYMENTS,), Translator("en")), ","),
    )
    assert [row["net"] for row in finnish] == ["578,43", "12,00"]
    assert [row["net"] for row in english] == ["578.43", "12.00"]
    assert {row["paid_on"] for row in finnish} == {"2026-11-02"}
    assert {(row["purpose"], row["case_reference"]) for row in finnish} == {
        ("supplementary_social_assistance", "123/26")
    }
    assert all(row["fetched_at"] == held.fetched_at.isoformat() for row in finnish)


def test_no_cell_is_a_formula(held: File) -> None:
    (row,) = rows(table(held, (PENDING,), Translator("fi")), ";")
    assert row["office"] == "'=1+2"
    assert row["missing"] == "vuokrasopimus; tiliote;"
    assert row["section"] == "pending"


def test_sections_share_one_table(held: File) -> None:
    found = rows(table(held, ALL, Translator("fi")), ";")
    assert [row["section"] for row in found] == ["pending", "payments", "payments"]
    assert rows(table(held, (Section.RECOVERY,), Translator("fi")), ";") == []


def test_hidden_values_leave_in_no_form(replica: Store) -> None:
    hidden_fields = {"gross": None, "tax": None, "deductions": None}
    answer(replica, head(NOW, who=person(identity_code=CODE.value)), payments(payment("m1", "578.43", **hidden_fields)))
    t = Translator("en")
    for form in Form:
        said = made(file(replica), (PAYMENTS,), t, form)
        assert "578.43" in said
        assert t.formats.euros(Decimal("598.43")) not in said
        assert "598.43" not in said


def test_deductions_are_told_one_by_one(replica: Store) -> None:
    taken = [contract.Deduction(kind=kind, amount=Decimal(sum_)) for kind, sum_ in (("recovery", 10), ("claim", 5))]
    answer(replica, head(NOW), payments(payment("m1", "578.43", deductions=taken)))
    found = file(replica)
    (row,) = rows(table(found, (PAYMENTS,), Translator("en")), ",")
    assert row["deductions"] == "recovery 10; claim 5;"


def test_json_is_complete_with_the_code_masked(held: File) -> None:
    data: dict[str, Any] = json.loads(made(held, ALL, Translator("en"), Form.DATA))
    assert data["person"]["identity_code"] == CODE.masked
    assert [row["net"] for row in data["sections"]["payments"]["rows"]] == ["578.43", "12.00"]
    assert data["sections"]["recovery"]["hidden"] == "law"
    assert data["fetched_at"] == NOW.isoformat()


def test_long_lines_hang_below_their_beginning() -> None:
    printed = pages("- " + "sana " * 40, Translator("fi")).splitlines()
    assert printed[0].startswith("- sana")
    assert printed[1].startswith("  sana")
