"""A payment claim by keyboard: every way to begin, both bases, what Kela will read, and what is registered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claim_preview import PreviewScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.help import HelpScreen
from kelmu_tui.sync.status import Connection
from tests.screens.claim_forms import (
    ASSISTANCE,
    CARE,
    NAME,
    begin,
    changeable,
    drafts,
    fill_in,
    filling,
    form,
    notes,
    on_top,
    paste,
    say,
    status,
    type_in,
    write,
)
from tests.screens.claims import IBAN, ClaimsOffice, words
from tests.screens.support import press, settled, type_text
from tests.store.customer_lines import CODE
from tests.widgets.support import until


def payload(app: ClaimsOffice) -> dict[str, Any]:
    """Return what the one command that waits will send."""
    ((_, _, said),) = app.commands()
    return {name: value for name, value in said.items() if name not in ("draft", "typed", "base")}


async def test_a_claim_against_a_benefit_that_is_waited_for(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, answers):
        await type_in(app, pilot, ASSISTANCE)
        assert app.t("claim_form.ready", key="ctrl+s") in status(app)
        await press(pilot, "ctrl+s")
        assert not isinstance(app.screen, ClaimFormScreen)
        ((verb, id_, _),) = app.commands()
        assert verb == "claim-register"
        assert len(answers) == 1
        assert answers[0] is not None
        assert payload(app) == {
            "payee": CODE,
            "basis": "social_assistance_23",
            "benefit": "general_housing_allowance",
            "first": "2027-01-01",
            "last": "2027-01-31",
            "amount": "310.50",
            "account": IBAN,
            "reference": "",
            "grounds": "",
            "handler": "Laura Koski",
            "telephone": "09 123 4567",
            "care_first": None,
            "care_last": None,
            "assistance": {
                "first": "2027-01-01",
                "last": "2027-01-31",
                "amount": "1400.00",
                "decided_on": "2026-11-01",
            },
        }
        assert id_ not in answers[0], "a form answers commands, not claims"
        assert app.t("claim_form.registered") in words(app)
        assert drafts(app) == []
        assert app.pokes >= 1


async def test_a_claim_for_the_time_of_care(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, answers):
        await type_in(app, pilot, CARE)
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        said = payload(app)
        assert (said["basis"], said["last"], said["care_first"], said["care_last"]) == (
            "client_fees_14",
            None,
            "2026-12-01",
            None,
        )
        assert said["grounds"] == "Laitoshoito."
        assert said["assistance"] is None


async def test_what_is_previewed_is_what_is_registered(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, answers):
        await fill_in(app, pilot, ASSISTANCE)
        await press(pilot, "f2")
        assert isinstance(app.screen, PreviewScreen)
        t, read = app.t, words(app)
        await press(pilot, "enter")
        assert len(answers) == 1
        said = payload(app)
        for text in (
            NAME,
            "******-*00P",
            t.formats.date(date.fromisoformat(said["first"])),
            t.formats.date(date.fromisoformat(said["last"])),
            t.formats.euros(Decimal(said["amount"])).replace("\N{NO-BREAK SPACE}", " "),
            t.formats.euros(Decimal(said["assistance"]["amount"])).replace("\N{NO-BREAK SPACE}", " "),
            "FI21 1234 5600 0007 85",
            said["handler"],
            said["telephone"],
        ):
            assert text in read.replace("\N{NO-BREAK SPACE}", " "), text
        assert CODE not in read


async def test_a_preview_of_what_is_not_whole_says_what_hinders_it_and_registers_nothing(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, answers):
        await fill_in(app, pilot, {"basis": "23"})
        await press(pilot, "ctrl+r", "enter")
        assert on_top(app, PreviewScreen)
        assert app.t("claim_form.blocked", count=form(app).judging.last.hindrances) in words(app)
        await press(pilot, "escape")
        assert on_top(app, ClaimFormScreen)
        assert answers == []
        assert app.commands() == []


async def test_who_handles_it_is_there_the_next_time(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        assert form(app).values["handler"] == "Laura Koski"
        await write(app, pilot, "payee", CODE)
        await say(app, pilot, {**ASSISTANCE, "handler": "Liisa L.", "telephone": "040 1"})
        await press(pilot, "ctrl+s")
        await begin(app, pilot)
        assert form(app).values["handler"] == "Liisa L."
        assert form(app).values["telephone"] == "040 1"


# --- where it begins --------------------------------------------------------------------------------------------------


async def test_from_a_customer_the_payee_stands(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.customer(CODE, NAME)) as (app, pilot, answers):
        assert app.focused is not None
        assert app.focused.id == "basis"
        assert f"{NAME} ******-*00P" in words(app)
        assert CODE not in words(app)
        await say(app, pilot, ASSISTANCE)
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        assert payload(app)["payee"] == CODE


async def test_from_a_payment_its_benefit_period_and_sum_are_there(tmp_path: Path) -> None:
    how = Begin.payment(CODE, NAME, "general_housing_allowance", date(2027, 1, 1), date(2027, 1, 31), Decimal("310.50"))
    async with filling(tmp_path, how) as (app, pilot, answers):
        assert "Yleinen asumistuki" in words(app)
        rest = {name: text for name, text in ASSISTANCE.items() if name not in ("benefit", "first", "last", "amount")}
        await say(app, pilot, rest)
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        said = payload(app)
        assert (said["benefit"], said["first"], said["last"], said["amount"]) == (
            "general_housing_allowance",
            "2027-01-01",
            "2027-01-31",
            "310.50",
        )


async def test_a_change_keeps_payee_and_basis_and_sends_the_rest(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, answers):
        assert app.t("claim_form.title_change") in words(app)
        assert form(app).query_one("#basis").can_focus is False
        await write(app, pilot, "amount", "500")
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        ((verb, id_, said),) = app.commands()
        assert (verb, id_) == ("claim-change", "one")
        assert said["amount"] == "500.00"
        assert said["basis"] == "client_fees_14"
        assert said["grounds"] == "Laitoshoito jatkuu."


async def test_a_claim_that_kela_handles_cannot_be_changed_and_says_so(tmp_path: Path) -> None:
    rows = [changeable(status="in_handling")]
    async with filling(tmp_path, Begin.of_change("one"), rows) as (app, pilot, answers):
        assert app.t("claim_form.gone") in status(app)
        await press(pilot, "ctrl+s")
        assert answers == []
        assert app.commands() == []


async def test_a_copy_is_a_new_claim(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_copy("one"), [changeable(status="ended")]) as (app, pilot, answers):
        assert app.t("claim_form.title") in words(app)
        await write(app, pilot, "telephone", "09 1")
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        ((verb, id_, said),) = app.commands()
        assert verb == "claim-register"
        assert id_ != "one"
        assert said["amount"] == "412.50"


async def test_a_copy_of_what_is_gone_says_so(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_copy("none")) as (app, _, __):
        assert app.t("claim_form.gone") in status(app)


# --- who it is --------------------------------------------------------------------------------------------------------


async def test_a_code_is_judged_at_each_character(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await type_text(pilot, "32")
        assert app.t.choice("customer_view.wrong", "day", at=2) in notes(app, "payee")
        await press(pilot, "ctrl+u")
        await type_text(pilot, CODE[:-1])
        assert app.t("customer_view.find_missing", count=1) in notes(app, "payee")
        await type_text(pilot, "X")
        assert app.t.choice("customer_view.wrong", "check", at=11) in notes(app, "payee")
        await press(pilot, "backspace")
        await type_text(pilot, CODE[-1].lower())
        assert NAME in notes(app, "payee")


async def test_an_unknown_payee_is_looked_up_and_nothing_is_lost(tmp_path: Path) -> None:
    async with filling(tmp_path, file=False) as (app, pilot, answers):
        await fill_in(app, pilot, ASSISTANCE)
        told = app.t("claim_form.look_up_first", key="ctrl+o")
        assert told in notes(app, "payee")
        await press(pilot, "ctrl+s")
        assert answers == []
        before = dict(form(app).values)
        await press(pilot, "ctrl+o")
        assert isinstance(app.screen, FindScreen)
        await press(pilot, "enter")
        await paste(app, pilot, "vaatimus")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form again")
        await settled(pilot)
        assert form(app).values == before
        assert told not in notes(app, "payee")
        assert NAME in notes(app, "payee")
        assert app.asked[0].purpose == "payment_claim"
        await press(pilot, "ctrl+s")
        assert len(answers) == 1


async def test_escape_from_the_look_up_comes_back_to_the_form(tmp_path: Path) -> None:
    async with filling(tmp_path, file=False) as (app, pilot, _):
        await press(pilot, "ctrl+o")
        assert isinstance(app.screen, ClaimFormScreen), "there is nobody yet to be looked up"
        await type_text(pilot, CODE)
        await press(pilot, "ctrl+o", "escape")
        assert isinstance(app.screen, ClaimFormScreen)
        assert form(app).values["payee"] == CODE


async def test_a_payee_of_an_own_claim_is_known_without_a_look_up(tmp_path: Path) -> None:
    async with filling(tmp_path, rows=[changeable(benefit="sickness_allowance")], file=False) as (app, pilot, answers):
        await fill_in(app, pilot, ASSISTANCE)
        assert app.t("claim_form.not_looked_up", key="ctrl+o") in notes(app, "payee")
        await press(pilot, "ctrl+s")
        assert len(answers) == 1


# --- choosing ---------------------------------------------------------------------------------------------------------


async def test_help_lists_the_keys_of_the_form(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await press(pilot, "f1")
        assert on_top(app, HelpScreen)
        assert "ctrl+g" in words(app)
        await press(pilot, "escape")
        assert on_top(app, ClaimFormScreen)


@pytest.mark.parametrize(
    ("days", "missed"), [({"first": "1.12.2026"}, True), ({"first": "1.1.2027"}, False)], ids=["near", "far"]
)
async def test_without_a_connection_it_is_said_what_that_may_cost(
    tmp_path: Path, days: Mapping[str, str], missed: bool
) -> None:
    async with filling(tmp_path) as (app, pilot, answers):
        app.set_status(state=Connection.OFFLINE)
        await write(app, pilot, "payee", CODE)
        await say(app, pilot, {**CARE, **days})
        await settled(pilot)
        at_risk = form(app).judging.last.missed
        assert (at_risk is not None) == missed
        await press(pilot, "ctrl+s")
        assert len(answers) == 1, "it waits in the outbox"
        if at_risk is None:
            assert app.t("claim_form.registered_offline") in words(app)
        else:
            day = app.t.formats.date(at_risk)
            assert app.t("claim_form.registered_at_risk", day=day) in words(app)


async def test_by_when_it_has_to_be_there_stands_at_the_days(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await write(app, pilot, "payee", CODE)
        await say(app, pilot, CARE)
        day, left = app.t.formats.date, app.t.formats.due_long(date(2026, 12, 24), app.today())
        told = app.t("claim_form.arrives_by", pays=day(date(2027, 1, 7)), latest=day(date(2026, 12, 24)), left=left)
        assert told in notes(app, "last")


def test_a_begin_tells_nothing_of_anybody() -> None:
    assert CODE not in repr(Begin.customer(CODE, NAME))
    assert NAME not in repr(Begin.customer(CODE, NAME))
