"""Two people on the same claims: each sees in their own terminal what the other does, through the real backend."""

from __future__ import annotations

from datetime import date
from typing import Any

from textual.pilot import Pilot

from kelmu_backend.population import claims as population
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.screens.claim import ClaimScreen
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claims import ClaimsScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.services.claim_days import parse_day
from kelmu_tui.services.claim_views import ClaimView, Wanted
from kelmu_tui.store.claim_rows import ClaimLine
from kelmu_tui.widgets.text_field import LineField
from tests.screens.house import House, at_work, running
from tests.screens.support import text_of
from tests.widgets.support import until

WORKER, COLLEAGUE = 0, 11
"""Personas of one county who both make claims, by their place in the list."""


def make_claims(house: House) -> None:
    """Let the population have its claims, which come after everything else."""
    ids = SeededIds(6)
    while population.advance(house.database, ids).more:
        pass


async def at_claims(app: KelmuApp, pilot: Pilot[Any], persona: int) -> ClaimsScreen:
    """Sign in and go to the claims."""
    await at_work(app, pilot, persona)
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, ClaimsScreen) and app.screen.ready, "the claims")
    screen = app.screen
    assert isinstance(screen, ClaimsScreen)
    await until(pilot, lambda: screen.rows.count > 0 and not screen.rows.busy, "claims")
    screen.change_wanted(Wanted(ClaimView.ALL))
    await until(pilot, lambda: not screen.rows.busy, "all of them")
    return screen


def first(screen: ClaimsScreen, status: Status) -> ClaimLine:
    """Return the first claim in a state."""
    return next(line for line in screen._known if line.status == status)


def state(screen: ClaimsScreen, claim: str) -> str:
    """Return what is said of the state of a claim."""
    line = next(line for line in screen._known if line.id == claim)
    return screen.cells(line)["state"].text


async def test_who_changes_a_claim_is_seen_by_the_other(house: House) -> None:
    make_claims(house)
    one, two = house.app("one"), house.app("two")
    async with running(one, (120, 40)) as pilot, running(two, (120, 40)) as other:
        mine = await at_claims(one, pilot, WORKER)
        theirs = await at_claims(two, other, COLLEAGUE)
        claim = first(mine, Status.REGISTERED).id
        mine.rows.jump(claim)
        await pilot.pause()
        await pilot.press("e")
        await until(pilot, lambda: isinstance(one.screen, ClaimFormScreen), "the form")
        said = two.t("claim_view.editing", who="O. Rautio")
        await until(other, lambda: state(theirs, claim) == said, "that somebody is at it")
        theirs.rows.jump(claim)
        await other.pause()
        await other.press("enter")
        said = "Outi Rautio muuttaa"
        await until(other, lambda: isinstance(two.screen, ClaimScreen) and said in text_of(two), "the page")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(one.screen, ClaimsScreen), "the list again")
        await until(other, lambda: said not in text_of(two), "that nobody is at it")


async def test_what_one_ends_the_other_sees(house: House) -> None:
    make_claims(house)
    one, two = house.app("one"), house.app("two")
    async with running(one) as pilot, running(two) as other:
        mine = await at_claims(one, pilot, WORKER)
        theirs = await at_claims(two, other, COLLEAGUE)
        today = one.today()
        lasting = [line for line in mine._known if (line.ended_on or line.last or date.max) > today]
        claim = next(line.id for line in lasting if line.status == Status.IN_FORCE)
        mine.rows.jump(claim)
        await pilot.pause()
        await pilot.press("d")
        end = parse_day(one.screen.query_one(LineField).value, today)
        await pilot.press("enter")
        await until(other, lambda: next(x for x in theirs._known if x.id == claim).ended_on == end, "the new last day")
        await until(pilot, lambda: one._status.queued == 0, "an empty outbox")
        await pilot.press("u")
        said = one.t.choice("claim_view.too_late", "claim-end", key="C")[:40]
        await until(pilot, lambda: said in " ".join(text_of(one).split()), "that it is too late")
