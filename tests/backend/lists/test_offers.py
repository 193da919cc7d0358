"""What is offered to whom: every organisation type, every mandate, the periods that have come, and the invoices."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import insert

from kelmu_backend.database import tables
from kelmu_backend.database.list_tables import invoice, list_row, publication
from kelmu_backend.lists import publishing
from kelmu_backend.lists.publishing import NotPublished
from kelmu_tui.api.contract import Invoices, ListOffers, ProblemCode, billed_column
from kelmu_tui.domain.capabilities import Agreement, Allowed, Reason, capabilities, mandates
from kelmu_tui.domain.lists import access_to, lists, read_period
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType, artificial_id
from tests.backend.conftest import TAMPERE, A, World, grant, organisation_row

from .support import (
    LMS,
    LOOK_UP,
    OCTOBER,
    SHARES,
    bill,
    code_of,
    give,
    issue,
    lines_of,
    path,
    publish,
    republish,
    rows_of,
    withdraw,
)

TYPES = {
    kind: Organisation(artificial_id("93", number), Names("x", "x", "x"), kind, "08", ("837",))
    for number, kind in enumerate(OrganisationType, 1)
}
FINANCING = "unemployment_financing_material"


async def _offers(world: World, user: str, organisation: Organisation = A) -> ListOffers:
    answer = await world.get("/v1/lists", user, organisation)
    assert answer.status_code == 200, answer.text
    return ListOffers.model_validate_json(answer.content)


async def _invoices(world: World, user: str, organisation: Organisation) -> Invoices:
    answer = await world.get("/v1/invoices", user, organisation)
    assert answer.status_code == 200, answer.text
    return Invoices.model_validate_json(answer.content)


@pytest.mark.parametrize("kind", OrganisationType)
async def test_each_type_of_organisation_may_fetch_what_its_mandates_open(world: World, kind: OrganisationType) -> None:
    holder = TYPES[kind]
    with world.database.write() as connection:
        connection.execute(insert(tables.organisation), organisation_row(holder))
        signed = {"organisation": holder.business_id, "valid_from": world.clock.now().date()}
        connection.execute(insert(tables.agreement), signed)
        for one in lists().values():
            publishing.publish(connection, holder.business_id, one, issue(rows_of(range(3))))
    for mandate in sorted(mandates()):
        give(world, "aino", [mandate], holder)
        # The catalogue, read a second time: the list names its mandate and the types of organisations.
        wanted = {one.id for one in lists().values() if one.mandate == mandate and kind in one.organisation_types}
        found = await _offers(world, "aino", holder)
        assert [offer.list_id for offer in found.lists] == list(lists())
        assert {offer.list_id for offer in found.lists if offer.closed is None} == wanted
        for offer in found.lists:
            answer = await world.get(path(lists()[offer.list_id]), "aino", holder)
            if offer.closed is None:
                assert [one.period for one in offer.publications] == [OCTOBER]
                assert len(lines_of(answer)) == 5
            else:
                assert offer.publications == []
                assert code_of(answer) == (403, ProblemCode.MANDATE_MISSING), offer.list_id


async def test_closed_lists_say_why_and_what_would_open_them(world: World) -> None:
    closed = {offer.list_id: offer for offer in (await _offers(world, "aino")).lists}
    assert closed[LMS.id].closed is Reason.NO_MANDATE
    assert closed[LMS.id].mandates == [LOOK_UP]
    assert closed[SHARES.id].closed is Reason.ORGANISATION_TYPE
    assert closed[SHARES.id].mandates == []
    alike = {offer.list_id: offer for offer in (await _offers(world, "lookalike")).lists}
    assert alike[LMS.id].closed is Reason.LOOK_ALIKE


def test_a_list_may_be_for_fewer_than_its_mandate() -> None:
    board = TYPES[OrganisationType.OTHER_AUTHORITY]
    held = capabilities([grant(LOOK_UP, board)], board, None, read_period(OCTOBER).first)
    assert access_to(LMS, held) == held.explain(LMS.id), "without an agreement that is the reason"
    signed = Agreement(board.business_id, read_period("2020").first)
    held = capabilities([grant(LOOK_UP, board)], board, signed, read_period(OCTOBER).first)
    assert isinstance(held.explain(LMS.id), Allowed)
    assert access_to(LMS, held) == (Reason.ORGANISATION_TYPE, ())


async def test_the_periods_that_have_come_are_told_the_newest_first(world: World) -> None:
    for period in ("2026-09", "2026-11", "2025-10", "2026-10", "2025-09"):
        publish(world, LMS, issue(rows_of(range(int(period[-2:]))), period))
    withdraw(world, LMS, "2026-09")
    republish(world, LMS, issue(rows_of(range(4)), "2025-10"))
    (found,) = (offer for offer in (await _offers(world, "viewer")).lists if offer.list_id == LMS.id)
    told = [(one.period, one.version, one.rows, one.withdrawn) for one in found.publications]
    assert told == [("2026-10", 1, 10, False), ("2026-09", 1, 0, True), ("2025-10", 2, 4, False)]
    assert found.publications[2].published_at == world.clock.now()
    assert found.publications[0].published_at.date() == LMS.published.on(read_period("2026-10"))
    assert all(one.expires_at > world.clock.now() for one in found.publications)
    world.pass_by(days=14)
    (found,) = (offer for offer in (await _offers(world, "viewer")).lists if offer.list_id == LMS.id)
    assert [one.period for one in found.publications] == ["2026-11", "2026-10", "2026-09"]


async def test_what_is_over_is_dropped_with_its_rows_and_its_invoice(world: World) -> None:
    for number, period in enumerate(("2025-09", "2026-10")):
        found = issue(rows_of(range(2)), period, bill(SHARES, 100, f"n{number}"))
        publish(world, SHARES, found, TAMPERE)
    with world.database.write() as connection:
        assert publishing.drop_over(connection, world.clock.now()) == 1
        assert publishing.drop_over(connection, world.clock.now()) == 0
    assert [row["period"] for row in world.all(publication)] == ["2026-10"]
    assert [row["period"] for row in world.all(invoice)] == ["2026-10"]
    assert len(world.all(list_row)) == 2


async def test_invoices_are_told_to_those_whose_lists_are_open(world: World) -> None:
    give(world, "bo", [FINANCING], TAMPERE)
    publish(world, SHARES, issue(rows_of(range(3)), OCTOBER, bill(SHARES, 1234567, "i1")), TAMPERE)
    publish(world, SHARES, issue(rows_of(range(2)), "2026-09", bill(SHARES, -5, "i0")), TAMPERE)
    publish(world, SHARES, issue(rows_of(range(2)), "2026-11", bill(SHARES, 1, "i2")), TAMPERE)
    found = (await _invoices(world, "bo", TAMPERE)).invoices
    assert [one.number for one in found] == ["i1", "i0"]
    assert [one.total for one in found] == [Decimal("12345.67"), Decimal("-0.05")]
    assert found[0].model_dump(mode="json") == {
        "number": "i1",
        "invoice": "lms_2025",
        "period": "2026-10",
        "sent_on": "2026-11-16",
        "due_on": "2026-11-30",
        "total": "12345.67",
        "rows": 3,
        "list_id": SHARES.id,
        "payer": "837",
        "corrects": None,
    }
    give(world, "bo", ["childcare_support_material"], TAMPERE)
    assert (await _invoices(world, "bo", TAMPERE)).invoices == []
    answer = await world.get("/v1/invoices", "bo", A)
    assert code_of(answer) == (403, ProblemCode.ORGANISATION_NOT_ALLOWED)


async def test_a_correction_adds_to_the_first_invoice(world: World) -> None:
    give(world, "bo", [FINANCING], TAMPERE)
    publish(world, SHARES, issue(rows_of(range(3)), OCTOBER, bill(SHARES, 1000, "i1")), TAMPERE)
    republish(world, SHARES, issue(rows_of(range(2)), OCTOBER, bill(SHARES, -250, "i2")), TAMPERE)
    correction, first = (await _invoices(world, "bo", TAMPERE)).invoices
    assert (first.number, first.total, first.rows, first.corrects) == ("i1", Decimal("10.00"), 3, None)
    assert (correction.number, correction.total, correction.rows) == ("i2", Decimal("-2.50"), -1)
    assert correction.corrects == "i1"
    assert correction.due_on >= correction.sent_on == world.clock.now().date()
    lines = lines_of(await world.get(path(SHARES), "bo", TAMPERE))
    assert lines[0]["version"] == 2


def test_what_is_not_there_is_neither_withdrawn_nor_published_anew(world: World) -> None:
    with pytest.raises(NotPublished):
        withdraw(world, LMS)
    with pytest.raises(NotPublished):
        republish(world, LMS, issue([]))
    publish(world, LMS, issue([]))
    withdraw(world, LMS)
    with pytest.raises(NotPublished):
        withdraw(world, LMS)


async def test_looking_at_offers_and_invoices_leaves_no_trace_of_customers(world: World) -> None:
    await _offers(world, "viewer")
    await _invoices(world, "viewer", A)
    assert world.audited() == []
    assert billed_column(LMS.id) is None
