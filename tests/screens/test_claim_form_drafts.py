"""What is typed into the form is found again: after leaving, after a crash, after a lock, and beside what others do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.screens import drafting
from kelmu_tui.screens.choose import ChooseScreen
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.store.errors import StoreFull
from tests.screens.claim_forms import (
    ASSISTANCE,
    NAME,
    begin,
    changeable,
    drafts,
    fill_in,
    filling,
    form,
    kept,
    notes,
    on_top,
    say,
    status,
    write,
)
from tests.screens.claims import COLLEAGUE, ClaimsOffice, words
from tests.screens.support import press, settled
from tests.store.customer_lines import CODE, answer, head
from tests.widgets.support import until

CUSTOMER = Begin.customer(CODE, NAME)


async def test_a_pause_keeps_what_was_typed(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        assert drafts(app) == []
        await write(app, pilot, "payee", CODE)
        await write(app, pilot, "amount", "310,")
        draft = await kept(app, pilot)
        assert (draft.payee, draft.name, draft.values["amount"]) == (CODE, NAME, "310,")
        await settled(pilot)
        assert app.t("claim_form.kept_at", at="10:00") in words(app)


async def test_leaving_asks_nothing_and_says_that_it_is_kept(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, answers):
        await write(app, pilot, "payee", CODE[:6])
        await press(pilot, "escape")
        assert answers == [None]
        assert not on_top(app, ClaimFormScreen)
        assert app.t("claim_form.draft_kept") in words(app)
        (draft,) = drafts(app)
        assert draft.values["payee"] == CODE[:6]
        assert draft.payee == ""


async def test_who_types_nothing_leaves_nothing(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await press(pilot, "tab", "escape")
        assert answers == [None]
        assert drafts(app) == []
        assert app.t("claim_form.draft_kept") not in words(app)


async def test_what_is_emptied_again_is_no_draft(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "amount", "5")
        await kept(app, pilot)
        await write(app, pilot, "amount", "")
        await press(pilot, "escape")
        assert drafts(app) == []


async def test_a_killed_program_finds_it_again(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await fill_in(app, pilot, {**ASSISTANCE, "amount": "31o"})
        before = (await kept(app, pilot)).id
        values = dict(form(app).values)
    async with filling(tmp_path, Begin.of_draft(before)) as (app, pilot, answers):
        assert {name: text for name, text in form(app).values.items() if text} == {
            name: text for name, text in values.items() if text
        }
        assert app.t("claim_form.draft_found") in words(app)
        assert app.t.choice("claims.amount_fault", "format") in notes(app, "amount")
        await write(app, pilot, "amount", "310")
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        assert drafts(app) == []


async def test_a_draft_of_a_customer_does_not_ask_who_it_is(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "amount", "5")
        draft = await kept(app, pilot)
        await press(pilot, "escape")
        await begin(app, pilot, Begin.of_draft(draft.id))
        assert CODE not in words(app)
        assert f"{NAME} ******-*00P" in words(app)
        assert form(app).payee == CODE


async def test_what_is_gone_on_with_stays_one_draft(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "amount", "5")
        draft = await kept(app, pilot)
        await press(pilot, "escape")
        await begin(app, pilot, Begin.of_draft(draft.id))
        await write(app, pilot, "amount", "6")
        await press(pilot, "escape")
        assert [(one.id, one.values["amount"]) for one in drafts(app)] == [(draft.id, "6")]


async def test_the_lock_keeps_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "amount", "5")
        assert drafts(app) == []
        assert app.typing is form(app).typing
        await app.typing.flush()  # as the lock and a new desk do
        (draft,) = drafts(app)
        assert draft.values["amount"] == "5"


async def test_two_keepings_at_once_make_one_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await write(app, pilot, "amount", "5")
        typing = form(app).typing
        await asyncio.gather(typing.flush(), typing.flush())
        assert len(drafts(app)) == 1


async def test_a_full_disk_loses_nothing_of_the_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await say(app, pilot, ASSISTANCE)
        await kept(app, pilot)
        claims = app.desk.claims  # type: ignore[union-attr]

        def full(*_arguments: Any, **_options: Any) -> str:
            raise StoreFull

        monkeypatch.setattr(claims, "register", full)
        await press(pilot, "ctrl+s")
        assert on_top(app, ClaimFormScreen)
        assert answers == []
        assert form(app).values["amount"] == "310,50"
        monkeypatch.undo()
        await press(pilot, "ctrl+s")
        assert len(answers) == 1


async def test_who_leaves_while_the_disk_is_full_stays_with_what_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        claims = app.desk.claims  # type: ignore[union-attr]

        def full(*_arguments: Any, **_options: Any) -> str:
            raise StoreFull

        monkeypatch.setattr(claims, "save_draft", full)
        await write(app, pilot, "amount", "5")
        await press(pilot, "escape")
        assert on_top(app, ClaimFormScreen)
        assert answers == []
        assert form(app).values["amount"] == "5"
        assert app.typing is form(app).typing
        monkeypatch.undo()
        await press(pilot, "escape")
        assert answers == [None]
        assert [one.values["amount"] for one in drafts(app)] == ["5"]


async def test_a_form_that_cannot_begin_goes_again(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await press(pilot, "escape")
        app.lose()
        desk, answers = app.desk, list[object]()
        assert desk is not None

        async def show() -> None:
            await app.push_screen(ClaimFormScreen(desk, Begin.new()), answers.append)

        app.call_later(show)
        await until(pilot, lambda: answers == [None], "the end of the form")
        await settled(pilot)
        assert app.t("errors.api.mandate_missing") in words(app)


async def test_resizing_and_another_language_leave_what_was_typed(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, _):
        await say(app, pilot, ASSISTANCE)
        before = dict(form(app).values)
        await pilot.resize_terminal(40, 12)
        await settled(pilot)
        app.set_language("sv")
        await settled(pilot)
        await pilot.resize_terminal(120, 40)
        await settled(pilot)
        assert form(app).values == before
        assert "Lagen om utkomststöd 23 §" in words(app)


async def test_a_draft_is_dropped_only_after_a_question(tmp_path: Path) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await write(app, pilot, "amount", "5")
        await kept(app, pilot)
        await press(pilot, "f9")
        assert on_top(app, ConfirmScreen)
        await press(pilot, "enter")
        assert on_top(app, ClaimFormScreen)
        await press(pilot, "f9", "down", "enter")
        assert answers == [None]
        assert drafts(app) == []


# --- others ----------------------------------------------------------------------------------------------------------


async def test_others_are_told_that_it_is_changed_and_when_it_is_no_more(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, _):
        assert app.editing == [("one", True)]
        await press(pilot, "escape")
        assert app.editing[-1] == ("one", False)


async def test_somebody_who_changes_the_same_is_named(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, _):
        assert app.t("claim_form.editing", who=COLLEAGUE) not in words(app)
        editor = {"user": "user-2", "name": COLLEAGUE, "until": "2026-11-20T08:30:00Z"}
        app.hold([changeable(version=2, editing=[editor])])
        await until(pilot, lambda: app.t("claim_form.editing", who=COLLEAGUE) in words(app), "the colleague")


async def theirs(app: ClaimsOffice, pilot: Any) -> None:
    """Let somebody else change the sum, and end the claim another day."""
    app.hold([changeable(version=2, amount="500.00", last="2027-06-30")])
    await until(pilot, lambda: form(app).theirs, "what others changed")
    await settled(pilot)


async def test_what_somebody_else_changed_is_told_and_taken(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, answers):
        await write(app, pilot, "reference", "RF71")
        await theirs(app, pilot)
        assert form(app).theirs == {"amount": "500,00", "last": "30.6.2027"}
        assert app.t("claim_form.theirs", text="500,00") in notes(app, "amount")
        await press(pilot, "ctrl+s")
        assert on_top(app, ChooseScreen), "nothing is given before there is a choice"
        await press(pilot, "enter")
        assert (form(app).values["amount"], form(app).values["last"]) == ("500,00", "30.6.2027")
        assert form(app).values["reference"] == "RF71"
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        ((_, __, said),) = app.commands()
        assert (said["amount"], said["last"], said["reference"]) == ("500.00", "2027-06-30", "RF71")


async def test_or_ones_own_is_kept(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, answers):
        await write(app, pilot, "amount", "300")
        await theirs(app, pilot)
        await press(pilot, "f6", "down", "enter")
        assert form(app).theirs == {}
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
        ((_, __, said),) = app.commands()
        assert (said["amount"], said["last"]) == ("300.00", None)


async def test_what_somebody_else_changed_while_it_lay_there_is_told_as_well(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, _):
        await write(app, pilot, "reference", "RF71")
        await press(pilot, "escape")
        (draft,) = drafts(app)
        app.hold([changeable(version=2, amount="500.00")])
        await settled(pilot)
        await begin(app, pilot, Begin.of_draft(draft.id))
        await until(pilot, lambda: form(app).theirs == {"amount": "500,00"}, "what was changed meanwhile")
        await press(pilot, "escape")
        await begin(app, pilot, Begin.of_draft(draft.id))
        await until(pilot, lambda: form(app).theirs == {"amount": "500,00"}, "until there is a choice")
        await press(pilot, "f6", "enter")
        assert form(app).values["amount"] == "500,00"
        await press(pilot, "escape")
        await begin(app, pilot, Begin.of_draft(draft.id))
        await settled(pilot)
        assert (form(app).theirs, form(app).values["reference"]) == ({}, "RF71")


async def test_a_claim_that_kela_has_begun_to_handle_meanwhile_is_not_changed(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin.of_change("one"), [changeable()]) as (app, pilot, answers):
        await write(app, pilot, "amount", "300")
        app.hold([changeable(version=2, status="in_handling")])
        await until(pilot, lambda: form(app).filled.gone, "the end of changing")
        await settled(pilot)
        assert app.t("claim_form.gone") in status(app)
        await press(pilot, "ctrl+s")
        assert answers == []
        await press(pilot, "escape")
        (draft,) = drafts(app)
        assert (draft.claim, draft.values["amount"]) == ("one", "300")


async def test_a_file_that_comes_is_judged_with_at_once(tmp_path: Path) -> None:
    async with filling(tmp_path, file=False) as (app, pilot, _):
        await fill_in(app, pilot, ASSISTANCE)
        assert form(app).judging.last.hindrances == 1
        answer(app.store, head())
        app.store_changed_now()
        await until(pilot, lambda: form(app).judging.last.hindrances == 0, "the file")
