"""The screen in reserve: there before the key that asks for it, of nobody until then, and never used twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.customers import CustomersScreen
from tests.screens.customers import LookUpOffice, logged, looking, whole
from tests.screens.support import check_grid, settled, text_of
from tests.store.customer_lines import answer, head, person
from tests.widgets.support import until

Change = Callable[[LookUpOffice, Pilot[Any]], Awaitable[None]]


def kept(app: LookUpOffice) -> CustomerScreen | None:
    return app._reserve._kept if app._reserve is not None else None


async def listed(app: LookUpOffice, pilot: Pilot[Any]) -> CustomerScreen:
    """Show the list of two customers and return the screen that is put in reserve beside it."""
    answer(app.store, head(), *whole())
    answer(app.store, head(who=person("p3", family_name="Korhonen")), *whole())

    async def show() -> None:
        assert app.desk is not None
        await app.push_screen(CustomersScreen(app.desk))

    app.call_later(show)
    await until(pilot, lambda: isinstance(app.screen, CustomersScreen), "the list")
    return await in_reserve(app, pilot)


async def in_reserve(app: LookUpOffice, pilot: Pilot[Any]) -> CustomerScreen:
    await until(pilot, lambda: (one := kept(app)) is not None and one.ready and bool(one._size), "a reserve")
    await settled(pilot)
    found = kept(app)
    assert found is not None
    return found


async def test_what_lies_in_reserve_is_shown_once_and_is_nobodys_until_then(tmp_path: Path) -> None:
    async with looking(tmp_path) as (app, pilot):
        reserve = await listed(app, pilot)
        assert (reserve.customer, reserve.file) == ("", None)
        assert logged(app) == [("customer_list", None)]
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen is reserve
        first = reserve.customer
        assert logged(app)[1:] == [("customer", first)]
        assert reserve.file is not None
        assert reserve.file.person.family_name in text_of(app)
        check_grid(app, (80, 24))
        await pilot.press("escape")
        again = await in_reserve(app, pilot)
        assert again is not reserve
        assert not reserve.is_running
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.screen is again
        assert again.customer != first
        assert logged(app)[-1] == ("customer", again.customer)


async def test_the_same_is_seen_with_and_without_a_reserve(tmp_path: Path) -> None:
    seen = []
    for number, wanted in enumerate((True, False)):
        async with looking(tmp_path / str(number)) as (app, pilot):
            await listed(app, pilot)
            if not wanted:
                app.drop_reserve()
            await pilot.press("enter")
            await settled(pilot)
            overview, focused = text_of(app), app.focused
            await pilot.press("3")
            await settled(pilot)
            seen.append((overview, focused.id if focused is not None else None, text_of(app)))
    assert seen[0] == seen[1]


async def another_language(app: LookUpOffice, pilot: Pilot[Any]) -> None:
    app.set_language("sv")
    await settled(pilot)


async def another_size(app: LookUpOffice, pilot: Pilot[Any]) -> None:
    await pilot.resize_terminal(120, 40)
    await settled(pilot)


async def another_theme(app: LookUpOffice, pilot: Pilot[Any]) -> None:
    app.theme = "kelmu-light"
    await settled(pilot)


@pytest.mark.parametrize("change", [another_language, another_size, another_theme])
async def test_what_was_made_for_something_else_is_not_shown(tmp_path: Path, change: Change) -> None:
    async with looking(tmp_path) as (app, pilot):
        reserve = await listed(app, pilot)
        await change(app, pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, CustomerScreen)
        assert app.screen is not reserve
        check_grid(app, (app.size.width, app.size.height))
        await until(pilot, lambda: not reserve.is_running, "the end of the old one")


async def test_nothing_made_for_a_desk_outlives_it(tmp_path: Path) -> None:
    async with looking(tmp_path) as (app, pilot):
        reserve = await listed(app, pilot)
        app.drop_reserve()
        assert kept(app) is None
        await until(pilot, lambda: not reserve.is_running, "its end")
