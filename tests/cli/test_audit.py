"""`kelmu audit …` against the demo's backend: what supervisors get, how it is written, and who is refused."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import delete, insert, select

from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person as person_table
from kelmu_backend.database.customer_tables import person_code
from kelmu_backend.database.engine import Database
from kelmu_backend.serve import database_url
from kelmu_tui.api.contract import AuditPurpose, LookUpFlag
from kelmu_tui.cli.commands import AUDIT_PURPOSES, FLAGS
from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.identifiers import mask
from tests.backend.customers.support import person_row
from tests.cli.conftest import Kelmu

pytestmark = pytest.mark.xdist_group("demo-backend")

USER, OTHER = "persona-supervisor", "persona-county-receiver"
REASON = '=cmd|"[b]x[/]" puhelu'
WHY = ("--purpose", "monitoring")
REQUEST = ("--purpose", "customer_request", "--case", "P-7")


class Chief(NamedTuple):
    """A supervisor who has looked somebody up: the way to the commands, and that somebody's identity code."""

    run: Kelmu
    code: str


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def settle(home: Path, code: str) -> None:
    """Let somebody have the code, if nobody has it yet."""
    database = Database(database_url(home / "data" / "demo" / "backend" / "data"))
    try:
        with database.write() as connection:
            if connection.execute(select(person_code).where(person_code.c.code == code)).first() is None:
                connection.execute(insert(person_table), person_row("abcdef77", code))
                connection.execute(insert(person_code), {"code": code, "person": "abcdef77", "valid_to": None})
    finally:
        database.dispose()


