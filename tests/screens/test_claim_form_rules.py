"""The form tells every rule while it is typed, in words and at its field; what cannot be read is told alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from kelmu_tui.domain.claims.catalogue import RuleKind, rules
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claim_told import SourceScreen, ToldScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.services.claim_typing import Field
from kelmu_tui.services.claim_words import rule_source, rule_text, unchecked_texts
from tests.screens.claim_forms import (
    ASSISTANCE,
    CARE,
    NAME,
    alarms,
    changeable,
    drafts,
    fill_in,
    filling,
    form,
    go,
    kept,
    notes,
    on_top,
    plain,
    say,
    status,
    write,
)
from tests.screens.claims import ClaimsOffice
from tests.screens.support import press
from tests.store.customer_lines import CODE

CUSTOMER: Final = Begin.customer(CODE, NAME)


def found(app: ClaimsOffice) -> dict[str, Field]:
    """Return the rules that say something, and where."""
    return {one.rule: field for field, told in form(app).judging.last.findings.items() for one in told}


def blocking(app: ClaimsOffice) -> set[str]:
    """Return the rules that forbid the claim."""
    told = [one for findings in form(app).judging.last.findings.values() for one in findings]
    return {one.rule for one in told if one.kind is RuleKind.BLOCK}


BROKEN: Final[Mapping[str, tuple[Mapping[str, str], Mapping[str, str], str]]] = {
    "kelmu_two_bases": (CARE, {"basis": "livelihood_national_pension_67"}, "basis"),
    "no_basic_sa": (ASSISTANCE, {"benefit": "basic_social_assistance"}, "benefit"),
    "no_claim_benefits": (ASSISTANCE, {"benefit": "maternity_grant"}, "benefit"),
    "housing_s23_only": (CARE, {"benefit": "general_housing_allowance"}, "benefit"),
    "benefit_claimable": (CARE, {"benefit": "conscripts_allowance"}, "benefit"),
    "child_benefit_in_payment": (ASSISTANCE, {"benefit": "child_benefit"}, "benefit"),
    "benefit_exists": (ASSISTANCE, {"benefit": "labour_market_subsidy"}, "first"),
    "dates_in_order": (ASSISTANCE, {"last": "31.12.2026"}, "last"),
    "s23_period": (ASSISTANCE, {"last": "1.2.2027"}, "last"),
    "s23_amount_cap": (ASSISTANCE, {"amount": "1400,01"}, "amount"),
    "care_period": (CARE, {"care_first": "2.1.2027"}, "first"),
}
"""A claim without a fault, what breaks one rule of it, and where that is told."""


@pytest.mark.parametrize("rule", BROKEN)
async def test_a_broken_rule_is_told_in_words_and_stops_registering(tmp_path: Path, rule: str) -> None:
    good, wrong, place = BROKEN[rule]
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await say(app, pilot, good)
        assert blocking(app) == set(), "the claim was good before"
        await say(app, pilot, wrong)
        assert rule in blocking(app)
        field = found(app)[rule]
        assert field.value == place
        (one,) = (one for one in form(app).judging.last.findings[field] if one.rule == rule)
        assert app.t.choice("claim_form.kind", RuleKind.BLOCK, text=rule_text(one, app.t)) in alarms(app)[place]
        assert "ctrl+g" in status(app)
        await press(pilot, "ctrl+s")
        assert answers == []
        assert app.commands() == []
        assert isinstance(app.screen, ClaimFormScreen)


def test_every_rule_that_forbids_is_tried_here_or_cannot_be_broken_in_the_form() -> None:
    elsewhere = {
        "fields_needed",  # test_an_empty_form…
        "basis_named",
        "care_needed",
        "assistance_needed",
        "only_counties",  # who makes no claims has no form
        "account_valid",  # test_an_account…
        "account_check",
        "amount_positive",  # test_a_sum…
        "amount_exact",
        "amount_limit",
        "dates_near",  # test_a_day…
        "decided_past",
        "payee_valid",  # test_a_code…
        "payee_code",
        "payee_died",
        "text_length",  # the fields take no more
        "no_oral",
    }
    forbidding = {rule.id for rule in rules().values() if rule.kind is RuleKind.BLOCK}
    assert forbidding - set(BROKEN) <= elsewhere, forbidding - set(BROKEN) - elsewhere


async def test_an_empty_form_says_at_once_how_much_is_missing_and_shouts_at_nobody(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        assert alarms(app) == {}
        assert "ctrl+g" in status(app)
        await press(pilot, "ctrl+g")
        assert set(alarms(app)) >= {"payee", "basis", "benefit", "first", "last", "amount", "telephone"}
        assert "handler" not in alarms(app)


async def test_the_key_leads_from_one_hindrance_to_the_next_and_around(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await say(app, pilot, {**ASSISTANCE, "amount": "0", "telephone": ""})
        await go(app, pilot, "benefit")
        visited = []
        for _step in range(3):
            await press(pilot, "ctrl+g")
            assert app.focused is not None
            visited.append(app.focused.id)
        assert visited == ["amount", "telephone", "amount"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("12,345", "ambiguous"),
        ("1234,567", "decimals"),
        ("-5", "negative"),
        ("0", "zero"),
        ("99999999", "too_large"),
        ("sata", "format"),
    ],
)
async def test_a_sum_that_cannot_be_taken_says_why(tmp_path: Path, text: str, fault: str) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await say(app, pilot, ASSISTANCE)
        await write(app, pilot, "amount", text)
        await press(pilot, "tab")
        assert app.t.choice("claims.amount_fault", fault) in alarms(app)["amount"]
        assert set(alarms(app)) == {"amount"}
        await press(pilot, "ctrl+s")
        assert answers == []
        assert form(app).values["amount"] == text, "nothing typed is lost"
        assert (await kept(app, pilot)).values["amount"] == text


@pytest.mark.parametrize(("text", "euros"), [("1 234,50", "1234.50"), ("1234.5", "1234.50"), ("€ 12", "12.00")])
async def test_a_sum_is_read_as_people_write_it(tmp_path: Path, text: str, euros: str) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "amount", text)
        said = form(app).judging.said
        assert said is not None
        assert str(said.partial.amount) == euros


@pytest.mark.parametrize(
    ("text", "fault"), [("31.2.2027", "none"), ("31.2.", "none"), ("1.1.1827", "far"), ("x", "format")]
)
async def test_a_last_day_that_cannot_be_read_is_told_alone(tmp_path: Path, text: str, fault: str) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await say(app, pilot, ASSISTANCE)
        await write(app, pilot, "last", text)
        await press(pilot, "tab")
        assert app.t.choice("claim_form.day_fault", fault) in alarms(app)["last"]
        assert set(alarms(app)) == {"last"}
        assert blocking(app) == set(), "no rule is judged with half a time"
        await press(pilot, "ctrl+s")
        assert answers == []
        await write(app, pilot, "last", "31.1.2027")
        assert alarms(app) == {}


async def test_care_whose_end_cannot_be_read_does_not_seem_to_go_on(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await say(app, pilot, {**CARE, "care_last": "32.1.2027"})
        assert set(alarms(app)) == {"care_last"}


async def test_a_day_without_its_year_gets_it(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "first", "1.1.")
        assert "1.1.2027" in notes(app, "first")
        assert form(app).values["first"] == "1.1."
        await press(pilot, "tab")
        assert form(app).values["first"] == "1.1.2027"
        await write(app, pilot, "last", "31.2.")
        await press(pilot, "tab")
        assert form(app).values["last"] == "31.2.", "what is no day stays as it was typed"


async def test_what_is_half_typed_is_no_mistake_yet(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "first", "1")
        assert "first" not in alarms(app)
        assert app.t.choice("claim_form.day_fault", "format") in notes(app, "first")
        await press(pilot, "tab")
        assert "first" in alarms(app)


async def test_what_only_warns_does_not_stop(tmp_path: Path) -> None:
    other = changeable("other", benefit="general_housing_allowance", basis="social_assistance_23", last="2027-12-31")
    async with filling(tmp_path, CUSTOMER, [other]) as (app, pilot, answers):
        await say(app, pilot, ASSISTANCE)
        assert found(app)["overlap"] is not None
        place = found(app)["overlap"].value
        assert app.t.choice("claim_form.kind", RuleKind.WARN, text="").strip() in notes(app, place)
        await press(pilot, "ctrl+s")
        assert len(answers) == 1


async def test_what_is_not_known_is_called_not_checked(tmp_path: Path) -> None:
    async with filling(tmp_path, rows=[changeable(benefit="sickness_allowance")], file=False) as (app, pilot, _):
        await fill_in(app, pilot, {"basis": "23", "benefit": "lapsilisä", "first": "1.1.2027", "last": "31.1.2027"})
        assert "child_benefit_in_payment" in form(app).judging.last.unchecked
        assert "child_benefit_in_payment" not in blocking(app)
        assert app.t("claim_form.not_looked_up", key="ctrl+o") in notes(app, "payee")
        await press(pilot, "ctrl+t")
        assert isinstance(app.screen, ToldScreen)
        (text,) = unchecked_texts(["child_benefit_in_payment"], app.t)
        assert any(one.text == text for one in app.screen._told)
        await press(pilot, "i")
        assert on_top(app, FindScreen)


async def test_a_remark_shows_where_its_rule_comes_from_and_leads_to_its_field(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await say(app, pilot, {**ASSISTANCE, "amount": "1400,01"})
        await go(app, pilot, "amount")
        await press(pilot, "f3")
        assert isinstance(app.screen, ToldScreen)
        await press(pilot, "K")
        assert isinstance(app.screen, SourceScreen)
        for line in rule_source("s23_amount_cap", app.t):
            assert line in plain(app)
        assert app.t("common.section_claims") not in plain(app)
        await press(pilot, "1", "9")
        assert isinstance(app.screen, SourceScreen), "no number leads away from what was typed"
        await press(pilot, "escape", "enter")
        assert isinstance(app.screen, ClaimFormScreen)
        assert app.focused is not None
        assert app.focused.id == "amount"


async def test_two_rules_at_once_are_told_both(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await say(app, pilot, {**ASSISTANCE, "amount": "1400,01", "last": "1.2.2027"})
        assert blocking(app) == {"s23_amount_cap", "s23_period"}
        assert app.t("claim_form.blocks", count=2, key="ctrl+g") in status(app)
        assert drafts(app) or (await kept(app, pilot))
