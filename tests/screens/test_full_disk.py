"""A disk without room: what was typed stays where it was typed, and is saved once when there is room again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region

from kelmu_tui.screens import work
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.note import NoteScreen
from kelmu_tui.store import outbox
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption
from tests.screens.support import LANGUAGES, SIZES, Office, check_grid, notices, office, press, text_of, type_text
from tests.store.build import OWN

APPEND = outbox.append


class Disk:
    """A disk with room for so many commands, None for enough."""

    def __init__(self) -> None:
        self.room: int | None = None

    def append(self, *arguments: Any, **options: Any) -> str:
        """Save a command, or have no room for it."""
        if self.room is not None:
            if self.room == 0:
                raise StoreFull
            self.room -= 1
        return APPEND(*arguments, **options)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(outbox, "append", made.append)
    return made


def saved(app: Office) -> list[tuple[str, str, dict[str, Any]]]:
    with app.store.read() as db:
        return [(command.aggregate, command.verb, dict(command.payload)) for command in outbox.pending(db, OWN)]


def says_full(app: Office) -> bool:
    """Whether the dialog says in words and colour what is wrong, and how it goes on."""
    effect = app.screen.query_one("#effect", Caption)
    return effect.text == app.t("errors.store.store_full") and effect._role == "alarm"


async def test_a_note_stays_until_there_is_room_for_it(tmp_path: Path, disk: Disk) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "asiakas")
        await press(pilot, "enter")
        await type_text(pilot, "soitti")
        disk.room = 0
        for _ in range(2):
            await press(pilot, "ctrl+s")
            assert isinstance(app.screen, NoteScreen)
            assert says_full(app)
            assert app.screen.query_one(BlockField).text == "asiakas\nsoitti"
            assert saved(app) == []
        await type_text(pilot, "!")
        disk.room = None
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, InboxScreen)
        assert saved(app) == [("n0000", "note", {"text": "asiakas\nsoitti!"})]
        assert app.t("inbox.done.note", count=1) in text_of(app)
        assert app.pokes == 1


async def test_a_transfer_keeps_its_reason_and_recipient(tmp_path: Path, disk: Disk) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "t", *"espoo", "enter")
        await type_text(pilot, "muuttanut")
        disk.room = 0
        await press(pilot, "enter")
        assert says_full(app)
        assert app.screen.query_one(BlockField).text == "muuttanut"
        assert saved(app) == []
        disk.room = None
        await press(pilot, "enter")
        assert isinstance(app.screen, InboxScreen)
        assert saved(app) == [("n0000", "transfer", {"municipality": "049", "reason": "muuttanut"})]


async def test_a_note_to_many_is_written_once_to_each(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "UNIT", 2)
    async with office(tmp_path, notices(5)) as (app, pilot):
        await press(pilot, "asterisk", "n")
        await type_text(pilot, "kaikille")
        disk.room = 3  # the second pair does not fit, and half of it is nothing
        await press(pilot, "ctrl+s")
        assert says_full(app)
        assert [id_ for id_, _, _ in saved(app)] == ["n0000", "n0001"]
        assert app.pokes == 1
        disk.room = None
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, InboxScreen)
        assert sorted(id_ for id_, _, _ in saved(app)) == ["n0000", "n0001", "n0002", "n0003", "n0004"]


async def test_leaving_a_note_that_found_no_room_saves_nothing(tmp_path: Path, disk: Disk) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        await press(pilot, "n")
        await type_text(pilot, "ei")
        disk.room = 0
        await press(pilot, "ctrl+s", "escape")
        assert isinstance(app.screen, InboxScreen)
        disk.room = None
        await press(pilot, "j", "a")
        assert [verb for _, verb, _ in saved(app)] == ["take"]


async def test_what_was_done_before_the_disk_was_full_can_be_undone_after(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFull

    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "a")
        assert app.desk is not None
        with monkeypatch.context() as patch:
            patch.setattr(app.desk.inbox, "undo", full)
            await press(pilot, "u")
            assert said(app, "errors.store.store_full")
        await press(pilot, "u")
        assert saved(app) == []
        assert disk.room is None


def said(app: Office, key: str) -> bool:
    """Whether the beginning of a text is on the screen."""
    return " ".join(app.t(key).split()[:3]) in " ".join(text_of(app).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_the_dialogs_have_room_for_the_message(
    tmp_path: Path, disk: Disk, language: str, size: tuple[int, int]
) -> None:
    deeds: dict[str, tuple[str, ...]] = {"n": ("x", "ctrl+s"), "t": (*"espoo", "enter", "x", "enter")}
    async with office(tmp_path, notices(3), size, language=language) as (app, pilot):
        disk.room = 0
        for key, then in deeds.items():
            await press(pilot, key, *then)
            assert says_full(app)
            check_grid(app, size)
            box = app.screen.query_one("#box").region
            assert app.screen.query("Caption").last().region.bottom <= box.bottom - 1, text_of(app)
            assert read_in(app, app.screen.query_one("#effect").region) == app.t("errors.store.store_full")
            await press(pilot, "escape")


def read_in(app: Office, region: Region) -> str:
    """Return the words in a part of the screen."""
    lines = text_of(app).splitlines()[region.y : region.bottom]
    return " ".join(" ".join(line[region.x : region.right] for line in lines).split())