@pytest.fixture
def chief(demo: Kelmu, demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chief]:
    """A supervisor at work, with a look-up of the own in the log."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    assert demo("sync").code == Exit.OK
    notice = demo("inbox", "list", "--view", "all", "--json").data["notices"][0]["id"]
    code = demo("inbox", "show", notice, "--full", "--json").data["customer"]["identity_code"]
    settle(demo_home, code)
    stdin(monkeypatch, code)
    ran = demo("customer", "show", "--purpose", "social_work", "--case", "S-1", "--reason", REASON)
    assert ran.code == Exit.OK, ran.err
    yield Chief(demo, code)
    demo("customer", "forget", "--all", "--user", USER)


def newest(chief: Chief) -> dict[str, Any]:
    row: dict[str, Any] = chief.run("audit", "search", *WHY, "--json").data["look_ups"][0]
    return row


def test_the_choices_of_the_grammar_are_those_of_the_contract() -> None:
    assert tuple(AuditPurpose) == AUDIT_PURPOSES
    assert tuple(LookUpFlag) == FLAGS


def test_the_look_ups_of_the_organisation_are_listed_with_who_looked_and_why(chief: Chief) -> None:
    ran = chief.run("audit", "search", *WHY, "--by", USER, "--limit", "1", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    (cells,) = (line.split("\t") for line in ran.out.splitlines())
    assert cells[1:7] == [
        f"Riitta Korpela ({USER})",
        mask(chief.code),
        "Social work and assessment of service needs",
        "S-1",
        REASON,
        "done",
    ]
    data = chief.run("audit", "search", *WHY, "--json").data
    assert data["kind"] == "search"
    assert data["purpose"] == "monitoring"
    assert data["look_ups"][0]["case_reference"] == "S-1"


def test_a_search_is_narrowed_by_customer_day_and_flag(chief: Chief) -> None:
    row = newest(chief)
    by = chief.run("audit", "search", *WHY, "--customer", row["customer"], "--json").data["look_ups"]
    assert {one["customer"] for one in by} == {row["customer"]}
    assert chief.run("audit", "search", *WHY, "--until", "1.1.2020", "--json").data["look_ups"] == []
    flagged = chief.run("audit", "search", *WHY, "--flag", "paused", "--flag", "sequence", "--json").data
    assert flagged["flags"] == ["sequence", "paused"]
    assert all({"sequence", "paused"} & set(one["flags"]) for one in flagged["look_ups"])


def test_a_sample_names_its_seed_and_is_drawn_again_by_it(chief: Chief) -> None:
    ran = chief.run("audit", "sample", *REQUEST, "--size", "5", "--json", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    first = ran.data
    assert (first["kind"], first["case_reference"], first["size"]) == ("sample", "P-7", 5)
    assert f"Seed: {first['seed']}" in ran.err
    assert 1 <= len(first["look_ups"]) <= min(5, first["drawn_from"])
    again = chief.run(
        "audit",
        "sample",
        *REQUEST,
        "--size",
        "5",
        "--seed",
        str(first["seed"]),
        "--since",
        first["since"],
        "--until",
        first["until"],
        "--json",
    ).data
    assert again["look_ups"] == first["look_ups"]


def test_an_extract_takes_the_code_from_standard_input_and_never_tells_it(
    chief: Chief, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, f" {chief.code.lower()}\n")
    ran = chief.run("audit", "extract", *REQUEST, "--json")
    assert ran.code == Exit.OK, ran.err
    assert chief.code not in ran.out + ran.err
    assert ran.data["masked_code"] == mask(chief.code)
    assert ran.data["look_ups"][-1]["reason"] == REASON
    by_id = chief.run("audit", "extract", ran.data["customer"], *REQUEST, "--json").data
    assert [row["id"] for row in by_id["look_ups"]] == [row["id"] for row in ran.data["look_ups"]]


def test_a_code_on_the_line_is_refused(chief: Chief) -> None:
    ran = chief.run("audit", "extract", chief.code, *REQUEST, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "identity_code")
    assert chief.code not in ran.out + ran.err


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_report_is_written_to_a_file_of_ones_own(
    chief: Chief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    path = tmp_path / "ote.txt"
    stdin(monkeypatch, chief.code)
    ran = chief.run("audit", "extract", *REQUEST, "--output", str(path), "--lang", language)
    assert ran.code == Exit.OK, ran.err
    assert ran.out == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert max(len(line) for line in text.splitlines()) <= 76
    for word in ("Riitta Korpela", mask(chief.code), "S-1", "P-7", "puhelu"):
        assert word in text
    assert chief.code not in text


def test_a_file_that_is_there_is_left_as_it_is_and_nothing_is_asked(
    chief: Chief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ote.txt"
    path.write_text("tärkeä", encoding="utf-8")
    stdin(monkeypatch, "")
    ran = chief.run("audit", "extract", *REQUEST, "--output", str(path), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "file_exists")
    assert path.read_text(encoding="utf-8") == "tärkeä"
    link = tmp_path / "linkki.txt"
    link.symlink_to(tmp_path / "muualla.txt")
    ran = chief.run("audit", "search", *WHY, "--output", str(link), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "file_exists")
    assert not (tmp_path / "muualla.txt").exists()


def test_a_folder_that_is_not_there_is_told(chief: Chief, tmp_path: Path) -> None:
    ran = chief.run("audit", "search", *WHY, "--output", str(tmp_path / "a" / "b.txt"), "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.FAILED, "not_written")


def test_json_and_csv_go_to_files_too_and_no_cell_is_a_formula(chief: Chief, tmp_path: Path) -> None:
    path, other = tmp_path / "a.json", tmp_path / "a.csv"
    assert chief.run("audit", "search", *WHY, "--json", "--output", str(path)).code == Exit.OK
    assert json.loads(path.read_text())["kind"] == "audit.search"
    assert chief.run("audit", "search", *WHY, "--csv", "--output", str(other)).code == Exit.OK
    rows = list(csv.DictReader(io.StringIO(other.read_text(encoding="utf-8"))))
    assert rows[0]["reason"] == f"'{REASON}"
    assert rows[0]["user"] == USER
    shown = chief.run("audit", "search", *WHY, "--csv")
    assert shown.out.startswith("id,at,organisation,user")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("search",), "usage"),
        (("search", "--purpose", "curiosity"), "usage"),
        (("search", *WHY, "--by", "a b"), "user_invalid"),
        (("search", *WHY, "--customer", "x;y"), "customer_invalid"),
        (("search", *WHY, "--since", "31.2.2026"), "since_invalid"),
        (("search", *WHY, "--since", "2.1.2026", "--until", "1.1.2026"), "until_invalid"),
        (("sample", *WHY, "--size", "201"), "size_invalid"),
        (("sample", *WHY, "--size", "0"), "size_invalid"),
        (("sample", *WHY, "--seed", "-1"), "seed_invalid"),
        (("sample", *WHY, "--seed", "9007199254740992"), "seed_invalid"),
        (("sample", *WHY, "--case", "a;b"), "case_invalid"),
        (("extract", "a b", *WHY), "customer_invalid"),
    ],
)
def test_what_cannot_be_asked_is_told(chief: Chief, argv: tuple[str, ...], code: str) -> None:
    ran = chief.run("audit", *argv, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, code)


def test_a_code_that_is_none_is_told_without_being_shown(chief: Chief, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, "010190-9009")
    ran = chief.run("audit", "extract", *WHY, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "customer_code_invalid")
    assert "010190" not in ran.out + ran.err


def test_who_supervises_nobody_is_told_so_before_a_code_is_asked(demo: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo("sign-in", "--persona", OTHER).code == Exit.OK
    stdin(monkeypatch, "")
    for argv in (("search", *WHY), ("sample", *WHY), ("extract", *WHY)):
        ran = demo("audit", *argv, "--json", "--lang", "en")
        assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, "not_supervisor")
        assert "supervisor" in ran.err


def test_who_is_no_supervisor_any_more_is_told_so(chief: Chief, demo_home: Path) -> None:
    database = Database(database_url(demo_home / "data" / "demo" / "backend" / "data"))
    try:
        with database.write() as connection:
            rows = [row._asdict() for row in connection.execute(select(tables.supervisor))]
            connection.execute(delete(tables.supervisor))
        try:
            ran = chief.run("audit", "search", *WHY, "--json")
            assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, "not_supervisor")
        finally:
            with database.write() as connection:
                connection.execute(insert(tables.supervisor), rows)
    finally:
        database.dispose()
    assert chief.run("audit", "search", *WHY, "--json").code == Exit.OK
