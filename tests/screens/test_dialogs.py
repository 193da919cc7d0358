"""Transfer, note, choice, confirmation, help and palette: over the inbox, in every language and size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from kelmu_tui.actions import Context
from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.domain.notices import MAX_NOTE, MAX_REASON
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.help import HelpScreen
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.note import NoteScreen
from kelmu_tui.screens.palette import PaletteScreen
from kelmu_tui.screens.passphrase import PassphraseScreen
from kelmu_tui.screens.transfer import TransferScreen
from kelmu_tui.store import outbox
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import PickList
from tests.screens.support import (
    HOSTILE,
    LANGUAGES,
    SESSION,
    SIZES,
    Office,
    check_grid,
    notices,
    office,
    press,
    settled,
    text_of,
    type_text,
)
from tests.store.build import OWN, notice

Open = Callable[[Office, Pilot[Any]], Awaitable[None]]


def by_key(*keys: str) -> Open:
    async def opened(_app: Office, pilot: Pilot[Any]) -> None:
        await press(pilot, *keys)

    return opened


def by_screen(make: Callable[[], Dialog[Any]]) -> Open:
    async def opened(app: Office, pilot: Pilot[Any]) -> None:
        await app.push_screen(make())
        await settled(pilot)

    return opened


DIALOGS: dict[str, tuple[Open, str]] = {
    "transfer": (by_key("t"), "transfer.recipient"),
    "note": (by_key("n"), "inbox.note_stays"),
    "views": (by_key("v"), "inbox.view.mine"),
    "sort": (by_key("s"), "inbox.sort.customer"),
    "help": (by_key("question_mark"), "help.title"),
    "palette": (by_key("colon"), "help.palette_title"),
    "confirm": (by_screen(lambda: ConfirmScreen("T", "A long warning " * 8, "do", "leave")), ""),
    "passphrase": (by_screen(lambda: PassphraseScreen(new=True)), "common.passphrase_again"),
}


def payloads(app: Office) -> list[dict[str, Any]]:
    with app.store.read() as db:
        return [dict(command.payload) for command in outbox.pending(db, OWN)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_dialog_is_whole_in_every_language_and_size(
    tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    async with office(tmp_path, notices(20), size, language=language) as (app, pilot):
        for name, (open_it, text) in DIALOGS.items():
            await open_it(app, pilot)
            assert isinstance(app.screen, Dialog), name
            check_grid(app, size)
            shown = text_of(app)
            box = app.screen.query_one("#box").region
            assert box.x >= 0
            assert box.right <= size[0], name
            assert box.y >= 0
            assert box.bottom <= size[1], name
            hints = app.screen.query("Caption")
            assert hints.last().region.bottom <= box.bottom - 1, (name, shown)
            if text:
                assert app.t(text)[:12] in shown, (name, shown)
            await press(pilot, "escape")
            assert isinstance(app.screen, InboxScreen), name


async def test_the_inbox_stays_visible_beside_a_dialog(tmp_path: Path) -> None:
    async with office(tmp_path, notices(20)) as (app, pilot):
        await press(pilot, "v")
        assert "Sukunimi00" in text_of(app)
        assert app.t("common.section_inbox") in text_of(app)


async def test_transfer_finds_targets_with_plain_letters_and_says_what_it_means(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "t")
        await type_text(pilot, "ylojarvi")
        assert app.screen.query_one(PickList).current is not None
        assert "Ylöjärvi" in text_of(app)
        assert app.t("transfer.rule.within_county") in text_of(app)
        words = app.screen.query_one("#effect", Caption).text
        assert app.t("transfer.effect_within") in words
        assert app.t("transfer.due_stays", day="1.11.") in words
        await press(pilot, "ctrl+u")
        await type_text(pilot, "mariehamn")
        words = app.screen.query_one("#effect", Caption).text
        assert app.t("transfer.effect_away") in words
        assert app.t("transfer.rule.to_helsinki_or_aland") in text_of(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "zzz")
        assert app.t("transfer.nobody") in text_of(app)
        await press(pilot, "enter")
        assert app.t("transfer.choose_recipient") in text_of(app)


async def test_transfer_needs_a_reason_and_takes_all_marked_notices(tmp_path: Path) -> None:
    async with office(tmp_path, notices(9)) as (app, pilot):
        await press(pilot, "x", "j", "j", "x", "t", *"espoo", "enter", "enter")
        assert app.screen is not app.inbox
        assert app.t("transfer.give_reason") in text_of(app)
        await type_text(pilot, "asiakas muuttanut")
        await press(pilot, "enter")
        assert isinstance(app.screen, InboxScreen)
        assert payloads(app) == [{"municipality": "049", "reason": "asiakas muuttanut"}] * 2
        assert len(app.inbox.rows.rows) == 7
        assert app.t("inbox.done.transfer", count=2) in text_of(app)
        await press(pilot, "u")
        assert len(app.inbox.rows.rows) == 9


async def test_notices_without_a_common_target_say_so(tmp_path: Path) -> None:
    async with office(tmp_path, [notice("a"), notice("b")]) as (app, pilot):
        assert app.desk is not None
        app.desk.inbox.targets = lambda ids: ()  # type: ignore[method-assign]
        await press(pilot, "asterisk", "t")
        assert app.t("transfer.no_targets", count=2) in text_of(app)


async def test_a_pasted_reason_is_cleaned_and_cut_to_its_limit(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        await press(pilot, "t", *"nokia", "tab")
        app.post_message(events.Paste(HOSTILE + "x" * 10_000))
        await settled(pilot)
        assert f"{MAX_REASON}/{MAX_REASON}" in text_of(app)
        check_grid(app, (80, 24))
        await press(pilot, "y")
        await press(pilot, "enter")
        (payload,) = payloads(app)
        assert len(payload["reason"]) == MAX_REASON
        assert "\x1b" not in payload["reason"]
        assert not payload["reason"].endswith("y")


async def test_a_note_keeps_its_lines_and_is_not_empty(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        await press(pilot, "n", "ctrl+s")
        assert isinstance(app.screen, NoteScreen)
        assert app.t("inbox.note_empty") in text_of(app)
        await press(pilot, "a", "enter", "b")
        app.post_message(events.Paste("c\r\nd\x1b[2J" + "e" * 5000))
        await settled(pilot)
        await press(pilot, "ctrl+s")
        (payload,) = payloads(app)
        assert payload["text"].startswith("a\nbc\nd")
        assert "\x1b" not in payload["text"]
        assert len(payload["text"]) == MAX_NOTE


async def test_escape_leaves_every_dialog_without_doing_anything(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        for keys in (("t", *"nokia", "tab", "x"), ("n", "x"), ("v", "down"), ("s", "down"), ("colon", "down")):
            await press(pilot, *keys, "escape")
            assert isinstance(app.screen, InboxScreen)
        assert payloads(app) == []
        assert app.inbox.query_now.view.value == "unhandled"


async def test_help_lists_what_is_closed_and_finds_by_letters(tmp_path: Path) -> None:
    session = SESSION._replace(capabilities=frozenset({NOTICES_INBOX}))
    async with office(tmp_path, notices(2), (80, 24), session=session) as (app, pilot):
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        for _ in range(400):
            if app.t("help.closed") in text_of(app):
                break
            await press(pilot, "down")
        assert app.t("help.closed") in text_of(app)
        await type_text(pilot, "siirr")
        assert app.t("actions.inbox.transfer.help") in " ".join(text_of(app).split())
        await press(pilot, "ctrl+u")
        await type_text(pilot, "qqqq")
        assert app.t("common.nothing_matches") in text_of(app)


async def test_the_palette_does_what_is_chosen_and_leaves_out_what_is_closed(tmp_path: Path) -> None:
    session = SESSION._replace(capabilities=frozenset({NOTICES_INBOX}))
    async with office(tmp_path, notices(4), session=session) as (app, pilot):
        await press(pilot, "ctrl+p")
        palette = app.screen
        assert isinstance(palette, PaletteScreen)
        keys = [choice.key for choice in palette.query_one(PickList).matches]
        assert "inbox.transfer" not in keys
        assert "inbox.take" in keys
        await type_text(pilot, "ota")
        await press(pilot, "enter")
        assert isinstance(app.screen, InboxScreen)
        assert len(payloads(app)) == 1


async def test_a_confirmation_begins_on_leaving_things_as_they_are(tmp_path: Path) -> None:
    async with office(tmp_path, notices(1)) as (app, pilot):
        answers: list[bool | None] = []
        for keys in (("enter",), ("down", "enter"), ("escape",)):
            app.push_screen(ConfirmScreen("T", "W", "do", "leave"), answers.append)
            await settled(pilot)
            await press(pilot, *keys)
        assert answers == [False, True, None]


async def test_a_passphrase_is_hidden_and_typed_twice(tmp_path: Path) -> None:
    async with office(tmp_path, notices(1)) as (app, pilot):
        answers: list[str | None] = []
        app.push_screen(PassphraseScreen(new=True), answers.append)
        await settled(pilot)
        await press(pilot, *"secret", "enter", *"secres", "enter")
        assert app.t("common.passphrase_differs") in text_of(app)
        assert "secre" not in text_of(app)
        await press(pilot, "backspace", "t", "enter")
        assert answers == ["secret"]


def test_every_dialog_has_the_keys_of_a_dialog() -> None:
    for kind in (TransferScreen, NoteScreen, ConfirmScreen, HelpScreen, PaletteScreen, PassphraseScreen):
        assert kind.CONTEXT is not Context.DIALOG
