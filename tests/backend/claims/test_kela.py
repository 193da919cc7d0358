"""Kela's side of a demo: it comes when its time has come, decides by the rules, pays each day once, and ends."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from kelmu_backend.background import Background
from kelmu_backend.claims.moving import Accept, Acknowledge, NotMovable, Over, Pay
from kelmu_backend.claims.record import LEFT_ALONE
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import claim, claim_payment
from kelmu_backend.database.customer_tables import customer_row
from kelmu_backend.population import kela as module
from kelmu_tui.api import contract
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import B, refusal
from tests.backend.customers.following import begin, followed, look
from tests.backend.customers.support import code

from .support import PAYEE, SCOPE, Claims, claim_id, day, euros, section_23

BENEFIT = "national_pension_disability"


def payment(number: int, on: str, **changes: Any) -> dict[str, Any]:
    """Return a payment of the payee's pension."""
    month = date.fromisoformat(on).replace(day=1)
    row = contract.PaymentRow(
        id=f"p{number}", benefit=BENEFIT, paid_on=day(on), period_from=month, period_to=month + timedelta(days=27),
        gross=euros("700.00"), tax=euros("0.00"), deductions=[], net=euros("700.00"), payee=contract.Payee.CUSTOMER,
        incomes_register=True, status="planned",
    )  # fmt: skip
    return row.model_dump(mode="json") | changes


def granted(**changes: Any) -> dict[str, Any]:
    """Return a decision by which the pension runs."""
    row = contract.DecisionRow(
        id="d1", benefit=BENEFIT, decided=day("2025-01-07"), outcome=contract.DecisionOutcome.GRANTED,
        valid_from=day("2025-01-01"), amount=euros("650.00"),
    )  # fmt: skip
    return row.model_dump(mode="json") | changes


def add(claims: Claims, section: Section, *rows: dict[str, Any]) -> None:
    """Put rows into the payee's file, on their own days."""
    with claims.world.database.write() as connection:
        for row in rows:
            at = date.fromisoformat(row.get("paid_on") or row["decided"])
            values = {"person": "p1", "section": section.value, "id": row["id"], "benefit": row["benefit"], "day": at}
            connection.execute(insert(customer_row).values(**values, body=row, changed=claims.world.clock.now()))


def payments(claims: Claims) -> dict[str, tuple[str, str, str]]:
    """Return status, payee and net of the payments in the payee's file."""
    rows = [row["body"] for row in claims.world.all(customer_row) if row["section"] == "payments"]
    assert all(contract.PaymentRow.model_validate(row) for row in rows)
    return {row["paid_on"]: (row["status"], row["payee"], row["net"]) for row in rows}


def only(monkeypatch: pytest.MonkeyPatch, *, heard: float = 0, rejected: float = 0) -> None:
    """Let chance decide nothing."""
    monkeypatch.setattr(module, "HEARD", heard)
    monkeypatch.setattr(module, "REJECTED", rejected)


async def comes(claims: Claims, **later: float) -> int:
    """Let time pass, and Kela come; return how often it did something."""
    claims.world.pass_by(**later)
    return await Background(claims.world.core).handle_claims()


async def test_it_leaves_a_new_claim_alone_for_a_while_and_then_decides(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, heard=1)
    start = (await claims.world.changes(user="viewer")).cursor
    await claims.made()
    assert await comes(claims, seconds=LEFT_ALONE.total_seconds() - 1) == 0
    statuses = []
    for _ in range(3):
        assert await comes(claims, seconds=100) == 1
        statuses.append((await claims.row()).status)
    assert statuses == [Status.IN_HANDLING, Status.HEARING, Status.IN_FORCE]
    row = await claims.row()
    assert (row.hearing_until, row.decided_on) == (day("2026-12-07"), day("2026-11-23"))
    (change,) = (await claims.world.changes(start, user="viewer")).changes
    assert (change.scope, change.version) == (SCOPE, 4)


