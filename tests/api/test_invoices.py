"""Invoices asked of a real backend and kept in a real store: heads, corrections, and answers that do not fit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from kelmu_backend import policy
from kelmu_backend.lists import publishing
from kelmu_backend.lists.publishing import Bill, Issue, IssuedRow
from kelmu_tui.api.client import Client
from kelmu_tui.api.errors import ApiError, BadAnswer
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.lists import read_period
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.invoice_fetching import refresh_invoices
from kelmu_tui.services.invoices import Billing
from kelmu_tui.services.list_fetching import fetch_list
from kelmu_tui.services.reviewing import review
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.database import Store
from kelmu_tui.store.thread import StoreThread
from tests.api.test_list_fetching import Linked
from tests.api.world import World
from tests.backend.conftest import grant as granted
from tests.services.customers import grant
from tests.services.invoices import ABROAD, NEEDS
from tests.services.signed_in import organisation, session_text
from tests.sync.simulation.disk import Keys
from tests.sync.simulation.record import A

KIND, PERIOD = "treatment_abroad", "2026-H1"
LIST = catalogue()["list_treatment_abroad_reimbursements"]
NUMBER = "6-08-2026-H1"


def rows(*reimbursed: str) -> list[IssuedRow]:
    content = {
        "name": "Virtanen Aino",
        "identity_code": make_identity_code(date(1990, 1, 1), "-", 900).value,
        "country": "EE",
        "treated": {"from": "2026-02-02", "to": "2026-02-03"},
        "prior_authorisation": True,
        "comparable_cost_eur": "900.00",
        "client_fee_eur": "0.00",
        "paid_on": "2026-03-02",
    }
    return [
        IssuedRow(f"{n:04x}", None, content | {"id": f"{n:04x}", "request_ref": f"TP-{n}", "reimbursed_eur": amount})
        for n, amount in enumerate(reimbursed)
    ]


def issue(cents: int, *reimbursed: str, number: str = NUMBER) -> Issue:
    return Issue(read_period(PERIOD), rows(*reimbursed), Bill(kinds()[KIND], number, cents, "08"))


@pytest.fixture
def context(world: World, tmp_path: Path) -> Iterator[Context]:
    with world.core.database.write() as connection:
        policy.replace_grants(connection, "aino", [granted(ABROAD, A)])
        publishing.publish(connection, A.business_id, LIST, issue(50_000, "250.00", "250.00"))
    now = world.clock.now()
    profile = Profile("kelmu", tmp_path / "profile", tmp_path / "settings.toml")
    store = Store.open(tmp_path / "aino", Keys(), world.clock, SeededIds(1))
    worker = organisation(A.business_id, "Pirkanmaa", grants=[grant(ABROAD, principal=A.business_id)])
    lease = {"id": "l1", "until": (now + timedelta(hours=12)).isoformat()}
    put_secrets(store, {"session": session_text(worker, lease=lease, server_time=now.isoformat()), "device": "d" * 32})
    try:
        yield activate(profile, store, A.business_id, SeededIds(2), NEEDS)
    finally:
        store.close()


@pytest.fixture
async def link(world: World, context: Context) -> AsyncIterator[Linked]:
    thread = StoreThread(context.store)
    client = world.lasting_client("aino")
    yield Linked(thread, client)
    await client.close()
    thread.close()


async def came(link: Linked, context: Context) -> Billing:
    (found,) = [one for one in await link.thread.run(context.invoices.calendar) if one.period == PERIOD]
    return found


async def test_what_was_billed_is_kept(link: Linked, context: Context) -> None:
    await refresh_invoices(link, context)
    found = await came(link, context)
    (head,) = found.heads
    assert tuple(head) == (
        NUMBER,
        KIND,
        PERIOD,
        date(2026, 7, 15),
        date(2026, 7, 28),
        Decimal("500.00"),
        2,
        LIST.id,
        "08",
        None,
    )
    assert (found.kind.sent.on(read_period(PERIOD)), found.kind.due(read_period(PERIOD))) == (head.sent_on, head.due_on)


async def test_a_correction_adds_to_the_first_one(world: World, link: Linked, context: Context) -> None:
    await fetch_list(link, context, LIST.id, PERIOD, lambda *_: None)
    with world.core.database.write() as connection:
        corrected = issue(-20_000, "300.00", number=f"{NUMBER}-2")
        publishing.republish(connection, A.business_id, LIST, corrected, world.clock.now())
    await refresh_invoices(link, context)
    await fetch_list(link, context, LIST.id, PERIOD, lambda *_: None)
    found = await came(link, context)
    first, second = found.heads
    assert (second.corrects, second.total, second.rows) == (first.number, Decimal("-200.00"), -1)
    assert found.total == Decimal("300.00")
    reviewed = await review(link.thread.run, context.invoices, KIND, PERIOD)
    assert (reviewed.found, reviewed.total, reviewed.rows) == ((), Decimal("300.00"), 1)


async def test_a_total_that_does_not_add_up_is_found(world: World, link: Linked, context: Context) -> None:
    with world.core.database.write() as connection:
        publishing.republish(connection, A.business_id, LIST, issue(100, "250.00", number="x"), world.clock.now())
    await refresh_invoices(link, context)
    await fetch_list(link, context, LIST.id, PERIOD, lambda *_: None)
    (found,) = (await review(link.thread.run, context.invoices, KIND, PERIOD)).found
    assert found.finding == ("total_wrong", (), None, Decimal("250.00"), Decimal("501.00"))


async def test_without_a_mandate_nothing_is_told(world: World, link: Linked, context: Context) -> None:
    await refresh_invoices(link, context)
    with world.core.database.write() as connection:
        policy.replace_grants(connection, "aino", [])
    with pytest.raises(ApiError) as caught:
        await refresh_invoices(link, context)
    assert caught.value.code in ("mandate_missing", "organisation_not_allowed")


def _answer(**changes: Any) -> dict[str, Any]:
    head = {
        "number": NUMBER,
        "invoice": KIND,
        "period": PERIOD,
        "sent_on": "2026-07-15",
        "due_on": "2026-07-28",
        "total": "500.00",
        "rows": 2,
        "list_id": LIST.id,
        "payer": "08",
        "corrects": None,
    }
    return head | changes


class Says(httpx.AsyncBaseTransport):
    """A backend that says these invoices."""

    def __init__(self, *heads: dict[str, Any]) -> None:
        self._body = json.dumps({"invoices": heads, "server_time": "2026-11-23T08:00:00Z"}).encode()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=self._body, request=request)


async def _said(world: World, *heads: dict[str, Any]) -> list[str]:
    client: Client = world.lasting_client("aino", Says(*heads))
    try:
        return [one.number for one in (await client.invoices(A.business_id)).invoices]
    finally:
        await client.close()


async def test_kinds_that_the_program_does_not_know_are_left_out(world: World) -> None:
    unknown = _answer(number="n9", invoice="general_support_2026", list_id="list_general_support", period="2026-10")
    assert await _said(world, unknown, _answer()) == [NUMBER]


@pytest.mark.parametrize(
    "changes",
    [
        {"list_id": "list_lms_invoice_persons"},
        {"period": "2026-06"},
        {"period": "2026-13"},
        {"due_on": "2026-07-14"},
        {"sent_on": "15.7.2026"},
        {"total": "500.001"},
        {"total": "lots"},
        {"payer": "Pirkanmaa"},
        {"rows": -1},
        {"rows": None},
        {"corrects": NUMBER},
        {"number": ""},
    ],
)
async def test_an_invoice_that_does_not_fit_is_refused(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        await _said(world, _answer(**changes))


async def test_two_invoices_with_one_number_are_refused(world: World) -> None:
    with pytest.raises(BadAnswer):
        await _said(world, _answer(), _answer(period="2025-H2"))
