"""An office that asks for files of the organisation's own, and a home folder with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.own_files import Wanted
from kelmu_tui.screens.own_file import OwnFileScreen
from kelmu_tui.screens.own_table import OwnTableScreen
from kelmu_tui.widgets.picker import PickList
from kelmu_tui.widgets.text_field import LineField
from tests.screens.lists import ListsOffice, listing
from tests.screens.support import press, settled, text_of, type_text
from tests.services.signed_in import MANDATE

ABROAD = "treatment_abroad_reimbursements"
CODES = tuple(make_identity_code(date(1980, 1, 1 + n), "-", 900 + n).value for n in range(3))
PEOPLE = (("Nimi", "Henkilötunnus"), *((f"Nimi {n}", code) for n, code in enumerate(CODES)))


class Asked:
    """What the screen that asked for a file hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.dismissed: list[Any] = []


@asynccontextmanager
async def asking(
    home: Path, wanted: Wanted = Wanted.ANSWERS, size: tuple[int, int] = (80, 24), language: str = "en"
) -> AsyncIterator[tuple[ListsOffice, Pilot[Any], Asked]]:
    """Run an office that has asked for a file."""
    async with listing(home.parent / "store", size, language=language) as (app, pilot):
        app.give(MANDATE, ABROAD)
        asked = Asked()
        assert app.desk is not None
        app.push_screen(OwnFileScreen(app.desk, wanted, asked.heard.append), asked.dismissed.append)
        await settled(pilot)
        yield app, pilot, asked


def entries(app: ListsOffice) -> list[str]:
    return [choice.cells[0] for choice in app.screen.query_one(PickList).matches]


def shown(app: ListsOffice) -> type:
    return type(app.screen)


def typed(app: ListsOffice) -> str:
    return app.screen.query_one(LineField).value


async def opened(app: ListsOffice, pilot: Pilot[Any], name: str) -> OwnTableScreen:
    """Type a name and open the file."""
    await type_text(pilot, name)
    await press(pilot, "enter")
    assert isinstance(app.screen, OwnTableScreen), text_of(app)
    return app.screen
