"""What is being typed is there again: after escape, for the same notices, in no other dialog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.screens import drafting, work
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.note import NoteScreen
from kelmu_tui.screens.notice import NoticeScreen
from kelmu_tui.screens.outbox import OutboxScreen
from kelmu_tui.screens.transfer import TransferScreen
from kelmu_tui.services.drafts import Drafts
from kelmu_tui.store import drafts, outbox
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.picker import PickList
from tests.screens.support import (
    LANGUAGES,
    SESSION,
    SIZES,
    Office,
    check_grid,
    notices,
    office,
    pending,
    press,
    text_of,
    type_text,
)
from tests.store.build import NOW, OTHER
from tests.widgets.support import until


def kept(app: Office) -> list[str]:
    with app.store.read() as db:
        return [line.text for line in drafts.lines(db, NOW)]


def typed(app: Office) -> str:
    return app.screen.query_one(BlockField).text


async def test_escape_keeps_a_note_and_the_same_notice_offers_it(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "soitin")
        await press(pilot, "escape")
        assert app.t("inbox.draft_kept")[:40] in text_of(app)
        await press(pilot, "j", "n")
        assert typed(app) == ""
        await press(pilot, "escape", "k", "n")
        assert app.t("inbox.draft_offered", at="10:00") in text_of(app)
        await type_text(pilot, "!")
        assert typed(app) == "soitin!"
        await press(pilot, "ctrl+s")
        assert pending(app) == [("note", "n0000")]
        assert kept(app) == []
        await press(pilot, "n")
        assert typed(app) == ""


async def test_a_pause_keeps_it_and_keys_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "soi")
        assert kept(app) == []
        monkeypatch.setattr(drafting, "PAUSE_SECONDS", 0.01)
        assert app.typing is not None
        app.typing._rested()
        await type_text(pilot, "tin")
        await until(pilot, lambda: kept(app) == ["soitin"], "the pause")


async def test_who_never_rests_has_it_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n", "x")
        for _ in range(drafting.MOST_PAUSES):
            await type_text(pilot, "x")
            assert app.typing is not None
            assert kept(app) == []
            app.typing._rested()
        await until(pilot, lambda: kept(app) == ["x" * (1 + drafting.MOST_PAUSES)], "what was typed so far")


async def test_an_emptied_text_is_no_draft_any_more(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "soitin")
        await press(pilot, "escape", "n", "ctrl+u")
        assert typed(app) == ""
        await press(pilot, "escape")
        assert kept(app) == []


async def test_a_transfer_offers_recipient_and_reason(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "t", *"espoo", "enter")
        await type_text(pilot, "muuttanut")
        await press(pilot, "escape")
        assert kept(app) == ["muuttanut"]
        await press(pilot, "t")
        assert typed(app) == "muuttanut"
        choice = app.screen.query_one(PickList).current
        assert choice is not None
        assert choice.key == "049"
        await press(pilot, "enter")
        assert pending(app) == [("transfer", "n0000")]
        assert kept(app) == []


async def test_a_recipient_without_a_reason_is_not_kept_after_escape(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "t", *"espoo", "escape", "t")
        assert app.screen.query_one("#to").value == ""  # type: ignore[attr-defined]


async def test_the_text_of_one_organisation_never_appears_in_anothers_dialog(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        other = SESSION._replace(organisation=SESSION.organisation._replace(business_id=OTHER))
        assert app.desk is not None
        Drafts(app.store, other, app.time, app.store.ids).keep("note", ["n0000"], {"text": "toisen oma"})
        await press(pilot, "n")
        assert typed(app) == ""
        await type_text(pilot, "tämän oma")
        await press(pilot, "escape")
        own, others = app.desk.drafts.find("note", ["n0000"]), Drafts(app.store, other, app.time, app.store.ids)
        assert own is not None
        theirs = others.find("note", ["n0000"])
        assert theirs is not None
        assert (own.payload, theirs.payload) == ({"text": "tämän oma"}, {"text": "toisen oma"})


async def test_a_text_for_many_is_offered_to_one_of_them_and_then_its_own(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "x", "x", "n")
        await type_text(pilot, "yhteinen")
        await press(pilot, "escape", "escape", "g", "n")
        assert typed(app) == "yhteinen"
        await type_text(pilot, "!")
        await press(pilot, "escape", "j", "n")
        assert typed(app) == "yhteinen"
        await press(pilot, "escape", "j", "n")
        assert typed(app) == ""


async def test_a_draft_is_read_and_discarded_in_the_outbox(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "kesken jäi")
        await press(pilot, "escape", "6")
        assert isinstance(app.screen, OutboxScreen)
        shown = text_of(app)
        assert app.t("states.command.draft") in shown
        assert "kesken jäi" in shown
        await press(pilot, "enter")
        assert isinstance(app.screen, NoticeScreen)
        await press(pilot, "n")
        assert typed(app) == "kesken jäi"
        await press(pilot, "escape", "6", "d", "down", "enter")
        assert kept(app) == []


async def test_a_full_disk_loses_no_draft_that_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StoreFull

    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "soitin")
        await until(pilot, lambda: kept(app) == ["soitin"], "the pause")
        monkeypatch.setattr(drafts, "save", full)
        await type_text(pilot, "!")
        await press(pilot, "escape")
        assert app.t("errors.store.store_full")[:20] in text_of(app)
        assert kept(app) == ["soitin"]


# --- repeating ------------------------------------------------------------------------------------------------------


async def test_repeating_a_partly_saved_note_writes_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, room = outbox.append, [99]

    def limited(*arguments: Any, **options: Any) -> str:
        if room[0] == 0:
            raise StoreFull
        room[0] -= 1
        return append(*arguments, **options)

    monkeypatch.setattr(outbox, "append", limited)
    monkeypatch.setattr(work, "UNIT", 2)
    async with office(tmp_path, notices(6)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "kaikille")
        await press(pilot, "ctrl+s", "asterisk", "x")  # all but the first, which has got it
        assert pending(app) == [("note", "n0000")]
        assert len(app.inbox.rows.marks) == 5
        room[0] = 3
        await press(pilot, "full_stop")
        done = [id_ for _, id_ in pending(app)]
        assert len(done) == 3
        assert app.inbox.rows.marks.isdisjoint(done)
        room[0] = 99
        await press(pilot, "full_stop")
        assert sorted(id_ for _, id_ in pending(app)) == [f"n000{n}" for n in range(6)]
        assert not app.inbox.rows.marks


async def test_escape_after_a_partly_saved_note_leaves_the_rest_marked_for_repeating(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, room = outbox.append, [3]

    def limited(*arguments: Any, **options: Any) -> str:
        if room[0] == 0:
            raise StoreFull
        room[0] -= 1
        return append(*arguments, **options)

    monkeypatch.setattr(outbox, "append", limited)
    monkeypatch.setattr(work, "UNIT", 2)
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "asterisk", "n")
        await type_text(pilot, "kaikille")
        await press(pilot, "ctrl+s", "escape")
        assert sorted(app.inbox.rows.marks) == ["n0002", "n0003", "n0004"]
        room[0] = 99
        await press(pilot, "full_stop")
        assert sorted(id_ for _, id_ in pending(app)) == [f"n000{n}" for n in range(5)]
        assert kept(app) == []


# --- another desk ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "ids", "opened"),
    [
        ("note", ["n0000"], NoteScreen),
        ("transfer", ["n0000", "n0001"], TransferScreen),
        ("note", ["n0000", "gone"], InboxScreen),
    ],
)
async def test_what_can_be_given_from_the_new_desk_is_gone_on_with(
    tmp_path: Path, verb: str, ids: list[str], opened: type[Screen[Any]]
) -> None:
    async with office(tmp_path, notices(3)) as (app, _pilot):
        assert await app.inbox.take_up(verb, ids) is (opened is not InboxScreen)
        assert isinstance(app.screen, opened)


async def test_what_the_mandates_do_not_open_any_more_is_not_gone_on_with(tmp_path: Path) -> None:
    session = SESSION._replace(capabilities=frozenset({NOTICES_INBOX}))
    async with office(tmp_path, notices(3), session=session) as (app, _pilot):
        assert not await app.inbox.take_up("transfer", ["n0000"])
        assert isinstance(app.screen, InboxScreen)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_new_text_has_its_room(tmp_path: Path, language: str, size: tuple[int, int]) -> None:
    async with office(tmp_path, notices(3), size, language=language) as (app, pilot):
        for keys in (("n", "x"), ("t", *"espoo", "enter", "x")):
            await press(pilot, *keys, "escape")
            check_grid(app, size)
            await press(pilot, keys[0])
            check_grid(app, size)
            assert app.t("inbox.draft_offered", at="10:00")[:7] in text_of(app)
            box = app.screen.query_one("#box").region
            assert app.screen.query("Caption").last().region.bottom <= box.bottom - 1
            await press(pilot, "escape")
        t = app.t
        screen = ConfirmScreen(
            t("inbox.draft_aside_title"), t("inbox.draft_aside"), t("inbox.draft_show"), t("inbox.draft_go_on")
        )
        await app.push_screen(screen)
        await press(pilot, "down")
        check_grid(app, size)
        words = " ".join(text_of(app).replace("│", " ").split())
        for key in ("inbox.draft_aside_title", "inbox.draft_aside", "inbox.draft_show", "inbox.draft_go_on"):
            assert t(key) in words
        await press(pilot, "escape", "6")
        check_grid(app, size)
        assert t("states.command.draft") in text_of(app)