async def test_it_rejects_what_a_rule_speaks_against(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    housing = granted(id="d2", benefit="general_housing_allowance", decided="2026-11-10", valid_from="2026-11-01")
    add(claims, Section.DECISIONS, housing)
    await claims.made(1, body=section_23())
    await claims.made(2)
    claims.people.change("p1", died=day("2026-11-23"))  # before its first day: nothing is left to claim
    for _ in range(4):
        await comes(claims, seconds=200)
    first, second = await claims.row(1), await claims.row(2)
    assert (first.status, first.rejection) == (Status.REJECTED, "no_benefit")
    assert (second.status, second.rejection) == (Status.REJECTED, "no_benefit")
    claims.people.change("p1", died=None)
    await claims.made(3, body=section_23())
    for _ in range(2):
        await comes(claims, seconds=200)
    third = await claims.row(3)
    assert (third.status, third.rejection) == (Status.REJECTED, "after_decision")


async def test_it_pays_on_the_payment_days_from_the_payees_payments_and_ends(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    add(claims, Section.PAYMENTS, payment(1, "2026-12-07"), payment(2, "2027-01-07"), payment(3, "2027-02-05"))
    await claims.made(content={"amount": "900.00"})
    for _ in range(2):
        await comes(claims, seconds=200)
    assert (await claims.row()).status is Status.IN_FORCE
    assert await comes(claims, days=13) == 0  # 6 December
    assert await comes(claims, days=1) == 1
    assert payments(claims)["2026-12-07"] == ("paid", "county", "700.00")
    assert await comes(claims, days=31) == 1  # the rest of the sum
    assert await comes(claims, seconds=2) == 1  # and with it the end
    row = await claims.row()
    assert [(one.on, one.amount) for one in row.payments] == [
        (day("2026-12-07"), euros("700.00")),
        (day("2027-01-07"), euros("200.00")),
    ]
    assert payments(claims)["2027-01-07"] == ("paid", "customer", "500.00")
    assert payments(claims)["2027-02-05"] == ("planned", "customer", "700.00")
    assert (row.status, row.end_reason, row.ended_on) == (Status.ENDED, "care_ended", day("2027-02-28"))
    assert [event.what for event in row.events][-3:] == ["paid", "paid", "ended"]
    shown = [one["body"] for one in claims.world.all(customer_row) if one["section"] == "claims"]
    assert shown[0]["status"] == "paid"


async def test_where_only_the_decision_is_known_kela_pays_the_month(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    add(claims, Section.DECISIONS, granted())
    await claims.made(content={"amount": "400.00", "last": None})
    for _ in range(2):
        await comes(claims, seconds=200)
    await comes(claims, days=20)
    await comes(claims, days=31)
    row = await claims.row()
    assert [one.amount for one in row.payments] == [euros("400.00")] * 2  # a month each, until further notice
    assert {(status, payee) for status, payee, _ in payments(claims).values()} == {("paid", "customer")}
    assert row.status is Status.IN_FORCE


async def test_two_claims_share_a_payment_and_neither_is_paid_twice(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    monkeypatch.setattr(module, "CROWDED_OUT", 0)
    add(claims, Section.PAYMENTS, payment(1, "2026-12-07"))
    await claims.made(1, content={"amount": "500.00"})
    await claims.made(2, content={"amount": "500.00"})
    for _ in range(2):
        await comes(claims, seconds=200)
    await comes(claims, days=14)
    taken = {row["claim"]: row["amount"] for row in claims.world.all(claim_payment)}
    assert sorted(taken.values()) == [euros("200.00"), euros("500.00")]
    assert sum(taken.values()) == euros("700.00")
    await comes(claims, seconds=5)
    assert len(claims.world.all(claim_payment)) == 2


async def test_what_the_file_gives_to_an_earlier_claim_goes_to_no_later_one(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kela comes to the later claim first, which gets of the day what is left."""
    only(monkeypatch)
    monkeypatch.setattr(module, "CROWDED_OUT", 0)
    marked = {"deductions": [{"kind": "claim", "amount": "500.00"}], "net": "200.00"}
    add(claims, Section.PAYMENTS, payment(1, "2026-12-07", **marked))
    await claims.made(1, content={"amount": "500.00"})
    claims.in_force(1)
    claims.world.pass_by(seconds=1)
    await claims.made(2, content={"amount": "500.00"})
    claims.in_force(2)
    with claims.world.database.write() as connection:
        for number, hours in ((2, 0), (1, 1)):
            comes_at = claims.world.clock.now() + timedelta(days=14, hours=hours)
            connection.execute(update(claim).where(claim.c.id == claim_id(number)).values(next_at=comes_at))
    await comes(claims, days=14)
    taken = {row["claim"]: row["amount"] for row in claims.world.all(claim_payment)}
    assert taken == {claim_id(2): euros("200.00")}
    for _ in range(2):
        await comes(claims, hours=2)
    taken = {row["claim"]: row["amount"] for row in claims.world.all(claim_payment)}
    assert taken == {claim_id(2): euros("200.00"), claim_id(1): euros("500.00")}
    assert payments(claims)["2026-12-07"] == ("paid", "county", "200.00")


async def test_what_goes_to_a_landlord_is_not_taken(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    add(claims, Section.PAYMENTS, payment(1, "2026-12-07", payee="landlord"))
    await claims.made()
    for _ in range(2):
        await comes(claims, seconds=200)
    await comes(claims, days=14)
    assert (await claims.row()).payments == []
    await comes(claims, days=100)
    row = await claims.row()
    assert (row.status, row.ended_on) == (Status.ENDED, day("2027-02-28"))


async def test_a_death_ends_a_claim(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    await claims.made(content={"last": None})
    for _ in range(2):
        await comes(claims, seconds=200)
    claims.people.change("p1", died=day("2026-12-10"))
    await comes(claims, days=30)
    row = await claims.row()
    assert (row.status, row.end_reason, row.ended_on) == (Status.ENDED, "benefit_ended", day("2026-12-10"))


async def test_a_day_is_paid_once_and_never_more_than_claimed(claims: Claims) -> None:
    await claims.made(content={"amount": "100.00"})
    with pytest.raises(NotMovable):
        claims.move(1, Pay(day("2026-12-07"), euros("10.00")))
    claims.move(1, Acknowledge(), Accept(), Pay(day("2026-12-07"), euros("60.00")))
    for again in (
        Pay(day("2026-12-07"), euros("1.00")),
        Pay(day("2027-01-07"), euros("40.01")),
        Pay(day("2027-01-07"), Decimal(0)),
        Over(day("2026-12-31"), "bored"),
        Over(day("2026-11-30"), "care_ended"),
    ):
        with pytest.raises(NotMovable):
            claims.move(1, again)
    assert (await claims.row()).version == 4
    assert len(claims.world.all(claim_payment)) == 1


async def test_a_follower_is_told_of_the_claim_and_never_its_sum(claims: Claims) -> None:
    await look(claims.people, PAYEE)
    await begin(claims.people, "p1")
    claims.world.clock.pass_by(minutes=1)
    await claims.made()
    (row,) = await followed(claims.people)
    assert [(one.section, one.row, one.what.value) for one in row.changes] == [(Section.CLAIMS, claim_id(1), "claim")]
    assert "900" not in row.model_dump_json(include={"changes"})


async def test_the_payee_of_an_own_claim_is_related_without_a_notice(claims: Claims) -> None:
    """As a notice does, a claim spares the question why; for whoever makes claims, and for no other organisation."""
    await claims.made()
    with claims.world.database.write() as connection:
        connection.execute(delete(tables.notice))
    answer = await claims.people.ask(PAYEE, reason=None)
    assert answer.status_code == 200, answer.text
    assert claims.people.logged()[-1] == ("done", "p1", [])
    other = await claims.people.ask(PAYEE, user="bo", organisation=B)
    assert refusal(other) == (422, "reason_needed", "unrelated")
    again = await claims.register(2, content={"benefit": "guarantee_pension"})
    assert again.status_code == 200, again.text


async def test_whom_nobody_has_looked_up_has_no_claims(claims: Claims) -> None:
    stranger = claims.people.add("p2", code(910), noticed=False)
    for payee in (stranger, code(920)):
        answer = await claims.register(5, content={"payee": payee})
        assert refusal(answer) == (409, "rule_refused", "claim_payee")
    await claims.people.ask(stranger, reason="Puhelu asiakkaalta")
    assert (await claims.register(6, content={"payee": stranger})).status_code == 200
    refused = await claims.register(7, user="carla", content={"payee": stranger, "benefit": "guarantee_pension"})
    assert refused.status_code == 200  # a claim of the organisation relates everybody who makes claims


async def test_an_awaited_benefit_is_paid_for_the_time_that_has_passed(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    past = {"first": "2026-09-01", "last": "2026-10-31"}
    await claims.made(body=section_23(**past, benefit=BENEFIT, assistance={**past, "decided_on": "2026-09-01"}))
    for _ in range(2):
        await comes(claims, seconds=200)
    await comes(claims, days=10)
    assert (await claims.row()).status is Status.IN_FORCE  # its days have passed, and nothing has been granted yet
    granted_late = payment(1, "2026-12-18", period_from="2026-09-01", period_to="2026-12-31", net="2000.00")
    add(claims, Section.PAYMENTS, granted_late)
    await comes(claims, days=31)
    await comes(claims, seconds=2)
    row = await claims.row()
    assert [(one.on, one.amount) for one in row.payments] == [(day("2026-12-18"), euros("600.00"))]
    assert (row.status, row.end_reason) == (Status.ENDED, "assistance_recovered")
    await claims.made(2, body=section_23(**past, benefit=BENEFIT, assistance={**past, "decided_on": "2026-09-01"}))
    for _ in range(2):
        await comes(claims, seconds=200)
    await comes(claims, days=62)
    row = await claims.row(2)
    assert (row.status, row.payments, row.end_reason) == (Status.ENDED, [], "assistance_situation_ended")


async def accepted(claims: Claims) -> None:
    """Let Kela come until it has accepted what was registered."""
    for _ in range(2):
        await comes(claims, seconds=200)


async def test_a_payment_that_had_gone_out_when_the_claim_was_accepted_stays_the_customers(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    gone = payment(1, "2026-11-23", status="paid")
    add(claims, Section.PAYMENTS, gone, payment(2, "2026-12-07"))
    await claims.made(content={"first": "2026-11-01"})
    await accepted(claims)
    await comes(claims, seconds=200)
    assert (await claims.row()).payments == []
    assert payments(claims)["2026-11-23"] == ("paid", "customer", "700.00")
    assert await comes(claims, days=14) == 1
    assert [one.on for one in (await claims.row()).payments] == [day("2026-12-07")]


async def test_nothing_is_paid_after_a_death_and_a_claim_never_becomes_longer(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    add(claims, Section.DECISIONS, granted())
    await claims.made()
    await accepted(claims)
    claims.people.change("p1", died=day("2026-12-10"))
    await comes(claims, days=120)
    await comes(claims, seconds=2)
    row = await claims.row()
    assert [one.on for one in row.payments] == [day("2026-12-07")]
    assert (row.status, row.ended_on) == (Status.ENDED, day("2026-12-10"))
    await claims.made(2)
    await accepted(claims)
    claims.people.change("p1", died=day("2027-03-15"))  # after the last day
    await comes(claims, days=10)
    assert (await claims.row(2)).ended_on == day("2027-02-28")


async def test_what_is_claimed_a_month_is_paid_once_a_month(claims: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    add(claims, Section.PAYMENTS, payment(1, "2026-12-07"), payment(2, "2026-12-29"), payment(3, "2027-01-07"))
    await claims.made(content={"last": None, "amount": "300.00"})
    await accepted(claims)
    for _ in range(60):
        await comes(claims, days=1)
    assert [(one.on, one.amount) for one in (await claims.row()).payments] == [
        (day("2026-12-07"), euros("300.00")),
        (day("2027-01-07"), euros("300.00")),
    ]


async def test_a_claim_waits_for_what_is_paid_for_its_last_days(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch)
    last = payment(1, "2026-12-30", period_from="2026-12-01", period_to="2026-12-31")
    add(claims, Section.PAYMENTS, last)
    await claims.made(content={"last": "2026-12-28"})
    await accepted(claims)
    await comes(claims, days=36)  # 29 December
    assert (await claims.row()).status is Status.IN_FORCE
    assert await comes(claims, days=1) == 1
    assert [one.on for one in (await claims.row()).payments] == [day("2026-12-30")]
    await comes(claims, days=1)
    assert ((await claims.row()).status, (await claims.row()).ended_on) == (Status.ENDED, day("2026-12-28"))
