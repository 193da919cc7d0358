"""Own claims in a customer's file: those that the file does not tell yet, opening one, and beginning another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from kelmu_tui.api.contract import SectionLine, SectionState
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.domain.sections import Section
from kelmu_tui.screens.claim import ClaimScreen
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.closed import ClosedPartScreen
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.store.customer_rows import Claim
from tests.screens.claims import ClaimsOffice, claim, claiming, words
from tests.screens.customers import whole
from tests.screens.support import SESSION, SIZES, check_grid, press, settled
from tests.store.claim_rows import content
from tests.store.customer_lines import answer, down, head, hidden
from tests.widgets.support import until

OWN = SESSION.organisation.name
NONE = SectionLine(section=Section.CLAIMS, state=SectionState.NONE)


@asynccontextmanager
async def reading(
    folder: Path,
    rows: list[dict[str, Any]],
    size: tuple[int, int] = (120, 40),
    claims: SectionLine | None = None,
    **options: Any,
) -> AsyncIterator[tuple[ClaimsOffice, Pilot[Any]]]:
    """Show the file of somebody on whose benefits these claims are made; `claims` is what it says of them itself."""
    async with claiming(folder, (), size, language="en", **options) as (app, pilot):
        found = head()
        parts = [part if claims is None or part.section is not Section.CLAIMS else claims for part in whole()]
        answer(app.store, found, *parts)
        app.hold([row | {"payee": row["payee"] | {"identity_code": found.person.identity_code}} for row in rows])
        app.call_later(app.show_customer, found.person.customer)
        await until(pilot, lambda: isinstance(app.screen, CustomerScreen) and app.screen.ready, "the file")
        await settled(pilot)
        yield app, pilot


def top(app: ClaimsOffice) -> Screen[Any]:
    return app.screen


def form(app: ClaimsOffice) -> Begin:
    screen = top(app)
    assert isinstance(screen, ClaimFormScreen)
    return screen.begin


async def test_own_claims_stand_before_those_of_the_file_and_open(tmp_path: Path) -> None:
    rows = [claim("mine", status=Status.HEARING, first="2026-11-01")]
    async with reading(tmp_path, rows) as (app, pilot):
        await press(pilot, "5")
        assert [row.id for row in app.file_screen.rows.rows] == ["mine", "c1"]
        assert app.t("claim_view.own_opens", key="enter") in words(app)
        assert app.t("customers.claim.received") in words(app)
        await press(pilot, "enter")
        assert isinstance(top(app), ClaimScreen)
        await press(pilot, "q", "j", "enter")  # that of the file is read, not opened
        assert isinstance(top(app), CustomerScreen)
        assert app.file_screen.has_class("-reading")


async def test_what_the_file_tells_of_an_own_claim_is_not_told_twice(tmp_path: Path) -> None:
    async with reading(tmp_path, [claim("c1")]) as (app, pilot):
        await press(pilot, "5")
        assert [row.id for row in app.file_screen.rows.rows] == ["c1"]
        await press(pilot, "enter")
        assert isinstance(top(app), ClaimScreen)


async def test_how_an_own_claim_stands_is_known_from_the_feed(tmp_path: Path) -> None:
    async with reading(tmp_path, [claim("c1", status=Status.REJECTED)]) as (app, pilot):
        await press(pilot, "5")
        assert app.t("customers.claim.rejected") in words(app)
        assert app.t("customers.claim.in_force") not in words(app)


async def test_overview_and_tab_count_the_own_claims(tmp_path: Path) -> None:
    async with reading(tmp_path, [], claims=NONE) as (app, pilot):
        assert "5 Claims –" in words(app)
        app.hold([claim("new", code=head().person.identity_code)])
        await settled(pilot)
        assert "5 Claims 1" in words(app)
        own = app.t.choice("customers.claim", "in_force").lower()
        said = words(app)
        assert f"{OWN.get('en')}: " in said
        assert own in said
        await press(pilot, "L")
        assert f"{OWN.get(app.t.language)}: " in words(app)


async def test_an_own_claim_that_has_not_left_yet_is_not_told_to_have_come(tmp_path: Path) -> None:
    async with reading(tmp_path, [], claims=NONE) as (app, pilot):
        assert app.desk is not None
        payee = head().person.identity_code
        said = content(payee=payee)
        app.desk.claims.register(said, name="Virtanen, Aino", non_disclosure=False, draft=None)
        await settled(pilot)
        waiting = app.t("customers.claim.waiting")
        assert waiting.lower() in words(app)
        await press(pilot, "5")
        assert waiting in words(app)
        (row,) = app.file_screen.rows.rows
        assert isinstance(row, Claim)
        assert row.received is None
        app.hold([claim(row.id, status=Status.REGISTERED, code=payee)])
        await settled(pilot)
        assert waiting not in words(app)


@pytest.mark.parametrize(
    ("others", "said"),
    [(down(Section.CLAIMS), "customers.state_down"), (hidden(Section.CLAIMS), "customers.hidden.law")],
)
async def test_own_claims_are_told_although_those_of_others_are_not(
    tmp_path: Path, others: SectionLine, said: str
) -> None:
    async with reading(tmp_path, [claim("mine")], claims=others) as (app, _):
        assert f"{OWN.get('en')}: " in words(app)
        assert app.t(said)[:30] in words(app)


async def test_a_claim_that_comes_while_the_file_is_read_appears(tmp_path: Path) -> None:
    async with reading(tmp_path, []) as (app, pilot):
        await press(pilot, "5")
        assert [row.id for row in app.file_screen.rows.rows] == ["c1"]
        app.hold([claim("new", code=head().person.identity_code)])
        await settled(pilot)
        assert [row.id for row in app.file_screen.rows.rows] == ["new", "c1"]


async def test_a_new_claim_begins_with_the_customer_or_a_payment(tmp_path: Path) -> None:
    async with reading(tmp_path, []) as (app, pilot):
        person = head().person
        code, name = person.identity_code, f"{person.family_name}, {person.given_names}"
        await press(pilot, "B")
        assert form(app) == Begin.customer(code, name)
        top(app).dismiss(None)
        await settled(pilot)
        await press(pilot, "4")
        row: Any = app.file_screen.rows.current
        await press(pilot, "B")
        assert form(app) == Begin.payment(code, name, row.benefit, row.period_from, row.period_to, row.net)
        top(app).dismiss(None)
        await settled(pilot)
        await press(pilot, "3")
        row = app.file_screen.rows.current
        await press(pilot, "B")
        assert form(app) == Begin(code, name, row.benefit, row.valid_from, row.valid_to)


async def test_without_the_mandate_no_claim_begins_and_none_is_shown(tmp_path: Path) -> None:
    async with reading(tmp_path, [claim("mine")], session=SESSION) as (app, pilot):
        await press(pilot, "5")
        assert [row.id for row in app.file_screen.rows.rows] == ["c1"]
        app.give("benefit_viewing")
        await press(pilot, "B")
        await until(pilot, lambda: isinstance(app.screen, ClosedPartScreen), "the explanation")


async def test_it_fits_every_size(tmp_path: Path) -> None:
    for size in SIZES:
        async with reading(tmp_path / str(size[0]), [claim("mine")], size) as (app, pilot):
            await press(pilot, "5")
            check_grid(app, size)
