"""What is found in rows together and in the invoice as a whole, and where it is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.domain.lists import Event, Period
from kelmu_tui.domain.review import Earlier, Finding, Row, TreatmentRow, UnemploymentRow
from tests.domain.review.making import (
    ANSWERS,
    NOVEMBER,
    OCTOBER_DAYS,
    OTTO,
    benefit,
    euros,
    found,
    support,
    treatment,
)


def test_all_rows_of_a_request_are_reimbursed_together() -> None:
    first = treatment(reimbursed=euros("2000.00"))
    second = treatment(id="r2", reimbursed=euros("353.50"), paid_on=date(2026, 3, 12))
    assert found([first, second], "treatment_abroad", answers=ANSWERS) == ()
    before = Earlier(date(2025, 7, 1), [first._replace(id="e1", paid_on=date(2025, 12, 30))])
    assert found([second], "treatment_abroad", earlier=before) == ()
    assert [one.rows for one in found([first], "treatment_abroad", earlier=before)] == [("e1", "r1")]
    overpaid = Earlier(before.since, [first, first._replace(paid_on=date(2025, 12, 1))])
    assert found([treatment(request_ref="TP-2")], "treatment_abroad", earlier=overpaid) == ()
    third = treatment(id="r3", reimbursed=euros("0.01"), paid_on=date(2026, 3, 13))
    assert found([first, second, third], "treatment_abroad", answers=ANSWERS) == (
        Finding("reimbursed_too_much", ("r1", "r2", "r3"), "reimbursed_eur", euros("2353.50"), euros("2353.51")),
    )


def test_rows_without_a_request_stand_alone() -> None:
    rows = [
        treatment(id="r1", request_ref=None, reimbursed=euros("2000.00")),
        treatment(id="r2", request_ref=None, reimbursed=euros("2000.00"), identity_code=OTTO),
    ]
    assert found(rows, "treatment_abroad") == ()


@pytest.mark.parametrize(
    ("row", "kind"), [(benefit(), "lms_2025"), (support(), "childcare"), (treatment(), "treatment_abroad")]
)
def test_a_payment_that_is_there_again(row: Row, kind: str) -> None:
    again = [row, row._replace(id="r2"), row._replace(id="r3")]
    assert found(again, kind) == (Finding("duplicate", ("r1", "r2", "r3")),)
    other = row._replace(id="r2", identity_code=OTTO)
    if isinstance(other, TreatmentRow):
        other = other._replace(request_ref="TP-2")
    assert found([row, other], kind) == ()


def test_what_is_not_the_same_payment() -> None:
    other = treatment(id="r2", request_ref="TP-2")
    assert found([treatment(), other], "treatment_abroad") == ()
    # At the first steps all shares are zero; what was paid tells the payments apart.
    free = benefit(days_accumulated=50, share_percent=0, share=euros("0.00"))
    assert [one.rule for one in found([free, free._replace(id="r2", amount=euros("1.00"))])] == ["overlap"]
    unknown = [benefit(paid_on=None), benefit(id="r2", paid_on=None)]
    assert [one.rule for one in found(unknown)] == ["overlap"]


def test_two_payments_for_the_same_days() -> None:
    second = benefit(
        id="r2",
        period=Period(date(2026, 10, 30), date(2026, 10, 30)),
        days_paid=1,
        days_accumulated=211,
        amount=euros("37.00"),
        share=euros("7.40"),
    )
    overlap = Finding("overlap", ("r1", "r2"), "period", None, Period(date(2026, 10, 30), date(2026, 10, 30)))
    assert found([benefit(), second]) == (overlap,)
    # The order of the rows is that of the invoice, whichever began first.
    swapped = [second._replace(id="r1"), benefit(id="r2")]
    assert found(swapped) == (overlap,)
    longer = second._replace(period=Period(date(2026, 10, 29), date(2026, 11, 2)))
    assert [one.found for one in found([benefit(), longer])] == [Period(date(2026, 10, 29), date(2026, 10, 30))]
    day_after = second._replace(period=Period(date(2026, 11, 2), date(2026, 11, 2)))
    assert found([benefit(), day_after]) == ()


def test_a_payment_that_came_back_may_be_paid_anew() -> None:
    back = benefit(id="r2", amount=euros("-740.00"), share=euros("-111.00"), event=Event.RETURNED)
    anew = benefit(id="r3", amount=euros("700.00"), share=euros("105.00"), paid_on=date(2026, 11, 20))
    assert found([benefit(), back, anew]) == ()
    assert [one.rule for one in found([benefit(), anew])] == ["overlap"]
    third = benefit(id="r4", amount=euros("720.00"), share=euros("108.00"), paid_on=date(2026, 11, 25))
    expected = Finding("overlap", ("r3", "r4"), "period", None, OCTOBER_DAYS)
    assert found([benefit(), back, anew, third]) == (expected,)
    again = back._replace(id="r5", paid_on=date(2026, 11, 24))
    assert found([benefit(), back, anew, again, third]) == ()
    half = back._replace(period=Period(date(2026, 10, 5), date(2026, 10, 16)), days_paid=10, days_accumulated=200)
    half = half._replace(share=euros("-74.00"), share_percent=10)
    assert [one.rule for one in found([benefit(), half, anew])] == ["overlap"]
    rest = anew._replace(period=half.period, days_paid=10, days_accumulated=200, share_percent=10)
    assert found([benefit(), half, rest._replace(share=euros("70.00"))]) == ()
    week = Period(date(2026, 10, 5), date(2026, 10, 9))
    shorter = rest._replace(period=week, days_paid=5, days_accumulated=195, amount=euros("180.00"))
    assert found([benefit(), half, shorter._replace(share=euros("18.00"))]) == ()


def test_a_short_payment_does_not_hide_a_long_one() -> None:
    long = benefit()
    short = benefit(id="r2", period=Period(date(2026, 10, 6), date(2026, 10, 7)), days_paid=2)
    short = short._replace(amount=euros("74.00"), share=euros("14.80"))
    later = short._replace(id="r3", period=Period(date(2026, 10, 29), date(2026, 10, 30)))
    assert found([long, short, later]) == (
        Finding("overlap", ("r1", "r2"), "period", None, short.period),
        Finding("overlap", ("r1", "r3"), "period", None, later.period),
    )


def test_types_of_childcare_support_may_run_together() -> None:
    other = support(id="r2", support_type="flexible", amount=euros("160.00"), supplement=euros("0.00"))
    assert found([support(), other], "childcare") == ()
    same = other._replace(support_type="home_care")
    assert found([support(), same], "childcare") == (Finding("overlap", ("r1", "r2"), "period", None, NOVEMBER),)


def _back(**changes: Any) -> UnemploymentRow:
    row = benefit(id="b1", amount=euros("-740.00"), share=euros("-111.00"), event=Event.CORRECTED)
    return row._replace(**changes)


def test_a_return_of_what_was_never_paid() -> None:
    expected = Finding("returned_without_paid", ("b1",), "period", None, OCTOBER_DAYS)
    # October may have been paid in October, which is not at hand.
    assert found([_back()]) == ()
    since = Earlier(date(2026, 10, 1), ())
    assert found([_back()], earlier=since) == (expected,)
    assert found([_back()], earlier=Earlier(date(2026, 10, 5), ())) == (expected,)
    assert found([_back()], earlier=Earlier(date(2026, 10, 6), ())) == ()
    assert found([benefit(), _back()], earlier=since) == ()
    assert found([_back()], earlier=Earlier(since.since, [benefit(id="e1")])) == ()
    others = [benefit(id="e1", identity_code=OTTO), _back(id="e2")]
    assert found([_back(amount=euros("-1.00"), share=euros("-0.15"))], earlier=Earlier(since.since, others)) == (
        expected,
    )
    # Of its own month the invoice itself tells what was paid.
    own = Period(date(2026, 11, 1), date(2026, 11, 30))
    assert [one.rule for one in found([_back(period=own)])] == ["returned_without_paid"]
    assert [one.rule for one in found([_back(period=own._replace(first=date(2026, 10, 31)))])] == []
    shorter = [benefit(id="e1", period=Period(date(2026, 10, 6), date(2026, 10, 30)))]
    assert found([_back()], earlier=Earlier(since.since, shorter)) == (expected,)


def test_what_was_paid_before_is_not_paid_again() -> None:
    before = [benefit(id="e1", paid_on=date(2026, 10, 31))]
    earlier = Earlier(date(2026, 10, 1), before)
    assert found([benefit()], earlier=earlier) == (Finding("overlap", ("e1", "r1"), "period", None, OCTOBER_DAYS),)
    late = [benefit(id="e1"), benefit(id="e2")]
    assert found([benefit()], earlier=Earlier(date(2026, 10, 1), late)) == (Finding("duplicate", ("e1", "e2", "r1")),)
    # What is wrong among the earlier rows was found with their own invoice.
    twice = [benefit(id="e1"), benefit(id="e2", amount=euros("1.00"))]
    assert found([benefit(identity_code=OTTO)], earlier=Earlier(date(2026, 10, 1), twice)) == ()
    assert found([benefit(identity_code=OTTO)], earlier=Earlier(date(2026, 10, 1), late)) == ()


@pytest.mark.parametrize(
    ("total", "rules"),
    [
        ("477.68", []),
        ("477.67", ["total_wrong"]),
        ("0.00", ["total_wrong", "zero_invoice"]),
        ("-477.68", ["total_wrong", "negative_invoice"]),
    ],
)
def test_the_total_is_that_of_the_rows(total: str, rules: list[str]) -> None:
    findings = found([support()], "childcare", total)
    assert [one.rule for one in findings] == rules
    assert all(one.rows == () and one.found == Decimal(total) for one in findings)
    assert all(one.expected == euros("477.68") for one in findings if one.rule == "total_wrong")


def test_other_invoices_may_be_negative_or_zero() -> None:
    assert found([_back()]) == ()
    assert found([], total="0.00") == ()


def test_findings_stand_in_the_order_of_the_invoice() -> None:
    rows = [
        benefit(id="z", municipality="091", share=euros("1.00")),
        benefit(id="a", identity_code=OTTO, share_percent=50),
        benefit(id="m", share=euros("1.00"), municipality="091"),
    ]
    findings = found(rows, total="0.00")
    assert [(one.rule, one.rows) for one in findings] == [
        ("total_wrong", ()),
        ("other_municipality", ("z",)),
        ("share_wrong", ("z",)),
        ("duplicate", ("z", "m")),
        ("percent_wrong", ("a",)),
        ("other_municipality", ("m",)),
        ("share_wrong", ("m",)),
    ]
    assert found(rows, total="0.00") == findings


def test_what_was_paid_before_is_told_at_the_row_of_this_invoice() -> None:
    rows = [benefit(id="r1", identity_code=OTTO, share_percent=50), benefit(id="r2")]
    earlier = Earlier(date(2026, 10, 1), [benefit(id="e1", paid_on=date(2026, 10, 31))])
    findings = found(rows, total="0.00", earlier=earlier)
    assert [one.rule for one in findings] == ["total_wrong", "percent_wrong", "overlap"]
