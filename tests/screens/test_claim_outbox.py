"""Commands on claims in the outbox: in words, with why they were refused, and mended in the form."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.i18n import LANGUAGES
from kelmu_tui.screens.choose import ChooseScreen
from kelmu_tui.screens.claim import ClaimScreen
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.outbox import OutboxScreen
from kelmu_tui.services.claim_words import event_text, refusal_text, status_name
from kelmu_tui.store.rows import CommandLine
from tests.screens.claims import CODE, COLLEAGUE, ClaimsOffice, claim, claiming, words
from tests.screens.support import SIZES, check_grid, press, settled
from tests.store.claim_rows import content
from tests.widgets.support import until

LONGER = date(2027, 9, 30)


def said(**changes: Any) -> Content:
    """Return what a claim says that the rules allow."""
    return content(payee=CODE, **changes)


def top(app: ClaimsOffice) -> Screen[Any]:
    return app.screen


def register(app: ClaimsOffice, **changes: Any) -> str:
    """Register a claim; return the id of the command."""
    assert app.desk is not None
    return app.desk.claims.register(said(**changes), name="Virtanen, Aino", non_disclosure=False, draft=None)


def change(app: ClaimsOffice, id: str, amount: str) -> None:  # noqa: A002
    """Change the sum of a claim."""
    assert app.desk is not None
    app.desk.claims.change(id, replace(said(), amount=Decimal(amount)), None)


def registered(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a claim that can be changed, saying the same as `said`."""
    paid = {"first": "2026-12-01", "last": "2027-01-31", "amount": "400.00", "decided_on": "2026-11-10"}
    return claim(
        id,
        status=Status.REGISTERED,
        basis="social_assistance_23",
        benefit="general_housing_allowance",
        first="2026-12-01",
        last="2027-01-31",
        care_first=None,
        assistance=paid,
        **changes,
    )


async def outbox_of(app: ClaimsOffice, pilot: Pilot[Any]) -> OutboxScreen:
    await press(pilot, "6")
    screen = top(app)
    assert isinstance(screen, OutboxScreen)
    return screen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_command_in_words(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    rows = [claim("prolonged"), claim("ended"), claim("cancelled", status=Status.REGISTERED), registered("changed")]
    async with claiming(tmp_path, rows, size, language=language) as (app, pilot):
        assert app.desk is not None
        claims, today = app.desk.claims, app.today()
        register(app)
        change(app, "changed", "300.00")
        claims.prolong(["prolonged"], LONGER)
        claims.end(["ended"], today, "care_ended")
        claims.cancel(["cancelled"])
        screen = await outbox_of(app, pilot)
        verbs = {row.verb for row in screen.rows.rows}
        assert verbs == {"claim-register", "claim-change", "claim-prolong", "claim-end", "claim-cancel"}
        for row in screen.rows.rows:
            assert screen.cells(row)["verb"].text == app.t.choice("states.verb", row.verb)
            assert screen.cells(row)["about"].text == "Virtanen, Aino"
            screen.rows.jump(row.id)
            await settled(pilot)
            check_grid(app, size)
        if size == SIZES[2]:
            assert app.t("claim_view.column_period") in words(app)


async def test_a_command_that_waits_leads_to_its_claim(tmp_path: Path) -> None:
    async with claiming(tmp_path, [claim("x")], language="en") as (app, pilot):
        assert app.desk is not None
        app.desk.claims.prolong(["x"], LONGER)
        await outbox_of(app, pilot)
        await press(pilot, "enter")
        assert isinstance(top(app), ClaimScreen)
        assert app.t.formats.date(LONGER) in words(app)


async def test_why_a_rule_refused_and_the_form_with_what_was_refused(tmp_path: Path) -> None:
    async with claiming(tmp_path, (), (120, 40), language="en") as (app, pilot):
        register(app)
        app.refuse("rule_refused", "s23_amount_cap")
        screen = await outbox_of(app, pilot)
        row: CommandLine = screen.rows.rows[0]
        assert refusal_text("s23_amount_cap", app.t)[:50] in words(app)
        assert app.t.choice("claim_view.outbox_next", "rule_refused")[:60] in words(app)
        await press(pilot, "enter")
        assert isinstance(top(app), ChooseScreen)
        assert app.t("claim_view.choose_form") in words(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
        form = top(app)
        assert isinstance(form, ClaimFormScreen)
        assert form.begin == Begin.of_draft(row.aggregate)


async def test_a_refused_change_becomes_a_draft_that_is_mended(tmp_path: Path) -> None:
    async with claiming(tmp_path, [registered("x")], (120, 40), language="en") as (app, pilot):
        assert app.desk is not None
        change(app, "x", "300.00")
        now = registered("x", version=2, amount="310.00")
        now["events"].append({"at": "2026-11-20T08:05:00Z", "what": "change", "by": COLLEAGUE})
        app.refuse("version_conflict", current=now)
        app.hold([now])
        await outbox_of(app, pilot)
        text = words(app)
        assert status_name(Status.REGISTERED, app.t) in text
        assert f"{event_text('change', app.t)}, {COLLEAGUE}" in text
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")
        form = top(app)
        assert isinstance(form, ClaimFormScreen)
        draft = app.desk.claims.draft(form.begin.draft or "")
        assert draft is not None
        assert (draft.claim, draft.payee, draft.values["amount"]) == ("x", CODE, "300.00")
        assert all(line.conflict is None for line in app.desk.outbox.lines())


async def test_reload_shows_the_claim_as_it_is_now(tmp_path: Path) -> None:
    async with claiming(tmp_path, [claim("x")], (120, 40), language="en") as (app, pilot):
        assert app.desk is not None
        app.desk.claims.prolong(["x"], LONGER)
        now = claim("x", version=2, status=Status.ENDED, ended_on="2026-11-15")
        app.refuse("rule_refused", "claim_state", now)
        app.hold([now])
        await outbox_of(app, pilot)
        assert refusal_text("claim_state", app.t)[:40] in words(app)
        await press(pilot, "v")
        assert isinstance(top(app), ClaimScreen)
        assert status_name(Status.ENDED, app.t) in words(app)
        assert all(line.conflict is None for line in app.desk.outbox.lines())


async def test_redo_and_discard(tmp_path: Path) -> None:
    async with claiming(tmp_path, [claim("x")], language="en") as (app, pilot):
        assert app.desk is not None
        app.desk.claims.prolong(["x"], LONGER)
        now = claim("x", version=2, status=Status.IN_FORCE)
        app.refuse("version_conflict", current=now)
        app.hold([now])
        await outbox_of(app, pilot)
        await press(pilot, "R")
        assert [(verb, id_) for verb, id_, _ in app.commands()] == [("claim-prolong", "x")]
        await press(pilot, "d", "down", "enter")
        assert app.commands() == []
