"""The inbox on the real store: views, filter, sort, marks, commands, undo, new rows, preview, notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.notice import NoticeScreen
from kelmu_tui.screens.transfer import TransferScreen
from kelmu_tui.store import outbox, replica
from kelmu_tui.store.rows import Sort, View
from kelmu_tui.sync.status import Connection
from kelmu_tui.widgets.sheet import Sheet
from tests.screens.support import (
    HOSTILE,
    LANGUAGES,
    SESSION,
    SIZES,
    Office,
    change,
    check_grid,
    notices,
    office,
    pending,
    press,
    settled,
    text_of,
    type_text,
    where,
)
from tests.store.build import OWN, notice, trace
from tests.widgets.support import until


def looks(app: Office) -> list[tuple[str, str | None]]:
    with app.store.read() as db:
        return [
            (view, subject)
            for view, subject in db.execute(
                "SELECT body ->> 'view', body ->> 'subject' FROM view_event ORDER BY number"
            )
        ]


def view(app: Office) -> View:
    return app.inbox.query_now.view


def marked(app: Office) -> set[str]:
    return set(app.inbox.rows.marks)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_paints_in_every_language_and_size(tmp_path: Path, language: str, size: tuple[int, int]) -> None:
    async with office(tmp_path, notices(50), size, language=language) as (app, _):
        text = text_of(app)
        check_grid(app, size)
        assert app.t("inbox.view.unhandled") in text
        assert app.t("inbox.column_customer") in text
        assert app.t("common.section_inbox") in text
        assert "Sukunimi00" in text
        assert app.t("actions.app.help.label") in text.splitlines()[-1]


async def test_the_first_look_is_logged_before_names_are_shown(tmp_path: Path) -> None:
    async with office(tmp_path, notices(5)) as (app, _):
        assert looks(app)[0] == ("list:unhandled", None)


async def test_an_empty_inbox_says_so_and_one_never_filled_says_that(tmp_path: Path) -> None:
    async with office(tmp_path, []) as (app, pilot):
        assert app.t("inbox.empty.unhandled") in text_of(app)
        app.status = app.status._replace(synced_at=None, state=Connection.CONNECTING)
        app.inbox.retranslate()
        await settled(pilot)
        assert app.t("inbox.not_filled") in text_of(app)


async def test_taking_shows_at_once_and_undo_takes_it_back(tmp_path: Path) -> None:
    async with office(tmp_path, notices(20)) as (app, pilot):
        first = where(app)
        await press(pilot, "a")
        assert pending(app) == [("take", first)]
        assert app.pokes == 1
        assert "LK" in text_of(app)
        assert app.t("inbox.done.take", count=1) in text_of(app)
        await press(pilot, "u")
        assert pending(app) == []
        assert app.t("inbox.undone", count=1) in text_of(app)
        await press(pilot, "u")
        assert app.t("actions.why.nothing_to_undo") in text_of(app)


async def test_a_handled_notice_leaves_the_view_and_the_cursor_goes_on(tmp_path: Path) -> None:
    async with office(tmp_path, notices(20)) as (app, pilot):
        await press(pilot, "j")
        keys = [row.id for row in app.inbox.rows.rows]
        await press(pilot, "d")
        assert where(app) == keys[2]
        assert len(app.inbox.rows.rows) == 19
        await press(pilot, "u")
        assert len(app.inbox.rows.rows) == 20


async def test_marks_make_it_bulk_and_the_dot_repeats_it(tmp_path: Path) -> None:
    async with office(tmp_path, notices(20)) as (app, pilot):
        await press(pilot, "x", "x", "j", "x")
        marks = marked(app)
        assert len(marks) == 3
        assert app.t("inbox.marked", count=3) in text_of(app)
        await press(pilot, "a")
        assert {aggregate for verb, aggregate in pending(app) if verb == "take"} == marks
        assert marked(app) == set()
        await press(pilot, "j", "full_stop")
        assert ("take", where(app)) in pending(app)


async def test_views_are_chosen_by_a_few_letters(tmp_path: Path) -> None:
    rows = [*notices(9), notice("done", status="handled", family="Valmis"), trace("gone")]
    async with office(tmp_path, rows) as (app, pilot):
        await press(pilot, "v")
        await type_text(pilot, "kaik")
        await press(pilot, "enter")
        assert view(app) is View.ALL
        assert len(app.inbox.rows.rows) == 10
        await press(pilot, "v", *"siirr", "enter")
        assert view(app) is View.TRANSFERRED
        await until(pilot, lambda: app.t("inbox.trace_note") in text_of(app))
        assert app.t("states.trace.sent")[:10] in text_of(app)
        assert "Helsinki" in text_of(app)


async def test_sorting_keeps_the_cursor_on_its_notice_and_turns_around(tmp_path: Path) -> None:
    async with office(tmp_path, notices(30)) as (app, pilot):
        await press(pilot, *"jjjj")
        before = where(app)
        await press(pilot, "s", *"asia", "enter")
        assert app.inbox.query_now.sort is Sort.CUSTOMER
        assert where(app) == before
        names = [row.customer for row in app.inbox.rows.rows]
        assert names == sorted(names)
        await press(pilot, "s", "enter")
        assert app.inbox.query_now.descending
        assert [row.customer for row in app.inbox.rows.rows] == sorted(names, reverse=True)


async def test_the_filter_narrows_while_typing_and_escape_drops_it(tmp_path: Path) -> None:
    async with office(tmp_path, notices(40)) as (app, pilot):
        await press(pilot, "slash")
        await type_text(pilot, "sukunimi0007")
        await until(pilot, lambda: len(app.inbox.rows.rows) == 1)
        await settled(pilot)
        assert "1/40" in text_of(app)
        await press(pilot, "enter")
        assert "/sukunimi0007" in text_of(app)
        await press(pilot, "j")
        await press(pilot, "escape")
        assert len(app.inbox.rows.rows) == 40
        assert where(app) == "n0007"
        await press(pilot, "slash", *"zzzz")
        await until(pilot, lambda: not app.inbox.rows.rows)
        await settled(pilot)
        assert app.t("inbox.nothing_found", text="zzzz") in text_of(app)
        await press(pilot, "escape")
        assert len(app.inbox.rows.rows) == 40


async def test_letters_typed_into_the_filter_are_never_commands(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        await press(pilot, "slash", *"adtnuq")
        assert isinstance(app.screen, InboxScreen)
        assert pending(app) == []
        assert app.inbox.filtering


async def test_keys_typed_ahead_reach_the_dialog_they_were_meant_for(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        # Nothing waits between the keys: the dialog opens only after its targets have been read.
        await pilot.press("t", *"nokia", "tab", *"muutto", "enter")
        await until(pilot, lambda: bool(pending(app)))
        await settled(pilot)
        assert pending(app) == [("transfer", "n0000")]
        with app.store.read() as db:
            (command,) = outbox.pending(db, OWN)
        assert command.payload == {"municipality": "536", "reason": "muutto"}


async def test_the_preview_follows_the_cursor_and_marks_nothing_read(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        await until(pilot, lambda: "Vapaa teksti 0" in text_of(app))
        await press(pilot, "j")
        await until(pilot, lambda: "Vapaa teksti 1" in text_of(app))
        assert pending(app) == []
        assert ("preview", "n0001") in looks(app)


async def test_a_preview_that_nobody_sees_is_not_logged(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10), (40, 12)) as (app, pilot):
        await press(pilot, "j", "j")
        await settled(pilot)
        assert [view for view, _ in looks(app)] == ["list:unhandled"]
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: ("preview", "n0002") in looks(app))


async def test_enter_opens_the_notice_and_tells_the_team(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        await press(pilot, "enter")
        assert isinstance(app.screen, NoticeScreen)
        assert pending(app) == [("open", "n0000")]
        assert ("notice", "n0000") in looks(app)
        assert "******-*00X" in text_of(app)
        assert "010190-900X" not in text_of(app)
        await press(pilot, "J")
        assert app.t("kinds.full.supplementary_or_preventive_application")[:30] in text_of(app)
        await press(pilot, "n", *"soitin", "ctrl+s")
        assert ("note", "n0001") in pending(app)
        await until(pilot, lambda: "soitin" in text_of(app))
        await press(pilot, "q")
        assert where(app) == "n0001"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_notice_in_every_language_and_size(
    tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    async with office(tmp_path, notices(3), size, language=language) as (app, pilot):
        await press(pilot, "enter")
        check_grid(app, size)
        text = " ".join(text_of(app).split())
        assert "Sukunimi0000" in text
        assert app.t("kinds.full.social_work_need").split()[0] in text
        assert app.t("actions.app.help.label") in text_of(app).splitlines()[-1]


async def test_non_disclosure_shows_a_warning_and_no_address(tmp_path: Path) -> None:
    async with office(tmp_path, [notice("n", non_disclosure=True)]) as (app, pilot):
        await press(pilot, "enter")
        text = text_of(app)
        assert app.t("kinds.field.non_disclosure") in text
        assert "Salainentie" not in text


async def test_a_notice_taken_away_leaves_the_screen(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3)) as (app, pilot):
        await press(pilot, "enter")
        change(app.store, lambda db: replica.remove(db, 1, "n0000"), "notice", keys=["n0000"])
        await until(pilot, lambda: app.t("inbox.notice_gone")[:30] in text_of(app))
        assert "Sukunimi0000" not in text_of(app)


async def test_the_preview_can_be_put_away_and_is_not_read_then(tmp_path: Path) -> None:
    async with office(tmp_path, notices(30)) as (app, pilot):
        await until(pilot, lambda: ("preview", "n0000") in looks(app))
        height = app.inbox.rows.size.height
        await press(pilot, "p", "j")
        await settled(pilot)
        assert not app.inbox.query_one("#preview", Sheet).display
        assert app.inbox.rows.size.height > height
        assert ("preview", "n0001") not in looks(app)
        await press(pilot, "p")
        await until(pilot, lambda: ("preview", "n0001") in looks(app))
        assert app.inbox.query_one("#preview", Sheet).display


async def test_the_pane_key_scrolls_the_preview(tmp_path: Path) -> None:
    long = "\n".join(f"rivi {number}" for number in range(40))
    async with office(tmp_path, [notice("n", free_text=long), notice("m")]) as (app, pilot):
        await until(pilot, lambda: "rivi 0" in text_of(app))
        await press(pilot, "tab", "j", "j", "j")
        assert app.inbox.query_one("#preview", Sheet).offset_lines == 3
        assert where(app) == "n" or where(app) == "m"
        before = where(app)
        await press(pilot, "escape", "j")
        assert where(app) != before


async def test_a_closed_action_says_why(tmp_path: Path) -> None:
    session = SESSION._replace(capabilities=frozenset({NOTICES_INBOX}))
    async with office(tmp_path, notices(3), session=session) as (app, pilot):
        assert app.t("actions.inbox.transfer.label") not in text_of(app).splitlines()[-1]
        await press(pilot, "t")
        assert not isinstance(app.screen, TransferScreen)
        assert app.t("actions.why.capability")[:40] in text_of(app)


async def test_keys_can_be_changed_by_action_id(tmp_path: Path) -> None:
    async with office(tmp_path, notices(3), keys={"inbox.take": "w"}) as (app, pilot):
        await press(pilot, "a")
        assert pending(app) == []
        await press(pilot, "w")
        assert [verb for verb, _ in pending(app)] == ["take"]


async def test_hostile_text_stays_text_everywhere(tmp_path: Path) -> None:
    row = notice("evil", family=HOSTILE, given=HOSTILE, free_text=HOSTILE, assignee="u", assignee_name=HOSTILE)
    row["customer"] |= {"address": HOSTILE, "telephone": HOSTILE}
    row["content"] |= {"kela_worker": HOSTILE, "household": [{"name": HOSTILE, "relation": "child", "born": 2010}]}
    row["notes"] = [{"at": "2026-11-19T07:00:00Z", "by": HOSTILE, "text": HOSTILE}]
    for size in SIZES:
        async with office(tmp_path / f"{size[0]}", [row], size) as (app, pilot):
            check_grid(app, size)
            assert "[b]x[/]" in text_of(app)
            await press(pilot, "enter")
            check_grid(app, size)
            assert "[@click" in text_of(app)
            await press(pilot, "G")
            check_grid(app, size)


async def test_a_resize_to_a_tiny_terminal_and_back_keeps_place_marks_and_filter(tmp_path: Path) -> None:
    async with office(tmp_path, notices(80), (120, 40)) as (app, pilot):
        await press(pilot, "x", "x", *["j"] * 30)
        cursor, marks = where(app), marked(app)
        await pilot.resize_terminal(40, 12)
        await settled(pilot)
        check_grid(app, (40, 12))
        assert any(line.startswith("▌") for line in text_of(app).splitlines())
        await pilot.resize_terminal(120, 40)
        await settled(pilot)
        check_grid(app, (120, 40))
        assert (where(app), marked(app)) == (cursor, marks)


async def test_the_language_changes_while_everything_stays_where_it_is(tmp_path: Path) -> None:
    async with office(tmp_path, notices(20)) as (app, pilot):
        await press(pilot, "x", "j", "j")
        cursor, marks = where(app), marked(app)
        seen = []
        for _ in LANGUAGES:
            seen.append(app.t("inbox.column_due"))
            assert seen[-1] in text_of(app)
            await press(pilot, "L")
        assert len(set(seen)) == 3
        assert (where(app), marked(app)) == (cursor, marks)


async def test_the_top_line_tells_every_state_of_the_connection(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        cases: list[tuple[dict[str, Any], str]] = [
            ({"state": Connection.ONLINE}, "10:00"),
            ({"state": Connection.OFFLINE}, app.t("common.offline_since", at="10:00")),
            ({"state": Connection.FOLLOWING, "leader_silent": True}, app.t("common.leader_silent", at="10:00")),
            ({"state": Connection.CONNECTING}, app.t("common.connecting")),
            ({"state": Connection.SIGNED_OUT}, app.t("common.signed_out")),
            ({"state": Connection.UPDATE_NEEDED}, app.t("common.update_needed")),
            ({"filled": 5, "expected": 10}, app.t("common.filling", done="5", total="10")),
            ({"queued": 4, "filled": 0, "expected": 0}, "↑4"),
            ({"conflicts": 2}, "×2"),
        ]
        for changes, expected in cases:
            app.set_status(**changes)
            await pilot.pause()
            assert expected in text_of(app).splitlines()[0], expected


async def test_ascii_draws_nothing_else(tmp_path: Path) -> None:
    rows = [notice("n", family="Virtanen", free_text="x")]
    async with office(tmp_path, rows, ascii_only=True, language="en") as (app, pilot):
        await press(pilot, "x")
        text = text_of(app)
        assert text.isascii(), [c for c in text if not c.isascii()]
        await press(pilot, "t")
        assert "+-" in text_of(app)


async def test_ctrl_c_hints_and_copies_nothing(tmp_path: Path) -> None:
    async with office(tmp_path, notices(2)) as (app, pilot):
        await press(pilot, "ctrl+c")
        assert app.t("common.ctrl_c") in text_of(app)
        assert app.is_running
        await press(pilot, "q")
        assert app.t("common.quit_hint", key="ctrl+q") in text_of(app)
