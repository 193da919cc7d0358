"""`kelmu invoices …` against a demo that bills: the calendar, reviews, what is said of findings, and disputes."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.lists import invoices as kinds
from tests.cli.conftest import Kelmu

pytestmark = pytest.mark.xdist_group("demo-backend")

USER = "persona-invoice-checker"
COUNTY = "persona-county-invoices"
KIND = "lms_2025"
WORDS = {
    "fi": ("tulossa", "havainto", "Aiempien laskujen rivejä", "Lähde:"),
    "sv": ("kommer", "iakttagelse", "Raderna i tidigare fakturor", "Källa:"),
    "en": ("to come", "finding", "The rows of earlier invoices", "Source:"),
}


@pytest.fixture
def checker(demo: Kelmu) -> Iterator[Kelmu]:
    """Somebody who checks the invoices of a municipality; what they say of findings is taken back."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    yield demo
    for period in [one["period"] for one in billed(demo) if one["fetched_at"] is not None]:
        keys = [one["key"] for one in demo("invoices", "review", KIND, period, "--json").data["findings"]]
        if keys:
            assert demo("invoices", "judge", KIND, period, *keys, "--clear").code == Exit.OK


def with_findings(checker: Kelmu) -> dict[str, Any]:
    """Return the review of an invoice with findings, whose rows are then here."""
    for period in [one["period"] for one in billed(checker)]:
        found: dict[str, Any] = checker("invoices", "review", KIND, period, "--fetch", "--json").data
        if found["findings"]:
            return found
    raise AssertionError("this seed has planted nothing")


def billed(checker: Kelmu, kind: str = KIND) -> list[dict[str, Any]]:
    """Return what came of a kind, the newest first."""
    told = checker("invoices", "list", "--json").data["invoices"]
    return [one for one in told if one["kind"] == kind and not one["expected"]]


def test_what_came_and_what_comes_is_told(checker: Kelmu) -> None:
    told = checker("invoices", "list", "--json")
    assert told.code == Exit.OK, told.err
    assert [one["kind"] for one in told.data["kinds"]] == list(kinds())
    closed = {one["kind"]: one["reason"] for one in told.data["kinds"] if not one["open"]}
    assert closed == {"treatment_abroad": "organisation_type"}
    found = told.data["invoices"]
    assert [one["sent_on"] for one in found] == sorted((one["sent_on"] for one in found), reverse=True)
    coming = [one for one in found if one["expected"]]
    assert {one["kind"] for one in coming} == set(kinds()) - {"treatment_abroad", "lms_pre_2025"}
    assert all(one["total"] is None and one["invoices"] == [] for one in coming)
    for one in found:
        if not one["expected"]:
            assert Decimal(one["total"]) == sum(Decimal(head["total"]) for head in one["invoices"])
            assert one["sent_on"] <= one["due_on"]
    assert checker("invoices", "list", "--offline", "--json").data == told.data


@pytest.mark.parametrize("language", WORDS)
def test_people_read_the_calendar_in_their_language(checker: Kelmu, language: str) -> None:
    ran = checker("invoices", "list", "--lang", language)
    assert ran.code == Exit.OK
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert lines[0][-1] == WORDS[language][0]
    assert lines[-1][0] == "treatment_abroad"
    assert {len(line) for line in lines} == {7}
    assert kinds()[KIND].name.get(language) in ran.out


