"""Those whose mandates open no inbox: the customers fetched today are their first screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.customers import CustomersScreen
from kelmu_tui.screens.personas import PersonasScreen
from tests.screens.customers import LookUpOffice, logged, looking, whole
from tests.screens.house import House, running
from tests.screens.support import HOSTILE, LANGUAGES, SESSION, SIZES, check_grid, press, settled, text_of
from tests.store.customer_lines import answer, head, person
from tests.widgets.support import until

RECEPTION = "persona-reception-centre"
NARROW = SESSION._replace(capabilities=frozenset({CUSTOMER_LOOKUP}))


async def shown(app: LookUpOffice) -> None:
    assert app.desk is not None
    await app.push_screen(CustomersScreen(app.desk))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_files_of_today_are_listed_logged_and_opened(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with looking(tmp_path, size, session=NARROW, language=language) as (app, pilot):
        answer(app.store, head(), *whole())
        answer(app.store, head(who=person("p3", family_name=HOSTILE)), *whole())
        app.call_later(shown, app)
        await until(pilot, lambda: isinstance(app.screen, CustomersScreen) and app.screen.ready, "the list")
        await settled(pilot)
        check_grid(app, size)
        assert "Virtanen" in text_of(app)
        assert logged(app) == [("customer_list", None)]
        await press(pilot, "i")
        assert isinstance(app.screen, FindScreen)
        await press(pilot, "escape", "G", "enter")
        assert app.file_screen.customer == app.file_screen.file.person.customer  # type: ignore[union-attr]


async def test_an_empty_list_says_how_to_look_up(tmp_path: Path) -> None:
    async with looking(tmp_path, session=NARROW) as (app, pilot):
        app.call_later(shown, app)
        await until(pilot, lambda: isinstance(app.screen, CustomersScreen) and app.screen.ready, "the list")
        await settled(pilot)
        assert app.t("customer_view.look_up_hint", key="2") in text_of(app)
        assert logged(app) == []
        await press(pilot, "1")
        assert app.t("actions.why.capability")[:40] in text_of(app)


async def test_a_reception_centre_gets_in_by_the_look_up_alone(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready and app.screen.rows.count > 3
        )
        people = app.screen
        assert isinstance(people, PersonasScreen)
        people.rows.jump(RECEPTION)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CustomersScreen), "the list of customers")
        await until(pilot, lambda: app.online, "a connection")
        await pilot.pause()
        assert app.desk is not None
        assert app.desk.session.capabilities >= {CUSTOMER_LOOKUP}
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, FindScreen) and app.screen.ready, "the dialog")
        check_grid(app, (80, 24))
