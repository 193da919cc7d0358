"""What each rule finds in an invoice of one row or few, and what it says should stand there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.lists import Event, Period, invoices, read_period
from kelmu_tui.domain.review import (
    Answer,
    ChildcareRow,
    Earlier,
    Finding,
    Head,
    Row,
    TreatmentRow,
    UnemploymentRow,
    review,
)

AINO, OTTO = (make_identity_code(date(1990, 1, day), "-", 900).value for day in (1, 2))
NOVEMBER = read_period("2026-11")
OCTOBER_DAYS = Period(date(2026, 10, 5), date(2026, 10, 30))


def _euros(text: str) -> Decimal:
    return Decimal(text)


def benefit(**changes: Any) -> UnemploymentRow:
    """Return a clean row: 20 days at 37 euros that end at day 210, so ten of them at each percentage."""
    row = UnemploymentRow(
        "r1",
        AINO,
        "853",
        OCTOBER_DAYS,
        date(2026, 11, 4),
        20,
        210,
        _euros("740.00"),
        20,
        _euros("111.00"),
        Event.PAID,
    )
    return row._replace(**changes)


def support(**changes: Any) -> ChildcareRow:
    row = ChildcareRow(
        "r1",
        AINO,
        "853",
        "home_care",
        NOVEMBER,
        date(2026, 11, 30),
        _euros("477.68"),
        _euros("100.00"),
        Event.PAID,
    )
    return row._replace(**changes)


def treatment(**changes: Any) -> TreatmentRow:
    row = TreatmentRow(
        "r1",
        AINO,
        "EE",
        Period(date(2026, 2, 3), date(2026, 2, 5)),
        True,
        "TP-1",
        _euros("2400.00"),
        _euros("46.50"),
        _euros("2353.50"),
        date(2026, 3, 10),
    )
    return row._replace(**changes)


ANSWERS = {"TP-1": Answer(_euros("2400.00"), _euros("46.50"))}


def found(rows: Sequence[Row], kind: str = "lms_2025", total: str | None = None, **more: Any) -> tuple[Finding, ...]:
    """Return what a review of an invoice of these rows finds; its total is right unless given."""
    period = read_period("2026-H1") if kind == "treatment_abroad" else NOVEMBER
    one = invoices()[kind]
    right = sum((row.billed for row in rows if row.billed is not None), Decimal(0))
    payer = "02" if kind == "treatment_abroad" else "853"
    head = Head(kind, period, one.sent.on(period), one.due(period), right if total is None else Decimal(total), payer)
    return review(head, iter(rows), **more)


def test_clean_rows_have_no_finding() -> None:
    assert found([benefit()]) == ()
    assert found([support()], "childcare") == ()
    assert found([treatment()], "treatment_abroad", answers=ANSWERS, known={AINO}) == ()
    assert found([]) == ()


@pytest.mark.parametrize(
    ("changes", "rule", "column", "expected", "there"),
    [
        ({"share": _euros("111.01")}, "share_wrong", "municipal_share_eur", _euros("111.00"), _euros("111.01")),
        ({"share": _euros("-111.00")}, "share_wrong", "municipal_share_eur", _euros("111.00"), _euros("-111.00")),
        ({"share_percent": 10}, "percent_wrong", "share_percent", 20, 10),
        ({"municipality": "091"}, "other_municipality", "municipality", "853", "091"),
        ({"identity_code": None}, "person_unknown", "identity_code", None, None),
        ({"identity_code": AINO[:-1] + "?"}, "person_unknown", "identity_code", None, None),
        ({"identity_code": f"010127{'A'}9002"}, "person_unknown", "identity_code", None, None),
        ({"paid_on": date(2026, 10, 31)}, "paid_outside_period", "paid_on", NOVEMBER, date(2026, 10, 31)),
        ({"paid_on": date(2026, 12, 1)}, "paid_outside_period", "paid_on", NOVEMBER, date(2026, 12, 1)),
        ({"days_paid": 0}, "days_impossible", "days_paid", 1, 0),
        ({"days_paid": -20}, "days_impossible", "days_paid", 1, -20),
        (
            {"days_accumulated": 19, "share_percent": 0, "share": _euros("0.00")},
            "days_impossible",
            "days_accumulated",
            20,
            19,
        ),
        (
            {"days_paid": 21, "days_accumulated": 231, "share": _euros("148.00")},
            "days_too_many",
            "days_paid",
            20,
            21,
        ),
        ({"share": None}, "sum_missing", "municipal_share_eur", None, None),
        (
            {"event": Event.RETURNED, "period": Period(date(2026, 3, 1), date(2026, 3, 31))},
            "sum_sign",
            "amount_eur",
            Event.RETURNED,
            _euros("740.00"),
        ),
        (
            {"amount": _euros("-740.00"), "share": _euros("-111.00")},
            "sum_sign",
            "amount_eur",
            Event.PAID,
            _euros("-740.00"),
        ),
        (
            {"days_accumulated": None, "share": _euros("740.01")},
            "row_sum",
            "municipal_share_eur",
            _euros("740.00"),
            _euros("740.01"),
        ),
        (
            {"days_paid": None, "share": _euros("-0.01")},
            "row_sum",
            "municipal_share_eur",
            _euros("740.00"),
            _euros("-0.01"),
        ),
    ],
)
def test_faults_of_a_benefit(changes: dict[str, Any], rule: str, column: str, expected: Any, there: Any) -> None:
    assert found([benefit(**changes)]) == (Finding(rule, ("r1",), column, expected, there),)


@pytest.mark.parametrize(
    ("kind", "first", "last", "bound"),
    [
        ("lms_2025", date(2024, 12, 2), date(2024, 12, 31), date(2025, 1, 1)),
        ("lms_2025", date(2024, 12, 9), date(2025, 1, 3), date(2025, 1, 1)),
        ("earnings_related_2025", date(2024, 12, 9), date(2025, 1, 3), date(2025, 1, 1)),
        ("lms_pre_2025", date(2024, 12, 9), date(2025, 1, 3), date(2024, 12, 31)),
        ("lms_pre_2025", date(2026, 10, 5), date(2026, 10, 30), date(2024, 12, 31)),
    ],
)
def test_a_benefit_of_another_law(kind: str, first: date, last: date, bound: date) -> None:
    period = Period(first, last)
    old = {"share_percent": 0, "share": _euros("0.00")} if kind == "lms_pre_2025" else {}
    expected = Finding("wrong_law", ("r1",), "period", bound, period)
    assert found([benefit(period=period, **old)], kind) == (expected,)


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        ("lms_2025", date(2025, 1, 1), date(2025, 1, 31)),
        ("basic_allowance_2025", date(2025, 1, 1), date(2025, 1, 31)),
        ("lms_pre_2025", date(2024, 12, 2), date(2024, 12, 31)),
    ],
)
def test_a_benefit_at_the_bound_of_its_law(kind: str, first: date, last: date) -> None:
    old = {"share_percent": 0, "share": _euros("0.00")} if kind == "lms_pre_2025" else {}
    assert found([benefit(period=Period(first, last), **old)], kind) == ()


@pytest.mark.parametrize(
    ("changes", "rule", "column", "expected", "there"),
    [
        (
            {"period": read_period("2026-12")},
            "childcare_in_advance",
            "period",
            NOVEMBER,
            read_period("2026-12"),
        ),
        (
            {"supplement": _euros("477.69")},
            "row_sum",
            "municipal_supplement_eur",
            _euros("477.68"),
            _euros("477.69"),
        ),
        ({"amount": None, "supplement": None}, "sum_missing", "amount_eur", None, None),
        ({"municipality": "091"}, "other_municipality", "municipality", "853", "091"),
    ],
)
def test_faults_of_childcare_support(
    changes: dict[str, Any], rule: str, column: str, expected: Any, there: Any
) -> None:
    total = "1.00" if rule == "sum_missing" else None
    assert found([support(**changes)], "childcare", total) == (Finding(rule, ("r1",), column, expected, there),)


@pytest.mark.parametrize(
    ("changes", "rule", "column", "expected", "there"),
    [
        ({"country": "US"}, "country_outside", "country", None, "US"),
        ({"country": "FI"}, "country_outside", "country", None, "FI"),
        ({"request_ref": None, "prior_authorisation": False}, "emergency_billed", "request_ref", None, None),
        ({"request_ref": None}, "answer_missing", "request_ref", None, None),
        ({"request_ref": "TP-2"}, "answer_missing", "request_ref", None, "TP-2"),
        (
            {"cost": _euros("2500.00")},
            "answer_differs",
            "comparable_cost_eur",
            _euros("2400.00"),
            _euros("2500.00"),
        ),
        (
            {"fee": _euros("46.49")},
            "answer_differs",
            "client_fee_eur",
            _euros("46.50"),
            _euros("46.49"),
        ),
        (
            {"reimbursed": _euros("2353.51")},
            "reimbursed_too_much",
            "reimbursed_eur",
            _euros("2353.50"),
            _euros("2353.51"),
        ),
    ],
)
def test_faults_of_treatment_abroad(changes: dict[str, Any], rule: str, column: str, expected: Any, there: Any) -> None:
    rows = [treatment(**changes)]
    assert found(rows, "treatment_abroad", answers=ANSWERS) == (Finding(rule, ("r1",), column, expected, there),)


def test_both_parts_of_an_answer_are_compared() -> None:
    rows = [treatment(cost=_euros("3000.00"), fee=_euros("50.00"))]
    columns = [finding.column for finding in found(rows, "treatment_abroad", answers=ANSWERS)]
    assert columns == ["comparable_cost_eur", "client_fee_eur"]


def test_a_fee_above_the_cost_is_told_once() -> None:
    rows = [treatment(fee=_euros("2400.01"))]
    expected = Finding("row_sum", ("r1",), "client_fee_eur", _euros("2400.00"), _euros("2400.01"))
    assert found(rows, "treatment_abroad") == (expected,)


def test_without_answers_and_known_people_nothing_is_said_of_them() -> None:
    assert found([treatment(request_ref="TP-9", cost=_euros("9000.00"))], "treatment_abroad") == ()
    assert found([benefit(identity_code=OTTO)]) == ()
    assert found([benefit(identity_code=OTTO)], known={AINO}) == (Finding("person_unknown", ("r1",), "identity_code"),)
    assert found([benefit()], artificial=False) == (Finding("person_unknown", ("r1",), "identity_code"),)


def test_what_is_not_shown_is_no_fault() -> None:
    hidden = benefit(municipality=None, period=None, paid_on=None, days_paid=None, share_percent=None, event=None)
    assert found([hidden]) == ()
    assert found([support(municipality=None, supplement=None, support_type=None)], "childcare") == ()
    bare = treatment(country=None, period=None, prior_authorisation=None, request_ref=None, cost=None, fee=None)
    assert found([bare], "treatment_abroad", answers=ANSWERS) == ()


def test_all_rows_of_a_request_are_reimbursed_together() -> None:
    first = treatment(reimbursed=_euros("2000.00"))
    second = treatment(id="r2", reimbursed=_euros("353.50"), paid_on=date(2026, 3, 12))
    assert found([first, second], "treatment_abroad", answers=ANSWERS) == ()
    third = treatment(id="r3", reimbursed=_euros("0.01"), paid_on=date(2026, 3, 13))
    assert found([first, second, third], "treatment_abroad", answers=ANSWERS) == (
        Finding("reimbursed_too_much", ("r1", "r2", "r3"), "reimbursed_eur", _euros("2353.50"), _euros("2353.51")),
    )


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


def test_two_payments_for_the_same_days() -> None:
    second = benefit(
        id="r2",
        period=Period(date(2026, 10, 30), date(2026, 10, 30)),
        days_paid=1,
        days_accumulated=211,
        amount=_euros("37.00"),
        share=_euros("7.40"),
    )
    overlap = Finding("overlap", ("r1", "r2"), "period", None, Period(date(2026, 10, 30), date(2026, 10, 30)))
    assert found([benefit(), second]) == (overlap,)
    # The order of the rows is that of the invoice, whichever began first.
    swapped = [second._replace(id="r1"), benefit(id="r2")]
    assert found(swapped) == (overlap,)
    day_after = second._replace(period=Period(date(2026, 11, 2), date(2026, 11, 2)))
    assert found([benefit(), day_after]) == ()


def test_a_payment_that_came_back_may_be_paid_anew() -> None:
    back = benefit(id="r2", amount=_euros("-740.00"), share=_euros("-111.00"), event=Event.RETURNED)
    anew = benefit(id="r3", amount=_euros("700.00"), share=_euros("105.00"), paid_on=date(2026, 11, 20))
    assert found([benefit(), back, anew]) == ()
    assert [one.rule for one in found([benefit(), anew])] == ["overlap"]
    half = back._replace(period=Period(date(2026, 10, 5), date(2026, 10, 16)), days_paid=10, days_accumulated=200)
    half = half._replace(share=_euros("-74.00"), share_percent=10)
    assert [one.rule for one in found([benefit(), half, anew])] == ["overlap"]


def test_a_short_payment_does_not_hide_a_long_one() -> None:
    long = benefit()
    short = benefit(id="r2", period=Period(date(2026, 10, 5), date(2026, 10, 6)), days_paid=2)
    short = short._replace(amount=_euros("74.00"), share=_euros("14.80"))
    later = short._replace(id="r3", period=Period(date(2026, 10, 29), date(2026, 10, 30)))
    assert [one.rows for one in found([long, short, later])] == [("r1", "r2"), ("r1", "r3")]


def test_types_of_childcare_support_may_run_together() -> None:
    other = support(id="r2", support_type="flexible", amount=_euros("160.00"), supplement=_euros("0.00"))
    assert found([support(), other], "childcare") == ()
    same = other._replace(support_type="home_care")
    assert found([support(), same], "childcare") == (Finding("overlap", ("r1", "r2"), "period", None, NOVEMBER),)


def _back(**changes: Any) -> UnemploymentRow:
    row = benefit(id="b1", amount=_euros("-740.00"), share=_euros("-111.00"), event=Event.CORRECTED)
    return row._replace(**changes)


def test_a_return_of_what_was_never_paid() -> None:
    expected = Finding("returned_without_paid", ("b1",), "period", None, OCTOBER_DAYS)
    # October may have been paid in October, which is not at hand.
    assert found([_back()]) == ()
    since = Earlier(date(2026, 10, 1), ())
    assert found([_back()], earlier=since) == (expected,)
    assert found([_back()], earlier=Earlier(date(2026, 10, 6), ())) == ()
    assert found([benefit(), _back()], earlier=since) == ()
    assert found([_back()], earlier=Earlier(since.since, [benefit(id="e1")])) == ()
    others = [benefit(id="e1", identity_code=OTTO), _back(id="e2")]
    assert found([_back(amount=_euros("-1.00"), share=_euros("-0.15"))], earlier=Earlier(since.since, others)) == (
        expected,
    )
    shorter = [benefit(id="e1", period=Period(date(2026, 10, 6), date(2026, 10, 30)))]
    assert found([_back()], earlier=Earlier(since.since, shorter)) == (expected,)


def test_what_was_paid_before_is_not_paid_again() -> None:
    before = [benefit(id="e1", paid_on=date(2026, 10, 31))]
    earlier = Earlier(date(2026, 10, 1), before)
    assert found([benefit()], earlier=earlier) == (Finding("overlap", ("e1", "r1"), "period", None, OCTOBER_DAYS),)
    late = [benefit(id="e1"), benefit(id="e2")]
    assert found([benefit()], earlier=Earlier(date(2026, 10, 1), late)) == (Finding("duplicate", ("e1", "e2", "r1")),)
    # What is wrong among the earlier rows was found with their own invoice.
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
    assert all(one.expected == _euros("477.68") for one in findings if one.rule == "total_wrong")


def test_other_invoices_may_be_negative_or_zero() -> None:
    assert found([_back()]) == ()
    assert found([], total="0.00") == ()


def test_findings_stand_in_the_order_of_the_invoice() -> None:
    rows = [
        benefit(id="z", municipality="091", share=_euros("1.00")),
        benefit(id="a", identity_code=OTTO, share_percent=50),
        benefit(id="m", share=_euros("1.00"), municipality="091"),
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