def test_rows_are_fetched_first_where_that_is_asked_for(checker: Kelmu) -> None:
    period = billed(checker, "childcare")[-1]["period"]
    refused = checker("invoices", "review", "childcare", period, "--lang", "en", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (Exit.NOT_FOUND, "list_not_here")
    assert f"kelmu invoices review childcare {period} --fetch" in refused.err
    ran = checker("invoices", "review", "childcare", period, "--fetch", "--json", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    assert (ran.data["period"], ran.data["kind"]) == (period, "childcare")
    assert f"The rows of the invoice of {period} were fetched." in ran.err
    again = checker("invoices", "review", "childcare", period, "--fetch", "--json", "--lang", "en")
    assert again.data["fetched_at"] == ran.data["fetched_at"]
    assert "were fetched" not in again.err


def test_a_review_tells_rules_sources_and_rows(checker: Kelmu) -> None:
    found = with_findings(checker)
    assert len({one["key"] for one in found["findings"]}) == len(found["findings"])
    for one in found["findings"]:
        assert one["text"]
        assert one["source"]["addresses"] or one["source"]["assumed"]
        assert one["judgement"] is None
        for row in one["rows"]:
            assert row["id"] == row["values"]["id"]
            code = row["values"]["identity_code"]
            assert code is None or code.startswith("******")
    assert found["disputed"] == {"findings": 0, "rows": 0, "billed": "0.00"}
    assert "residents" in found["without"]
    full = checker("invoices", "review", KIND, found["period"], "--full", "--json").data
    codes = [row["values"]["identity_code"] for one in full["findings"] for row in one["rows"]]
    assert all(code is None or code[:6].isdecimal() for code in codes)


@pytest.mark.parametrize("language", WORDS)
def test_people_read_a_review_in_their_language(checker: Kelmu, language: str) -> None:
    found = with_findings(checker)
    ran = checker("invoices", "review", "lms", found["period"], "--lang", language)
    assert ran.code == Exit.OK
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert {len(line) for line in lines} == {7}
    assert {line[0] for line in lines} == {one["key"] for one in found["findings"]}
    assert len(lines) == sum(max(1, len(one["rows"])) for one in found["findings"])
    _, count, earlier, source = WORDS[language]
    assert count in ran.err
    assert source in ran.err
    assert (earlier in ran.err) is ("earlier" in found["without"])


def test_findings_are_judged_and_disputed(checker: Kelmu, tmp_path: Path) -> None:
    found = with_findings(checker)
    period, first = found["period"], found["findings"][0]
    nothing = checker("invoices", "dispute", KIND, period, "--output", str(tmp_path / "x.txt"), "--json")
    assert (nothing.code, nothing.document["error"]["code"]) == (Exit.NOT_FOUND, "nothing_disputed")
    assert not (tmp_path / "x.txt").exists()

    judge = ("invoices", "judge", KIND, period)
    ran = checker(*judge, first["key"][:8], "--dispute", "--text", "Päivät puuttuvat", "--json")
    assert ran.data == {"kind": KIND, "period": period, "verdict": "disputed", "findings": [first["key"]]}
    said = checker("invoices", "review", KIND, period, "--json").data
    judgement = next(one["judgement"] for one in said["findings"] if one["key"] == first["key"])
    assert (judgement["verdict"], judgement["text"], judgement["by"]) == (
        "disputed",
        "Päivät puuttuvat",
        "Kari Uusitalo",
    )
    assert said["disputed"]["findings"] == 1
    assert said["disputed"]["rows"] == len(first["rows"])
    shown = checker("invoices", "review", KIND, period, "--lang", "fi")
    assert "riitautettu: Päivät puuttuvat" in shown.out

    path = tmp_path / "riitautus.txt"
    ran = checker("invoices", "dispute", KIND, period, "--output", str(path), "--json")
    assert ran.data["file"] == str(path)
    assert (ran.data["findings"], ran.data["billed"]) == (1, said["disputed"]["billed"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = " ".join(path.read_text(encoding="utf-8").split())
    assert "Päivät puuttuvat" in text
    assert found["invoices"][0]["number"] in text
    for row in first["rows"]:
        assert row["id"] in text
        assert row["values"]["name"] in text
        assert "******" not in text
    again = checker("invoices", "dispute", KIND, period, "--output", str(path), "--json")
    assert (again.code, again.document["error"]["code"]) == (Exit.FAILED, "not_saved_exists")

    for option, verdict in (("--accept", "accepted"), ("--note", "noted"), ("--clear", None)):
        assert checker(*judge, first["key"], option, "--json").data["verdict"] == verdict
    cleared = checker("invoices", "review", KIND, period, "--json").data
    assert cleared["findings"][0]["judgement"] is None


@pytest.mark.parametrize(
    ("language", "accepted", "cleared"),
    [
        ("fi", "1 havainto: hyväksytty", "Sanottu peruttu 1 havainnosta."),
        ("sv", "1 iakttagelse: godkänd", "Det sagda togs tillbaka för 1 iakttagelse."),
        ("en", "1 finding: accepted", "What was said of 1 finding was taken back."),
    ],
)
def test_people_hear_what_was_kept(checker: Kelmu, language: str, accepted: str, cleared: str) -> None:
    found = with_findings(checker)
    judge = ("invoices", "judge", KIND, found["period"], found["findings"][0]["key"], "--lang", language)
    assert checker(*judge, "--accept").err.splitlines()[-1] == accepted
    assert checker(*judge, "--clear").err.splitlines()[-1] == cleared


def test_a_reason_is_read_from_standard_input(checker: Kelmu, monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_findings(checker)
    key = found["findings"][0]["key"]
    monkeypatch.setattr(sys, "stdin", StringIO("Rivit 1\nja 2\n"))
    assert checker("invoices", "judge", KIND, found["period"], key, "--note", "--text", "-").code == Exit.OK
    said = checker("invoices", "review", KIND, found["period"], "--json").data["findings"][0]["judgement"]
    assert (said["verdict"], said["text"]) == ("noted", "Rivit 1\nja 2")


@pytest.mark.parametrize(
    ("options", "code", "exit_"),
    [
        (("ffff", "--accept"), "finding_unknown", Exit.NOT_FOUND),
        (("KEY", "--dispute"), "needs_reason", Exit.USAGE),
        (("KEY", "--dispute", "--text", " "), "needs_reason", Exit.USAGE),
        (("KEY", "--note", "--text", "x" * 2001), "text_long", Exit.USAGE),
        (("KEY",), "verdict", Exit.USAGE),
        (("KEY", "--accept", "--note"), "verdict", Exit.USAGE),
        (("K", "--accept"), "finding_unknown", Exit.NOT_FOUND),
    ],
)
def test_what_cannot_be_said_of_a_finding(checker: Kelmu, options: tuple[str, ...], code: str, exit_: Exit) -> None:
    found = with_findings(checker)
    key = found["findings"][0]["key"]
    words = [word.replace("KEY", key) if word != "K" else key[:3] for word in options]
    ran = checker("invoices", "judge", KIND, found["period"], *words, "--json")
    assert (ran.document["error"]["code"], ran.code) == (code, exit_)
    assert checker("invoices", "review", KIND, found["period"], "--json").data["findings"][0]["judgement"] is None


@pytest.mark.parametrize(
    ("line", "code", "exit_"),
    [
        (("review", "nothing"), "invoice_unknown", Exit.USAGE),
        (("review", "lms", "2026-13"), "period_invalid", Exit.USAGE),
        (("review", "treatment_abroad"), "organisation_type", Exit.NOT_ALLOWED),
        (("review", "lms", "2020-01"), "list_not_here", Exit.NOT_FOUND),
        (("review", "lms", "2020-01", "--fetch"), "not_billed", Exit.NOT_FOUND),
        (("judge", "nothing", "2026-10", "ffff", "--accept"), "invoice_unknown", Exit.USAGE),
        (("judge", "treatment_abroad", "2026-H1", "ffff", "--accept"), "organisation_type", Exit.NOT_ALLOWED),
        (("dispute", "treatment_abroad", "--output", "x.txt"), "organisation_type", Exit.NOT_ALLOWED),
        (("dispute", "lms", "2020-01", "--output", "x.txt"), "list_not_here", Exit.NOT_FOUND),
    ],
)
def test_what_cannot_be_done_is_said(
    checker: Kelmu, line: tuple[str, ...], code: str, exit_: Exit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = checker("invoices", *line, "--json")
    assert (ran.document["error"]["code"], ran.code) == (code, exit_)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_here_yet_is_not_reviewed(checker: Kelmu) -> None:
    coming = [one for one in checker("invoices", "list", "--json").data["invoices"] if one["expected"]]
    period = next(one["period"] for one in coming if one["kind"] == KIND)
    # The newest one for childcare came in advance: its rows are published after the month.
    advance = billed(checker, "childcare")[0]["period"]
    for kind, wanted, code in ((KIND, period, "not_billed"), ("childcare", advance, "not_published")):
        ran = checker("invoices", "review", kind, wanted, "--fetch", "--json")
        assert (ran.document["error"]["code"], ran.code) == (code, Exit.NOT_FOUND)


def test_a_county_reviews_treatment_abroad(demo: Kelmu) -> None:
    assert demo("sign-in", "--persona", COUNTY).code == Exit.OK
    newest = billed(demo, "treatment_abroad")[0]["period"]
    ran = demo("invoices", "review", "treatment_abroad", "--fetch", "--json", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    assert ran.data["period"] == newest
    assert {"answers", "residents"} <= set(ran.data["without"])
    assert "The county's own answers are not here" in demo("invoices", "review", "treatment_abroad", "--lang", "en").err
