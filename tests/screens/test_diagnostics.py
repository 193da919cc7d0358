"""The diagnostics screen: found where one looks for it, kept up by what happens, and free of anything personal."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.screens.about import AboutScreen
from kelmu_tui.screens.diagnostics import DiagnosticsScreen
from kelmu_tui.screens.help import HelpScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.palette import PaletteScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.store import troubles
from kelmu_tui.store.troubles import Part, Trouble
from kelmu_tui.sync.status import Connection
from kelmu_tui.widgets.sheet import Field, Heading, Paragraph
from tests.screens.house import House, at_work, fits, running
from tests.screens.support import LANGUAGES, SIZES, check_grid, text_of
from tests.widgets.support import until


def page(app: KelmuApp) -> str:
    """Return everything on the page, scrolled away or not, a line for each block."""
    screen = app.screen
    assert isinstance(screen, DiagnosticsScreen)
    lines = []
    for block in screen.sheet.blocks:
        match block:
            case Field(label, value):
                lines.append(f"{label} {value}")
            case Heading(text) | Paragraph(text):
                lines.append(text)
    return "\n".join(lines)


async def opened(app: KelmuApp, pilot: Pilot[Any]) -> DiagnosticsScreen:
    await at_work(app, pilot)
    await pilot.press("!")
    await shown(app, pilot)
    screen = app.screen
    assert isinstance(screen, DiagnosticsScreen)
    return screen


async def shown(app: KelmuApp, pilot: Pilot[Any]) -> None:
    await until(
        pilot,
        lambda: isinstance(app.screen, DiagnosticsScreen) and app.screen.ready and bool(app.screen.sheet.blocks),
        "the diagnostics",
    )


async def note(app: KelmuApp, code: str, request_id: str, part: Part = Part.PULL) -> None:
    assert app._thread is not None
    assert app._store is not None
    trouble = Trouble(part, code, 500, request_id, app.now())
    await app._thread.run(troubles.note, app._store, trouble)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_reads_in_every_language_and_size(house: House, language: str) -> None:
    app = house.app(language=language)
    async with running(app) as pilot:
        screen = await opened(app, pilot)
        t = app.t
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, partial(fits, app, size, t("diagnostics.title")), "the page")
            check_grid(app, size)
        text = page(app)
        for heading in ("part_feed", "part_queue", "part_errors", "part_store"):
            assert t.choice("diagnostics", heading) in text
        assert t("diagnostics.leader.this") in text
        assert t.choice("diagnostics.scope", "notices") in text
        assert t("diagnostics.no_errors") in text
        assert "ledger.db-wal" in text
        await pilot.press("G")
        await until(pilot, lambda: screen.sheet.offset_lines > 0 or size[1] >= 40, "the end")
        assert t("actions.main.diagnostics.label") not in text_of(app).splitlines()[-1]


async def test_palette_help_and_about_lead_there(house: House) -> None:
    app = house.app()
    async with running(app, (120, 40)) as pilot:
        await at_work(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.ready)
        await pilot.press(*"vianm")
        await until(pilot, lambda: app.t("actions.main.diagnostics.help")[:30] in text_of(app), "the help")
        await pilot.press("escape", "colon")
        await until(pilot, lambda: isinstance(app.screen, PaletteScreen) and app.screen.ready)
        await pilot.press(*"vianm", "enter")
        await shown(app, pilot)
        await pilot.press("q", "I")
        wanted = app.t("diagnostics.from_about", key="!")
        await until(pilot, lambda: isinstance(app.screen, AboutScreen) and wanted in text_of(app), "the way there")
        await pilot.press("!")
        await shown(app, pilot)
        await pilot.press("!")
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, AboutScreen), "the page below")


async def test_who_is_not_signed_in_is_told_so(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready)
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, AboutScreen) and app.screen.ready)
        await pilot.press("!")
        await until(pilot, lambda: app.t("diagnostics.closed")[:40] in " ".join(text_of(app).split()), "the reason")


async def test_an_error_that_is_noted_shows_at_once_with_a_request_id_in_one_piece(house: House) -> None:
    app = house.app()
    request_id = SeededIds(3).new()
    async with running(app) as pilot:
        await opened(app, pilot)
        await note(app, "internal", request_id)
        await until(pilot, lambda: request_id in page(app), "the error")
        assert app.t("errors.api.internal") in page(app)
        assert "internal 500" in page(app)
        await pilot.press("G", "pageup")  # it stands above what the store tells of itself
        await until(pilot, lambda: any(request_id in line for line in text_of(app).splitlines()), "the request id")
        await note(app, "internal", request_id)
        again = app.t("diagnostics.times", code="internal 500", count=2, first="X", at="Y").split("X")[0]
        await until(pilot, lambda: again in page(app), "the count")


async def test_a_lost_connection_is_seen_without_a_key(house: House) -> None:
    app = house.app()
    async with running(app, (120, 40)) as pilot:
        await at_work(app, pilot)
        house.transport.cut = True
        await pilot.press("d", "!")
        await shown(app, pilot)
        await until(pilot, lambda: app._status.state is Connection.OFFLINE, "being offline")
        await until(pilot, lambda: app.t("errors.api.unreachable") in page(app), "the error")
        await until(pilot, lambda: app.t("diagnostics.oldest") in page(app), "the command that waits")
        assert app.t("states.verb.handle") in page(app)


async def test_the_facts_follow_the_connection_without_a_key(house: House) -> None:
    app = house.app()
    async with running(app, (120, 40)) as pilot:
        await at_work(app, pilot)
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, AboutScreen) and app.t("help.user") in text_of(app), "facts")
        assert app.t("help.problem") not in text_of(app)
        house.transport.cut = True
        app._poke()
        await until(pilot, lambda: app.t("help.problem") in text_of(app), "the cause")
        house.transport.cut = False
        app._poke()
        await until(pilot, lambda: app.t("help.problem") not in text_of(app), "the end of it")


async def test_it_is_read_when_something_happens_and_with_the_minute_only(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        screen = await opened(app, pilot)
        read, times = screen._read, 0

        async def counted() -> Any:
            nonlocal times
            times += 1
            return await read()

        await until(pilot, lambda: not screen._reading, "the reading")
        screen._read = counted
        assert {timer.name for timer in screen._timers} <= {"screen_update"}  # the one of every screen
        app.update_frames()
        await until(pilot, lambda: times == 1 and not screen._reading, "the minute's reading")


async def test_nothing_of_anybody_is_on_the_page(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await pilot.press("enter")
        await pilot.press("q", "t")
        await pilot.press("escape", "d", "!")
        await shown(app, pilot)
        assert app._store is not None
        assert app.desk is not None
        with app._store.read() as db:
            bodies = [json.loads(row[0]) for row in db.execute("SELECT body FROM replica.notice")]
            commands = [row[0] for row in db.execute("SELECT id FROM main.command")]
        needles = {app.desk.session.user_name, app.desk.session.user_id, str(house.folder), *commands}
        for body in bodies:
            person = body["customer"]
            needles |= {body["id"], person["identity_code"], f"{person['family_name']}, {person['given_names']}"}
        assert commands
        assert len(needles) > 20
        assert [needle for needle in needles if needle in page(app)] == []
