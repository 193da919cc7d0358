"""`kelmu customer …` on what the local store holds; the way to the backend is tested end to end beside."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli.commands import SECTIONS
from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.clock import SystemClock
from tests.cli.conftest import Kelmu, Ran, opened
from tests.store.customer_lines import PENDING, answer, down, head, hidden, matters, payment, payments, pending, person

pytestmark = pytest.mark.xdist_group("demo-backend")

USER, LOCKED_OUT, CENTRE = "persona-county-receiver", "persona-county-colleague", "persona-reception-centre"
CODE = make_identity_code(person().born, "-", 917)
OTHER = make_identity_code(person().born, "-", 918)


def keep(user: str = USER) -> None:
    """Let a file of two sections, one hidden and one down be held since an hour."""
    now = SystemClock().now()
    who = person("abcdef01", identity_code=CODE.value, family_name="Esimerkki\x1b[2J")
    with opened(user) as context:
        answer(
            context.store,
            head(now - timedelta(hours=1), who=who),
            payments(payment("m1"), at=now - timedelta(hours=2)),
            matters(pending("a1"), at=now),
            hidden(Section.RECOVERY),
            down(Section.CLAIMS),
        )


def events(user: str = USER) -> list[dict[str, object]]:
    with opened(user) as context, context.store.read() as db:
        rows = db.execute("SELECT body FROM main.view_event WHERE body LIKE '%customer%' ORDER BY number").fetchall()
    return [json.loads(body) for (body,) in rows]


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture
def worker(demo: Kelmu) -> Iterator[Kelmu]:
    """A worker who may look customers up, with one file and nothing else."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    keep()
    yield demo
    demo("customer", "forget", "--all", "--user", USER)


def test_the_sections_of_the_grammar_are_those_of_the_domain() -> None:
    assert tuple(Section) == SECTIONS


