"""What each rule finds in a row by itself, and what it says should stand there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.lists import Event, Period, read_period
from kelmu_tui.domain.review import Finding
from kelmu_tui.domain.review.row_rules import payable_days
from tests.domain.review.counting import shifted, weekdays_by_hand
from tests.domain.review.making import (
    AINO,
    ANSWERS,
    NOVEMBER,
    OTTO,
    benefit,
    euros,
    found,
    support,
    treatment,
)


def test_clean_rows_have_no_finding() -> None:
    assert found([benefit()]) == ()
    assert found([support()], "childcare") == ()
    assert found([treatment()], "treatment_abroad", answers=ANSWERS, known={AINO}) == ()
    assert found([]) == ()


@pytest.mark.parametrize(
    ("changes", "rule", "column", "expected", "there"),
    [
        ({"share": euros("111.01")}, "share_wrong", "municipal_share_eur", euros("111.00"), euros("111.01")),
        ({"share": euros("-111.00")}, "share_wrong", "municipal_share_eur", euros("111.00"), euros("-111.00")),
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
            {"days_accumulated": 19, "share_percent": 0, "share": euros("0.00")},
            "days_impossible",
            "days_accumulated",
            20,
            19,
        ),
        (
            {"days_paid": 21, "days_accumulated": 231, "share": euros("148.00")},
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
            euros("740.00"),
        ),
        (
            {"amount": euros("-740.00"), "share": euros("-111.00")},
            "sum_sign",
            "amount_eur",
            Event.PAID,
            euros("-740.00"),
        ),
        (
            {"days_accumulated": None, "share": euros("740.01")},
            "row_sum",
            "municipal_share_eur",
            euros("740.00"),
            euros("740.01"),
        ),
        (
            {"days_paid": None, "share": euros("-0.01")},
            "row_sum",
            "municipal_share_eur",
            euros("740.00"),
            euros("-0.01"),
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
    old = {"share_percent": 0, "share": euros("0.00")} if kind == "lms_pre_2025" else {}
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
    old = {"share_percent": 0, "share": euros("0.00")} if kind == "lms_pre_2025" else {}
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
            {"period": Period(date(2026, 11, 16), date(2026, 12, 1))},
            "childcare_in_advance",
            "period",
            NOVEMBER,
            Period(date(2026, 11, 16), date(2026, 12, 1)),
        ),
        (
            {"supplement": euros("477.69")},
            "row_sum",
            "municipal_supplement_eur",
            euros("477.68"),
            euros("477.69"),
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
            {"cost": euros("2500.00")},
            "answer_differs",
            "comparable_cost_eur",
            euros("2400.00"),
            euros("2500.00"),
        ),
        (
            {"fee": euros("46.49")},
            "answer_differs",
            "client_fee_eur",
            euros("46.50"),
            euros("46.49"),
        ),
        (
            {"reimbursed": euros("2353.51")},
            "reimbursed_too_much",
            "reimbursed_eur",
            euros("2353.50"),
            euros("2353.51"),
        ),
    ],
)
def test_faults_of_treatment_abroad(changes: dict[str, Any], rule: str, column: str, expected: Any, there: Any) -> None:
    rows = [treatment(**changes)]
    assert found(rows, "treatment_abroad", answers=ANSWERS) == (Finding(rule, ("r1",), column, expected, there),)


def test_both_parts_of_an_answer_are_compared() -> None:
    rows = [treatment(cost=euros("3000.00"), fee=euros("50.00"))]
    columns = [finding.column for finding in found(rows, "treatment_abroad", answers=ANSWERS)]
    assert columns == ["comparable_cost_eur", "client_fee_eur"]


def test_a_fee_above_the_cost_is_told_once() -> None:
    rows = [treatment(fee=euros("2400.01"))]
    expected = Finding("row_sum", ("r1",), "client_fee_eur", euros("2400.00"), euros("2400.01"))
    assert found(rows, "treatment_abroad") == (expected,)


def test_without_answers_and_known_people_nothing_is_said_of_them() -> None:
    assert found([treatment(request_ref="TP-9", cost=euros("9000.00"))], "treatment_abroad") == ()
    assert found([benefit(identity_code=OTTO)]) == ()
    assert found([benefit(identity_code=OTTO)], known={AINO}) == (Finding("person_unknown", ("r1",), "identity_code"),)
    assert found([benefit()], artificial=False) == (Finding("person_unknown", ("r1",), "identity_code"),)


def test_what_is_not_shown_is_no_fault() -> None:
    hidden = benefit(municipality=None, period=None, paid_on=None, days_paid=None, share_percent=None, event=None)
    assert found([hidden]) == ()
    assert found([support(municipality=None, supplement=None, support_type=None)], "childcare") == ()
    bare = treatment(country=None, period=None, prior_authorisation=None, request_ref=None, cost=None, fee=None)
    assert found([bare], "treatment_abroad", answers=ANSWERS) == ()
    assert found([treatment(cost=None, fee=None)], "treatment_abroad", answers=ANSWERS) == ()


def test_nobody_is_born_after_the_period() -> None:
    born = [make_identity_code(day, "A", 900).value for day in (date(2026, 11, 30), date(2026, 12, 1))]
    rows = [benefit(id="r1", identity_code=born[0]), benefit(id="r2", identity_code=born[1])]
    assert found(rows) == (Finding("person_unknown", ("r2",), "identity_code"),)


@given(st.dates(date(2019, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
def test_payable_days_are_weekdays(first: date, length: int) -> None:
    period = Period(first, shifted(first, length))
    assert payable_days(period) == weekdays_by_hand(period)
