"""The own look-ups on the screen: read page by page, with names while files are held, kept nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.screens.closed import ClosedPartScreen
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.history import HistoryScreen
from kelmu_tui.screens.palette import PaletteScreen
from kelmu_tui.sync.status import Connection
from tests.screens.customers import logged, whole
from tests.screens.look_ups import PAGE, arrive, logs, own
from tests.screens.support import HOSTILE, LANGUAGES, SESSION, SIZES, check_grid, press, settled, text_of, type_text
from tests.services.signed_in import MANDATE
from tests.store.customer_lines import answer, head, person
from tests.widgets.support import until


def words(app: Any) -> str:
    return " ".join(text_of(app).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_own_look_ups_are_shown_with_purpose_case_and_outcome(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    log = [own(1, reason="Asiakas soitti"), own(2, outcome="not_found", customer=None, masked_code=None)]
    async with logs(tmp_path, log, size, language=language) as (app, pilot):
        screen = await arrive(app, pilot, "H")
        assert isinstance(screen, HistoryScreen)
        check_grid(app, size)
        assert app.t("look_ups.history") in text_of(app)
        assert "******-*001" in text_of(app)
        if size[1] >= 24:
            assert "Asiakas soitti" in text_of(app)
        await press(pilot, "j")
        check_grid(app, size)
        if size[0] >= 80:
            assert app.t("look_ups.outcome.not_found") in text_of(app)


async def test_no_look_up_is_said(tmp_path: Path) -> None:
    async with logs(tmp_path, []) as (app, pilot):
        await arrive(app, pilot, "H")
        assert app.t("look_ups.history_empty") in words(app)
        await press(pilot, "enter", "q")
        assert app.screen is app.inbox


async def test_the_next_pages_come_as_one_moves_down(tmp_path: Path) -> None:
    log = [own(number) for number in range(2 * PAGE + 5)]
    async with logs(tmp_path, log) as (app, pilot):
        screen = await arrive(app, pilot, "H")
        assert screen.rows.count == PAGE
        assert app.t("look_ups.more_follow") in text_of(app)
        await press(pilot, "G")
        assert screen.rows.count == 2 * PAGE
        assert screen.rows.current_key == f"l{PAGE - 1:03d}"
        await press(pilot, "G")
        assert screen.rows.count == 2 * PAGE + 5
        assert app.t("look_ups.more_follow") not in text_of(app)
        await press(pilot, "G", "j")
        assert len(app.requests) == 3
        assert screen.rows.current_key == f"l{2 * PAGE + 4:03d}"


async def test_a_page_that_does_not_come_leaves_what_was_read(tmp_path: Path) -> None:
    async with logs(tmp_path, [own(number) for number in range(PAGE + 1)]) as (app, pilot):
        screen = await arrive(app, pilot, "H")
        app.away = True
        await press(pilot, "G")
        assert screen.rows.count == PAGE
        assert app.t("look_ups.offline")[:40] in words(app)
        app.away = False
        await press(pilot, "j")
        assert screen.rows.count == PAGE + 1


async def test_without_a_connection_it_says_that_nothing_is_kept(tmp_path: Path) -> None:
    async with logs(tmp_path, [own(1)]) as (app, pilot):
        app.away = True
        app.set_status(state=Connection.OFFLINE)
        screen = await arrive(app, pilot, "H")
        assert app.t("look_ups.offline")[:40] in words(app)
        check_grid(app, (80, 24))
        await press(pilot, "R")
        assert app.t("actions.why.offline")[:40] in words(app)
        app.away = False
        app.set_status(state=Connection.ONLINE)
        await press(pilot, "R")
        assert screen.rows.count == 1
        assert app.t("look_ups.history_about")[:20] not in words(app)


async def test_names_are_shown_while_files_are_held_and_logged_before(tmp_path: Path) -> None:
    async with logs(tmp_path, [own(1), own(2)]) as (app, pilot):
        answer(app.store, head(), *whole())
        await arrive(app, pilot, "H")
        assert "Virtanen" in text_of(app)
        assert "******-*002" in text_of(app)
        assert logged(app) == [("customer_list", None)]
        await press(pilot, "enter")
        assert isinstance(app.screen, CustomerScreen)
        assert logged(app)[-1] == ("customer", "p1")
        await press(pilot, "q", "j", "enter")
        assert isinstance(app.screen_stack[-1], HistoryScreen)
        assert app.t("look_ups.not_held", key="2")[:30] in words(app)
        app.desk.customers.forget("p1")  # type: ignore[union-attr]
        await settled(pilot)
        await until(pilot, lambda: "Virtanen" not in text_of(app), "the name's end")
        assert "******-*001" in text_of(app)


async def test_a_filter_narrows_what_was_read(tmp_path: Path) -> None:
    log = [own(1, case_reference="A-1"), own(2, case_reference="B-2")]
    async with logs(tmp_path, log, (120, 40)) as (app, pilot):
        screen = await arrive(app, pilot, "H")
        await press(pilot, "slash")
        await type_text(pilot, "B-2")
        await until(pilot, lambda: screen.rows.count == 1, "one row")
        assert screen.rows.current_key == "l002"


async def test_what_others_wrote_is_only_text(tmp_path: Path) -> None:
    log = [own(1, reason=HOSTILE, case_reference=HOSTILE[:12]), own(2, outcome="odd")]
    async with logs(tmp_path, log, (120, 40)) as (app, pilot):
        answer(app.store, head(who=person(family_name=HOSTILE)), *whole())
        await arrive(app, pilot, "H")
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
        await press(pilot, "j")
        assert "odd" in text_of(app)


async def test_it_is_found_in_the_palette_and_closed_without_the_mandate(tmp_path: Path) -> None:
    async with logs(tmp_path, []) as (app, pilot):
        await press(pilot, "colon")
        assert isinstance(app.screen, PaletteScreen)
        await type_text(pilot, "omat haut")
        await press(pilot, "enter")
        assert isinstance(app.screen, HistoryScreen)
    narrow = SESSION._replace(capabilities=frozenset({NOTICES_INBOX}))
    async with logs(tmp_path / "narrow", [], session=narrow, mandates=(MANDATE,)) as (app, pilot):
        await press(pilot, "H")
        assert isinstance(app.screen, ClosedPartScreen)
        assert app.requests == []
