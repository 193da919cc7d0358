"""The form in the whole app against the real backend: a claim arrives, and lock and desk leave what was typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from textual.pilot import Pilot

from kelmu_backend.database.claim_tables import claim
from kelmu_backend.database.customer_tables import person
from kelmu_tui.screens import drafting
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claims import ClaimsScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.lock import LockScreen
from kelmu_tui.services.claim_typing import text_of
from tests.screens.claim_forms import form
from tests.screens.house import House, at_work, running
from tests.screens.locked import GOOD, behind_passphrase, cheap_derivation, shut, typed
from tests.widgets.support import until


async def opened(app: KelmuApp, pilot: Pilot[Any]) -> ClaimFormScreen:
    """Open an empty form from the list of claims."""
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, ClaimsScreen) and app.screen.ready, "the claims")
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen) and app.screen._begun, "the form")
    return form(app)


async def test_another_desk_goes_on_with_what_is_typed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        first = await opened(app, pilot)
        await pilot.press(*"0101")
        await until(pilot, lambda: first.values.get("payee") == "0101", "what is typed")
        context = app._working
        assert context is not None
        await app.open_desk(context)
        await until(
            pilot,
            lambda: isinstance(app.screen, ClaimFormScreen) and app.screen is not first and app.screen._begun,
            "the form at the new desk",
        )
        assert form(app).values["payee"] == "0101"
        assert form(app).typing.draft is not None
        form(app).leave_with(("given",))
        assert app.desk is not None
        work = app.claim_work(app.desk)
        await until(pilot, lambda: work.can_undo, "what the form gave, to be taken back")


async def test_the_lock_closes_the_files_and_leaves_what_was_typed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheap_derivation(monkeypatch)
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    app = house.app(name="default")
    async with running(app) as pilot:
        await behind_passphrase(app, pilot)
        await opened(app, pilot)
        await pilot.press(*"0101")
        await until(pilot, lambda: form(app).values.get("payee") == "0101", "what is typed")
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        assert form(app).typing.draft is not None, "it was kept before the files were closed"
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: not isinstance(app.screen, LockScreen), "the form again")
        await pilot.press("9")
        await until(pilot, lambda: form(app).values["payee"] == "01019", "what is typed on")


def somebody(house: House) -> str:
    """Return the identity code of somebody who lives in the county and of whom no claim is made."""
    with house.database.read() as connection:
        claimed = select(claim.c.person)
        living = person.c.municipality == "837", person.c.died.is_(None), person.c.id.not_in(claimed)
        return str(connection.execute(select(person.c.identity_code).where(*living).limit(1)).scalar_one())


async def test_a_claim_made_by_keyboard_arrives_and_is_in_the_list(house: House) -> None:
    app = house.app()
    async with running(app, (100, 40)) as pilot:
        await at_work(app, pilot)
        code = somebody(house)
        screen = await opened(app, pilot)
        await pilot.press(*code, "ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, FindScreen) and app.screen.ready, "the look-up")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.has_class("-reasoned"), "the question why")
        await typed(pilot, "vaatimus", "enter")
        await until(pilot, lambda: app.screen is screen and screen.judging.last.payee is not None, "the payee")
        await typed(pilot, "", "tab", *"23")
        await pilot.press("enter", *"asumistuki", "enter")
        today = app.today()
        first, last, decided = (text_of(today + timedelta(days=days)) for days in (40, 60, -1))
        for text in (first, last, "310,50", first, last, "400", decided):
            await pilot.press(*text, "tab")
        await pilot.press("enter", "enter", "tab", "tab", "tab", *"091234")
        await until(pilot, lambda: screen.judging.last.content is not None, "a whole claim")
        assert screen.judging.last.hindrances == 0, screen.judging.last.findings
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ClaimsScreen), "the list")

        def arrived() -> bool:
            with house.database.read() as connection:
                found = connection.execute(select(claim.c.amount).where(claim.c.handler == "Outi Rautio")).all()
            return any(str(row.amount) == "310.50" for row in found)

        await until(pilot, arrived, "the claim at the backend")
