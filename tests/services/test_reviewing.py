"""Reviewing invoices through a real store: every planted mistake is found, and nothing clean is flagged."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from kelmu_backend.population.issued import Fault, make_sheets
from kelmu_backend.population.issued.faults import possible
from kelmu_tui.domain.lists import lists
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.domain.shares import share
from kelmu_tui.services.invoices import NoHead
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.reviewing import Missing, review
from kelmu_tui.store.database import Store
from kelmu_tui.store.thread import StoreThread
from tests.population.issued_support import BILLING, clean, periods, roll
from tests.services.invoices import (
    LMS,
    REIMBURSED,
    AtWork,
    grant_invoices,
    head_of,
    hold,
    kind_of,
    reviewed,
    rules_of,
)

KIND = "lms_2025"
SEEDS = (1, 2)
ALSO: Mapping[Fault, frozenset[str]] = {
    Fault.NEGATIVE_INVOICE: frozenset({"total_wrong"}),
    Fault.ZERO_INVOICE: frozenset({"total_wrong"}),
}
"""What else is found: such an invoice cannot be the sum of its rows."""


@pytest.mark.parametrize("name", [one.id for one in BILLING])
async def test_nothing_clean_is_flagged(name: str, at_work: AtWork, thread: StoreThread) -> None:
    one, seen = lists()[name], 0
    for seed in SEEDS:
        context, issues = at_work(one), clean(seed, name)
        await thread.run(hold, context, one, issues)
        for place, issue in enumerate(issues):
            if issue.bill is None:
                continue
            found = await reviewed(thread, context, one, issue, seed)
            assert found.found == ()
            assert (found.rows, found.total) == (len(issue.rows), Decimal(issue.bill.total).scaleb(-2))
            assert len(found.earlier) == place
            assert found.without == (frozenset() if place else {Missing.EARLIER})
            assert found.since == issues[0].period.first
            seen += 1
    assert seen


@pytest.mark.parametrize(("name", "fault"), [(one.id, fault) for one in BILLING for fault in possible(one)])
async def test_a_planted_mistake_is_found_and_nothing_else(
    name: str, fault: Fault, at_work: AtWork, thread: StoreThread
) -> None:
    one, seen = lists()[name], 0
    for seed in SEEDS:
        context, before = at_work(one), clean(seed, name)[:-1]
        (sheet,) = make_sheets(roll(seed, name), seed, one, periods(one)[-1:], lambda _period: (fault,))
        if not sheet.planted or sheet.issue.bill is None:
            continue
        await thread.run(hold, context, one, [*before, sheet.issue])
        found = await reviewed(thread, context, one, sheet.issue, seed)
        ((_, rows),) = sheet.planted
        assert rules_of(found) - ALSO.get(fault, frozenset()) == {fault.rule}
        assert {row for each in found.found for row in each.finding.rows} == set(rows)
        assert {row.id for row in context.invoices.rows(found, found.found).values()} == set(rows)
        seen += 1
    assert seen


# --- corrections, returns, versions -----------------------------------------------------------------------------------


async def test_the_rows_are_held_against_all_invoices_of_the_period(at_work: AtWork, thread: StoreThread) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    first = head_of(LMS, issue)
    assert first is not None
    wrong = first._replace(total=first.total + Decimal("100.00"))
    right = first._replace(number="c1", corrects=first.number, total=Decimal("-100.00"), rows=0)
    await thread.run(hold, context, LMS, [issue])
    await thread.run(context.invoices.announce, [wrong])
    (found,) = (await reviewed(thread, context, LMS, issue)).found
    assert found.finding == ("total_wrong", (), None, first.total, wrong.total)
    await thread.run(context.invoices.announce, [wrong, right])
    assert (await reviewed(thread, context, LMS, issue)).found == ()


async def test_what_is_said_of_a_finding_holds_when_its_list_comes_anew(at_work: AtWork, thread: StoreThread) -> None:
    context = at_work(LMS)
    (sheet,) = make_sheets(roll(1, LMS.id), 1, LMS, periods(LMS)[-1:], lambda _: (Fault.SHARE_WRONG, Fault.SUM_MISSING))
    await thread.run(hold, context, LMS, [sheet.issue])
    invoices, period = context.invoices, sheet.issue.period.key
    before = await reviewed(thread, context, LMS, sheet.issue)
    assert rules_of(before) == {"share_wrong", "sum_missing"}
    by_rule = {one.finding.rule: one for one in before.found}
    await thread.run(invoices.judge, KIND, period, [by_rule["share_wrong"]], Verdict.DISPUTED, "Katso päivät")
    held = await thread.run(invoices.held, KIND, period)
    assert held is not None
    assert [one.finding.rule for one in held.disputed] == ["share_wrong"]

    # Published anew: the sum is there now, the share is as wrong as it was.
    missing = by_rule["sum_missing"].finding.rows[0]
    rows = [
        row._replace(content=row.content | {"municipal_share_eur": _share(row.content)}) if row.id == missing else row
        for row in sheet.issue.rows
    ]
    await thread.run(partial(hold, version=2), context, LMS, [sheet.issue._replace(rows=rows)])
    assert await thread.run(invoices.held, KIND, period) is None
    after = await reviewed(thread, context, LMS, sheet.issue)
    assert [one.key for one in after.disputed] == [by_rule["share_wrong"].key]
    assert "sum_missing" not in rules_of(after)
    await thread.run(invoices.judge, KIND, period, after.disputed, None)
    held = await thread.run(invoices.held, KIND, period)
    assert held is not None
    assert held.disputed == ()


def _share(content: dict[str, Any]) -> str:
    amount = share("2025", Decimal(content["amount_eur"]), content["days_paid"], content["days_accumulated"])
    return f"{amount:.2f}"


async def test_a_review_is_held_until_its_invoice_changes(at_work: AtWork, thread: StoreThread) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    await thread.run(hold, context, LMS, [issue])
    found = await reviewed(thread, context, LMS, issue)
    held = context.invoices.held
    assert await thread.run(held, KIND, issue.period.key) == found
    assert await thread.run(held, KIND, "2026-01") is None
    first = found.billing.heads[0]
    await thread.run(context.invoices.announce, [first, first._replace(number="c1", corrects=first.number)])
    assert await thread.run(held, KIND, issue.period.key) is None


# --- what is not at hand ----------------------------------------------------------------------------------------------


async def test_what_is_not_at_hand_is_said(at_work: AtWork, thread: StoreThread) -> None:
    for one, missing in (
        (LMS, {Missing.EARLIER, Missing.RESIDENTS}),
        (REIMBURSED, {Missing.EARLIER, Missing.RESIDENTS, Missing.ANSWERS}),
    ):
        context, issue = at_work(one), clean(1, one.id)[-1]
        await thread.run(hold, context, one, [issue])
        found = await review(thread.run, context.invoices, kind_of(one), issue.period.key)
        assert found.without == missing
        assert (found.found, found.earlier) == ((), ())
        # Only the county has answers: those to a municipality are no matter of a review.
        found = await review(thread.run, context.invoices, kind_of(one), issue.period.key, answers={}, residents=())
        assert found.without == {Missing.EARLIER}
        assert "person_unknown" in rules_of(found)
        assert ("answer_missing" in rules_of(found)) is (one is REIMBURSED)


async def test_outside_the_demo_artificial_people_are_unknown(
    at_work: AtWork, thread: StoreThread, store: Store
) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    await thread.run(hold, context, LMS, [issue])
    grant_invoices(store, LMS, demo=False)
    found = await reviewed(thread, context, LMS, issue)
    assert rules_of(found) == {"person_unknown"}
    assert len(found.found) == len(issue.rows)


async def test_a_gap_ends_what_the_rows_are_held_against(at_work: AtWork, thread: StoreThread) -> None:
    context, issues = at_work(LMS), clean(1, LMS.id)[-4:]
    await thread.run(hold, context, LMS, [issues[0], issues[2], issues[3]])
    found = await reviewed(thread, context, LMS, issues[3])
    assert [reading.copy.period for reading in found.earlier] == [issues[2].period.key]
    assert (found.found, found.since) == ((), issues[2].period.first)


async def test_what_was_paid_before_is_found_again(at_work: AtWork, thread: StoreThread) -> None:
    context, issues = at_work(LMS), clean(1, LMS.id)[-2:]
    before, now = issues
    # A payment of the month before is billed once more, under an id of this month.
    twice = before.rows[0]
    again = twice._replace(id="ffff", content=twice.content | {"id": "ffff"})
    assert now.bill is not None
    more = int(Decimal(twice.content["municipal_share_eur"]).scaleb(2))
    now = now._replace(rows=[*now.rows, again], bill=now.bill._replace(total=now.bill.total + more))
    await thread.run(hold, context, LMS, [before, now])
    found = await reviewed(thread, context, LMS, now)
    (duplicate,) = [one for one in found.found if one.finding.rule == "duplicate"]
    assert duplicate.finding.rows == (twice.id, "ffff")
    rows = await thread.run(context.invoices.rows, found, [duplicate])
    assert {row.values["name"] for row in rows.values()} == {twice.content["name"]}
    assert set(rows) == {twice.id, "ffff"}
    # Only what stands on this invoice counts as disputed of it.
    assert await thread.run(context.invoices.summed, found, [duplicate]) == (1, Decimal(more).scaleb(-2))


async def test_without_rows_only_the_total_is_judged(at_work: AtWork, thread: StoreThread) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    head = head_of(LMS, issue)
    assert head is not None
    await thread.run(hold, context, LMS, [issue._replace(rows=[])])
    await thread.run(context.invoices.announce, [head])
    found = await reviewed(thread, context, LMS, issue)
    assert (rules_of(found), found.rows, found.total) == ({"total_wrong"}, 0, Decimal("0.00"))


async def test_what_has_not_come_is_not_reviewed(at_work: AtWork, thread: StoreThread) -> None:
    context, issue = at_work(LMS), clean(1, LMS.id)[-1]
    with pytest.raises(NotHere):
        await reviewed(thread, context, LMS, issue)
    await thread.run(hold, context, LMS, [issue._replace(bill=None)])
    with pytest.raises(NoHead):
        await reviewed(thread, context, LMS, issue)
