"""Reviewing invoices through a real store: every planted mistake is found, nothing clean is flagged, nothing blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import pytest

from kelmu_backend.lists.publishing import Issue
from kelmu_backend.population.issued import Fault, county_answers, make_sheets
from kelmu_backend.population.issued.faults import possible
from kelmu_tui.domain.lists import KelaList, lists
from kelmu_tui.domain.review import Answer
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context
from kelmu_tui.services.reviewing import Missing, Reviewed, review
from kelmu_tui.store.database import Store
from kelmu_tui.store.thread import StoreThread
from tests.population.issued_support import BILLING, clean, periods, roll
from tests.services.invoices import at_invoices, hold, kind_of

LMS = lists()["list_lms_invoice_persons_2025"]
ABROAD = lists()["list_treatment_abroad_reimbursements"]
SEEDS = (1, 2)
ALSO: Mapping[Fault, frozenset[str]] = {
    Fault.NEGATIVE_INVOICE: frozenset({"total_wrong"}),
    Fault.ZERO_INVOICE: frozenset({"total_wrong"}),
}
"""What else is found: such an invoice cannot be the sum of its rows."""

Hold = Callable[[KelaList], Context]


@pytest.fixture
def at_work(profile: Profile, store: Store) -> Hold:
    return lambda one: at_invoices(profile, store, one)


@pytest.fixture
def thread(store: Store) -> Iterator[StoreThread]:
    found = StoreThread(store)
    yield found
    found.close()


async def reviewed(thread: StoreThread, context: Context, one: KelaList, issue: Issue, seed: int = 1) -> Reviewed:
    people = roll(seed, one.id)
    answers = None
    if one is ABROAD:
        told = county_answers(people, seed, [issue.period])
        answers = {ref: Answer(Decimal(a.cost) / 100, Decimal(a.fee) / 100) for ref, a in told.items()}
    residents = {resident.identity_code for resident in people.residents}
    return await review(
        thread.run, context.invoices, kind_of(one), issue.period.key, residents=residents, answers=answers
    )


def rules_of(found: Reviewed) -> set[str]:
    return {one.finding.rule for one in found.found}


@pytest.mark.parametrize("name", [one.id for one in BILLING])
async def test_nothing_clean_is_flagged(name: str, at_work: Hold, thread: StoreThread) -> None:
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
    name: str, fault: Fault, at_work: Hold, thread: StoreThread
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