def test_a_file_is_shown_offline_by_code_on_standard_input(worker: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(events())
    stdin(monkeypatch, f" {CODE.value.lower()} \n")
    ran = worker("customer", "show", "--offline", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == f"Esimerkki\ufffd[2J, Aino Örnvik  {CODE.masked}"
    assert "Payments" in lines
    assert "Payment claims: The source does not answer" in lines
    assert "Recovery: Not shown: the law gives this organisation no right to these data." in lines
    assert any(line.startswith("- Benefit: Basic social assistance; Payment day: ") for line in lines)
    assert CODE.value not in ran.out + ran.err
    (event,) = events()[before:]
    assert (event["view"], event["subject"], event["rows"]) == ("customer", "abcdef01", 2)
    assert (event["purpose"], event["case_reference"]) == ("supplementary_social_assistance", "123/26")


def test_a_section_as_json_by_id(worker: Kelmu) -> None:
    ran = worker("customer", "show", "abcdef", "--offline", "--json", "--section", "payments")
    assert ran.code == Exit.OK, ran.err
    data = ran.data
    assert list(data["sections"]) == ["payments"]
    (row,) = data["sections"]["payments"]["rows"]
    assert (row["net"], row["paid_on"], row["deductions"]) == (
        "500.00",
        "2026-11-02",
        [{"kind": "recovery", "amount": "20.00"}],
    )
    assert data["person"]["identity_code"] == CODE.masked
    assert data["person"]["household"][0]["customer"] == "p2"
    full = worker("customer", "show", "abcdef01", "--offline", "--json", "--full").data
    assert full["person"]["identity_code"] == CODE.value


def test_sections_are_saved_to_a_new_file(worker: Kelmu, tmp_path: Path) -> None:
    before, saved = len(events()), tmp_path / "maksut.csv"
    show = ("customer", "show", "abcdef01", "--offline", "--section", "payments", "--output")
    ran = worker(*show, str(saved), "--json")
    assert ran.code == Exit.OK, ran.err
    assert ran.data == {"customer": "abcdef01", "file": str(saved)}
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "500,00" in saved.read_text()
    assert [event["view"] for event in events()[before:]] == ["customer", "customer_export"]
    again = worker(*show, str(saved), "--json")
    assert (again.code, again.document["error"]["code"]) == (Exit.FAILED, "not_saved_exists")
    pages = tmp_path / "maksut.txt"
    assert str(pages) in worker(*show, str(pages)).out
    assert CODE.value not in pages.read_text()
    assert "\x1b" not in pages.read_text()


def test_what_changed_is_marked_once(worker: Kelmu) -> None:
    now = SystemClock().now()
    who = person("abcdef01", identity_code=CODE.value)
    with opened(USER) as context:
        answer(context.store, head(now, who=who), payments(payment("m1"), payment("m2"), at=now))
    show = ("customer", "show", "abcdef01", "--offline", "--section", "payments", "--lang", "en")
    first, second = (worker(*show).out.splitlines() for _ in range(2))
    assert [line[0] for line in first if line[:2] in ("* ", "- ")] == ["-", "*"]
    assert [line[0] for line in second if line[:2] in ("* ", "- ")] == ["-", "-"]


@pytest.mark.parametrize(
    ("text", "code", "exit_code"),
    [
        ("", "stdin_empty", Exit.USAGE),
        ("hello", "customer_code_invalid", Exit.USAGE),
        (f"{CODE.value[:-1]}!", "customer_code_invalid", Exit.USAGE),
        (OTHER.value, "not_held", Exit.NOT_FOUND),
    ],
)
def test_what_is_no_code_or_nobody_held(
    worker: Kelmu, monkeypatch: pytest.MonkeyPatch, text: str, code: str, exit_code: Exit
) -> None:
    stdin(monkeypatch, text)
    ran = worker("customer", "show", "--offline", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (exit_code, code)
    if text:
        assert text not in ran.out + ran.err


@pytest.mark.parametrize(
    "argv", [[CODE.value], [CODE.value.lower()], [CODE.value[:6], CODE.value[6:]], [f"x {CODE.value}"]]
)
def test_a_code_on_the_command_line_is_refused(demo: Kelmu, argv: list[str]) -> None:
    ran = demo("customer", "show", *argv, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.USAGE, "identity_code")
    pasted = demo("customer", "forget", CODE.value.replace("-", "\u2212"), "--json")
    assert pasted.document["error"]["code"] == "identity_code"
    assert CODE.value not in ran.out + ran.err


def test_unknown_ids_and_lines_that_lack_something(worker: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*argv: str) -> tuple[int, str]:
        ran: Ran = worker(*argv, "--json")
        return ran.code, ran.document["error"]["code"]

    assert failed("customer", "show", "ffff", "--offline") == (Exit.NOT_FOUND, "not_found")
    assert failed("customer", "show", "--section", "odd") == (Exit.USAGE, "usage")
    assert failed("customer", "forget") == (Exit.USAGE, "forget_whom")
    assert failed("customer", "forget", "abcdef01", "--all") == (Exit.USAGE, "forget_whom")
    assert failed("customer", "show", "abcdef01", "--purpose", "reception_allowance") == (Exit.USAGE, "purpose_unknown")
    assert failed("customer", "show", "abcdef01", "--case", "a;b") == (Exit.USAGE, "case_invalid")
    assert failed("customer", "show", "abcdef01") == (Exit.REFUSED, "reason_needed")
    stdin(monkeypatch, OTHER.value)
    ran = worker("customer", "show", "--lang", "en")
    assert ran.code == Exit.USAGE
    assert "supplementary_social_assistance  Supplementary or preventive social assistance" in ran.err


def test_recent_ones_are_listed_searched_and_forgotten(worker: Kelmu) -> None:
    before = len(events())
    (row,) = worker("customer", "recent", "--json").data["customers"]
    assert (row["customer"], row["masked_code"]) == ("abcdef01", CODE.masked)
    assert worker("customer", "recent", "--json", "--filter", "korpi").data["customers"] == []
    (line,) = worker("customer", "recent", "--filter", "orn").out.splitlines()
    assert line.split("\t")[0] == "abcdef01"
    assert [(e["view"], e["rows"]) for e in events()[before:]] == [
        ("customer_list", 1),
        ("customer_list:filtered", 0),
        ("customer_list:filtered", 1),
    ]
    assert worker("customer", "forget", "abcd", "--json").data == {"customers": ["abcdef01"]}
    assert worker("customer", "recent").out == ""
    assert "1" not in worker("customer", "forget", "--all", "--lang", "en").err


def test_who_may_look_nobody_up_is_told_why(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", LOCKED_OUT).code == Exit.OK
    ran = demo("customer", "recent", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, "no_mandate")


def test_a_reception_centre_needs_no_inbox(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", CENTRE).code == Exit.OK
    assert demo("inbox", "list", "--json").document["error"]["code"] == "organisation_type"
    keep(CENTRE)
    ran = demo("customer", "show", "abcdef01", "--offline", "--json")
    assert ran.code == Exit.NOT_FOUND, "what this mandate hides is destroyed, not shown"
    with opened(CENTRE) as context:
        bare: dict[str, Any] = {"deductions": None, "payee": None, "account": None}
        now = SystemClock().now()
        who = person("abcdef01", identity_code=CODE.value, telephone=None)
        answer(context.store, head(now, who=who), payments(payment("m1", **bare)), matters(pending("a1")))
    shown = demo("customer", "show", "abcdef01", "--offline", "--json").data["sections"]
    assert set(shown) == {"payments", PENDING.value}
    demo("customer", "forget", "--all")


def test_a_command_of_a_second_user_finds_nothing_of_the_first(worker: Kelmu) -> None:
    assert worker("sign-in", "--persona", "persona-helsinki-worker").code == Exit.OK
    assert worker("customer", "recent", "--json").data["customers"] == []
    assert worker("customer", "recent", "--json", "--user", USER).data["customers"] != []
