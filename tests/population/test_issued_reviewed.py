"""The review finds every mistake that the record's lists may hold, and nothing in clean ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from kelmu_backend.lists.publishing import Issue
from kelmu_backend.population.issued import Fault, county_answers, make_sheets
from kelmu_backend.population.issued.faults import possible
from kelmu_tui.domain.lists import KelaList, invoices, lists
from kelmu_tui.domain.review import Answer, Earlier, Finding, Head, Shape, read_row, review, shape_of

from .issued_support import BILLING, SEEDS, clean, periods, roll

RULE_OF: Mapping[Fault, str] = {Fault.STRANGER: "person_unknown"}
"""Rules that are not named as the mistake."""
ALSO: Mapping[Fault, frozenset[str]] = {
    Fault.NEGATIVE_INVOICE: frozenset({"total_wrong"}),
    Fault.ZERO_INVOICE: frozenset({"total_wrong"}),
}
"""What else is found: such an invoice cannot be the sum of its rows."""


def _found(seed: int, one: KelaList, issue: Issue, before: Sequence[Issue]) -> tuple[Finding, ...]:
    assert one.invoice is not None
    if issue.bill is None:
        return ()
    kind, shape, people = invoices()[one.invoice], shape_of(one.invoice), roll(seed, one.id)
    answers = None
    if shape is Shape.TREATMENT_ABROAD:
        told = county_answers(people, seed, [issue.period])
        answers = {ref: Answer(Decimal(a.cost) / 100, Decimal(a.fee) / 100) for ref, a in told.items()}
    total = Decimal(issue.bill.total) / 100
    head = Head(kind.id, issue.period, kind.sent.on(issue.period), kind.due(issue.period), total, issue.bill.payer)
    since = before[0].period.first if before else issue.period.first
    earlier = (read_row(shape, row.content) for past in before for row in past.rows)
    return review(
        head,
        (read_row(shape, row.content) for row in issue.rows),
        known={resident.identity_code for resident in people.residents},
        answers=answers,
        earlier=Earlier(since, earlier),
    )


@pytest.mark.parametrize("name", [one.id for one in BILLING])
def test_nothing_clean_is_flagged(name: str) -> None:
    one, reviewed = lists()[name], 0
    for seed in SEEDS:
        issues = clean(seed, name)
        for place, issue in enumerate(issues):
            reviewed += issue.bill is not None
            assert _found(seed, one, issue, ()) == ()
            assert _found(seed, one, issue, issues[:place]) == ()
    assert reviewed


@pytest.mark.parametrize(("name", "fault"), [(one.id, fault) for one in BILLING for fault in possible(one)])
def test_a_planted_mistake_is_found_and_nothing_else(name: str, fault: Fault) -> None:
    one, found = lists()[name], 0
    rule = RULE_OF.get(fault, fault.value)
    for seed in SEEDS:
        (sheet,) = make_sheets(roll(seed, name), seed, one, periods(one)[-1:], lambda _period: (fault,))
        if not sheet.planted or sheet.issue.bill is None:
            continue
        findings = _found(seed, one, sheet.issue, clean(seed, name)[:-1])
        ((_, rows),) = sheet.planted
        assert {finding.rule for finding in findings} - ALSO.get(fault, frozenset()) == {rule}
        assert {row for finding in findings for row in finding.rows} == set(rows)
        found += 1
    assert found
