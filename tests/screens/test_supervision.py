"""What supervisors see and take along of the organisation's look-ups on the screen, and who gets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import look_up
from kelmu_tui.screens.help import HelpScreen
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.palette import PaletteScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.screens.supervision import SupervisionScreen
from kelmu_tui.screens.supervision_ask import AskScreen
from kelmu_tui.services.audit_typing import Part
from kelmu_tui.widgets.sheet import Field, Paragraph
from tests.screens.house import House, running
from tests.screens.look_ups import (
    CHIEF,
    CODE,
    LOG,
    PAGE,
    arrive,
    audited,
    bodies,
    dialog,
    logs,
    search,
    words,
)
from tests.screens.look_ups import TWO_SIZES as SIZES
from tests.screens.support import LANGUAGES, check_grid, press, text_of, type_text
from tests.widgets.support import until

# --- searching ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_a_search_shows_who_looked_whom_up_with_flags_in_words(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with logs(tmp_path, LOG, size, session=CHIEF, language=language) as (app, pilot):
        await arrive(app, pilot, "S")
        check_grid(app, size)
        assert app.requests == []
        assert app.t("look_ups.nothing_asked") in words(app)
        assert app.t("actions.supervision.sample.help") in words(app)
        await press(pilot, "s")
        check_grid(app, size)
        assert app.t("look_ups.asking.search") in text_of(app)
        assert app.t("look_ups.audit_logged") in words(app)
        await press(pilot, "enter", "enter")
        check_grid(app, size)
        assert app.requests[0].url.params["purpose"] == "monitoring"
        assert "Käyttäjä 0" in text_of(app)
        assert app.t("look_ups.flag.unrelated") in text_of(app)
        assert app.t("look_ups.flag_why.unrelated")[:40] in words(app)
        await press(pilot, "j")
        assert app.t("look_ups.flag_why.unrelated")[:40] not in words(app)


async def test_the_explanation_names_mandate_sections_reason_and_request(tmp_path: Path) -> None:
    log = [audited(1, reason="Asiakas soitti", flags=["self", "sequence"], sections=["payments", "claims"])]
    async with logs(tmp_path, log, (120, 40), session=CHIEF, language="en") as (app, pilot):
        screen = await search(app, pilot)
        assert "req-1" in text_of(app)
        said = " ".join(
            block.text if isinstance(block, Paragraph) else block.value
            for block in screen.explain(screen._all[0])
            if isinstance(block, Paragraph | Field)
        )
        for text in (
            "The user looked up the user's own data.",
            "Neighbouring identity codes were tried",
            "Asiakas soitti",
            "Payments, Payment claims",
            "req-1",
            "Viewing benefit information",
            "Regular own control",
        ):
            assert text in said, text


async def test_a_search_goes_on_as_one_moves_down(tmp_path: Path) -> None:
    log = [audited(number) for number in range(PAGE + 3)]
    async with logs(tmp_path, log, session=CHIEF) as (app, pilot):
        screen = await search(app, pilot)
        await press(pilot, "G")
        assert screen.rows.count == PAGE + 3
        assert app.requests[1].url.params["cursor"] == str(PAGE)
        await press(pilot, "R")
        assert screen.rows.count == PAGE


async def test_a_user_is_chosen_among_the_rows_or_named_by_id_and_a_flag_from_the_list(tmp_path: Path) -> None:
    async with logs(tmp_path, LOG, session=CHIEF, language="en") as (app, pilot):
        screen = await search(app, pilot)
        await press(pilot, "s")
        await type_text(pilot, "Käyttäjä 2")
        await press(pilot, "enter", "enter")
        assert app.requests[-1].url.params["user"] == "user-2"
        assert {row.user for row in screen._all} == {"user-2"}
        await press(pilot, "s", "ctrl+u")
        await type_text(pilot, "user-1")
        await press(pilot, "tab", "tab", "tab", "tab", "down", "enter", "shift+tab", "enter")
        params = app.requests[-1].url.params
        assert (params["user"], len(params.get_list("flag"))) == ("user-1", 5)
        assert {row.user for row in screen._all} == {"user-1"}


async def test_of_two_users_of_one_name_the_one_under_the_cursor_is_meant(tmp_path: Path) -> None:
    log = [audited(number, user_name="Laura Koski") for number in (0, 1, 2)]
    async with logs(tmp_path, log, session=CHIEF) as (app, pilot):
        await search(app, pilot)
        await press(pilot, "s")
        await type_text(pilot, "Laura Koski")
        await press(pilot, "down", "enter", "enter")
        assert app.requests[-1].url.params["user"] == "user-1"


async def test_nothing_that_fits_is_said(tmp_path: Path) -> None:
    async with logs(tmp_path, [], session=CHIEF) as (app, pilot):
        await search(app, pilot)
        assert app.t("look_ups.nothing_found") in words(app)
        assert app.t("look_ups.audit_purpose.monitoring") in words(app)


async def test_days_that_are_none_are_told_before_anything_is_asked(tmp_path: Path) -> None:
    async with logs(tmp_path, LOG, session=CHIEF) as (app, pilot):
        await arrive(app, pilot, "S")
        await press(pilot, "s", "enter", "tab", "tab")
        await type_text(pilot, "31.2.2026")
        await press(pilot, "enter")
        assert app.t("look_ups.unfit.since")[:30] in words(app)
        assert app.requests == []
        await press(pilot, "ctrl+u")
        await type_text(pilot, "2026-11-02")
        await press(pilot, "tab")
        await type_text(pilot, "1.11.2026")
        await press(pilot, "enter")
        assert app.t("look_ups.unfit.until")[:30] in words(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "3.11.2026")
        await press(pilot, "enter")
        params = app.requests[-1].url.params
        assert (params["since"], params["until"]) == ("2026-11-02", "2026-11-03")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_small_terminal_shows_the_list_and_by_a_key_the_whole_look_up(tmp_path: Path, language: str) -> None:
    async with logs(tmp_path, LOG, (40, 12), session=CHIEF, language=language) as (app, pilot):
        await arrive(app, pilot, "S")
        for key in "ste":
            await press(pilot, key)
            check_grid(app, (40, 12))
            await press(pilot, "escape")
        screen = await search(app, pilot)
        check_grid(app, (40, 12))
        assert app.t("look_ups.user") in text_of(app)
        assert "******-*000" not in text_of(app)
        await press(pilot, "enter", "pagedown")
        check_grid(app, (40, 12))
        assert "******-*000" in text_of(app)
        assert "Käyttäjä 1" not in text_of(app)
        assert screen.rows.current_key == "l000"
        await press(pilot, "q")
        assert app.screen is screen
        assert "Käyttäjä 1" in text_of(app)


# --- without a connection, and without the right --------------------------------------------------------------------


async def test_without_a_connection_what_was_typed_stays(tmp_path: Path) -> None:
    async with logs(tmp_path, LOG, session=CHIEF) as (app, pilot):
        screen = await arrive(app, pilot, "S")
        app.away = True
        await press(pilot, "e", "enter")
        await type_text(pilot, CODE.value)
        await press(pilot, "tab")
        await type_text(pilot, "P-7")
        await press(pilot, "enter")
        check_grid(app, (80, 24))
        assert app.t("look_ups.offline")[:40] in words(app)
        assert dialog(app)._field(Part.CASE).value == "P-7"
        assert dialog(app)._field(Part.CODE).value == CODE.value
        app.away = False
        await press(pilot, "enter")
        assert app.screen_stack[-1] is screen
        assert bodies(app)[-1]["case_reference"] == "P-7"


async def test_what_was_typed_is_there_after_leaving_but_for_the_code(tmp_path: Path) -> None:
    async with logs(tmp_path, LOG, session=CHIEF) as (app, pilot):
        await arrive(app, pilot, "S")
        await press(pilot, "e", "enter")
        await type_text(pilot, CODE.value)
        await press(pilot, "tab")
        await type_text(pilot, "P-7")
        await press(pilot, "escape", "e")
        assert dialog(app)._field(Part.CASE).value == "P-7"
        assert dialog(app)._field(Part.CODE).value == ""
        assert app.requests == []


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (403, "mandate_missing", "look_ups.not_supervisor"),
        (422, "customer_code_invalid", "errors.api.customer_code_invalid"),
        (503, "service_break", "errors.api.service_break"),
    ],
)
async def test_what_the_backend_refuses_is_told_and_the_box_stays(
    tmp_path: Path, status: int, code: str, text: str
) -> None:
    async with logs(tmp_path, LOG, session=CHIEF) as (app, pilot):
        await arrive(app, pilot, "S")
        app.refused = (status, code)
        await press(pilot, "s", "enter", "enter")
        assert app.t(text)[:40] in words(app)
        assert isinstance(app.screen, AskScreen)


async def test_who_is_no_supervisor_is_told_why(tmp_path: Path) -> None:
    async with logs(tmp_path, LOG) as (app, pilot):
        await press(pilot, "S")
        assert app.screen is app.inbox
        assert app.t("actions.why.supervision")[:40] in words(app)
        await press(pilot, "colon")
        assert isinstance(app.screen_stack[-1], PaletteScreen)
        await type_text(pilot, "valvo")
        assert app.t("actions.main.supervision.help")[:20] in words(app)
        await press(pilot, "enter")
        assert app.screen is app.inbox
        await press(pilot, "question_mark")
        assert isinstance(app.focused.screen if app.focused else None, HelpScreen)
        await type_text(pilot, "main.supervision")
        assert app.t("actions.why.supervision")[:30] in words(app)
        assert app.requests == []


# --- the whole app --------------------------------------------------------------------------------------------------


async def test_a_supervisor_of_the_backend_sees_the_organisation_s_look_ups(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready and app.screen.rows.count > 3
        )
        people = app.screen
        assert isinstance(people, PersonasScreen)
        people.rows.jump("persona-supervisor")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen_stack[-1], InboxScreen), "the inbox")
        await until(pilot, lambda: app.online, "a connection")
        assert app.desk is not None
        assert app.desk.session.supervisor
        entry = {
            "id": "l1",
            "at": app.clock.now(),
            "user": "persona-county-worker",
            "organisation": app.desk.session.organisation.business_id,
            "person": None,
            "purpose": "social_work",
            "sections": [],
            "flags": ["paused"],
            "outcome": "not_found",
        }
        with house.database.write() as connection:
            connection.execute(insert(look_up), entry)
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen_stack[-1], SupervisionScreen), "the screen")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen_stack[-1], AskScreen) and app.screen.ready, "the box")  # type: ignore[attr-defined]
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.t("look_ups.flag.paused") in text_of(app), "the flag in words")
        check_grid(app, (80, 24))
        await pilot.press("H")
        await until(pilot, lambda: app.t("look_ups.history_empty") in words(app), "no look-ups of one's own")
        with house.database.write() as connection:
            connection.execute(delete(tables.supervisor))
        app.spawn("renew", app._renew(app._revision, shut_out=True))
        await until(pilot, lambda: app.desk is not None and not app.desk.session.supervisor, "the desk of a worker")
        await until(pilot, lambda: isinstance(app.screen_stack[-1], InboxScreen) and app.online, "the inbox anew")
        await pilot.press("S")
        await until(pilot, lambda: app.t("actions.why.supervision")[:40] in words(app), "why it is closed")
