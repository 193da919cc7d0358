"""The rules that judge a row by itself.

A rule says nothing where what it needs is not known: a value that is not shown is no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.domain.identifiers import InvalidIdentityCode, parse_identity_code
from kelmu_tui.domain.lists import Event, Period, lists
from kelmu_tui.domain.review.facts import Shape, covered_countries, days_a_week, shape_of
from kelmu_tui.domain.review.findings import NOTHING, Finding, Findings, Setting
from kelmu_tui.domain.review.rows import ChildcareRow, Row, TreatmentRow, UnemploymentRow
from kelmu_tui.domain.shares import model_on, percent_on, share

BILLED_COLUMN: Final[Mapping[Shape, str]] = {
    shape_of(one.invoice): one.billed for one in lists().values() if one.invoice is not None and one.billed is not None
}
"""Id of the column whose sum is the invoice's total: the same for all invoices of a shape."""

NO_EUROS: Final = Decimal("0.00")

Check = Callable[[Any, Setting], Findings]
"""A rule as code; the shape of the invoice settles which rows it gets."""


def payable_days(period: Period) -> int:
    """Return for how many days of a period an unemployment benefit can be paid."""
    week = days_a_week()
    weeks, rest = divmod((period.last - period.first).days + 1, 7)
    weekday = period.first.weekday()
    return weeks * week + sum((weekday + n) % 7 < week for n in range(rest))


def _person_unknown(row: Row, setting: Setting) -> Findings:
    code = row.identity_code
    if code is not None and _valid(code, setting) and (setting.known is None or code in setting.known):
        return NOTHING
    # The code stays in its row: a finding may be written where persons may not.
    return (Finding("person_unknown", (row.id,), "identity_code"),)


def _valid(code: str, setting: Setting) -> bool:
    found = setting.valid.get(code)
    if found is None:
        try:
            parse_identity_code(code, today=setting.head.period.last, artificial=setting.artificial)
            found = True
        except InvalidIdentityCode:
            found = False
        setting.valid[code] = found
    return found


def _other_municipality(row: UnemploymentRow | ChildcareRow, setting: Setting) -> Findings:
    payer = setting.head.payer
    if row.municipality is None or row.municipality == payer:
        return NOTHING
    return (Finding("other_municipality", (row.id,), "municipality", payer, row.municipality),)


def _wrong_law(row: UnemploymentRow, setting: Setting) -> Findings:
    if row.period is None:
        return NOTHING
    for day in row.period:
        if model_on(day) != setting.invoice.steps:
            return (Finding("wrong_law", (row.id,), "period", _bound(day, setting), row.period),)
    return NOTHING


def _bound(day: date, setting: Setting) -> date | None:
    """Return the first or last day of the invoice's law, whichever `day` is beyond."""
    last = setting.invoice.valid_to
    return last if last is not None and day > last else setting.invoice.valid_from


def _paid_outside_period(row: Row, setting: Setting) -> Findings:
    period = setting.head.period
    if row.paid_on is None or period.first <= row.paid_on <= period.last:
        return NOTHING
    return (Finding("paid_outside_period", (row.id,), "paid_on", period, row.paid_on),)


def _childcare_in_advance(row: ChildcareRow, setting: Setting) -> Findings:
    period = setting.head.period
    if row.period is None or row.period.last <= period.last:
        return NOTHING
    return (Finding("childcare_in_advance", (row.id,), "period", period, row.period),)


def _days_impossible(row: UnemploymentRow, setting: Setting) -> Findings:  # noqa: ARG001
    paid, accumulated = row.days_paid, row.days_accumulated
    if paid is not None and paid < 1:
        return (Finding("days_impossible", (row.id,), "days_paid", 1, paid),)
    if accumulated is not None and accumulated < (paid or 1):
        return (Finding("days_impossible", (row.id,), "days_accumulated", paid or 1, accumulated),)
    return NOTHING


def _days_too_many(row: UnemploymentRow, setting: Setting) -> Findings:  # noqa: ARG001
    if row.days_paid is None or row.period is None:
        return NOTHING
    most = payable_days(row.period)
    if row.days_paid <= most:
        return NOTHING
    return (Finding("days_too_many", (row.id,), "days_paid", most, row.days_paid),)


def _percent_wrong(row: UnemploymentRow, setting: Setting) -> Findings:
    days = row.days_accumulated
    if row.share_percent is None or days is None or days < 1 or setting.invoice.steps is None:
        return NOTHING
    right = percent_on(setting.invoice.steps, days)
    if row.share_percent == right:
        return NOTHING
    return (Finding("percent_wrong", (row.id,), "share_percent", right, row.share_percent),)


def _share_wrong(row: UnemploymentRow, setting: Setting) -> Findings:
    days = _days(row)
    if row.share is None or row.amount is None or days is None or setting.invoice.steps is None:
        return NOTHING
    right = share(setting.invoice.steps, row.amount, *days)
    if row.share == right:
        return NOTHING
    return (Finding("share_wrong", (row.id,), "municipal_share_eur", right, row.share),)


def _days(row: UnemploymentRow) -> tuple[int, int] | None:
    """Return the paid and accumulated days, None where they are not known or cannot be."""
    paid, accumulated = row.days_paid, row.days_accumulated
    return None if paid is None or accumulated is None or not 1 <= paid <= accumulated else (paid, accumulated)


def _sum_missing(row: Row, setting: Setting) -> Findings:  # noqa: ARG001
    if row.billed is not None:
        return NOTHING
    return (Finding("sum_missing", (row.id,), BILLED_COLUMN[_SHAPES[type(row)]]),)


def _sum_sign(row: UnemploymentRow | ChildcareRow, setting: Setting) -> Findings:  # noqa: ARG001
    amount = row.amount
    if amount is None or row.event is None or (amount >= 0 if row.event is Event.PAID else amount <= 0):
        return NOTHING
    return (Finding("sum_sign", (row.id,), "amount_eur", row.event, amount),)


def _part_of_payment(row: UnemploymentRow, setting: Setting) -> Findings:  # noqa: ARG001
    # A share that can be computed anew is judged to the cent; one fault makes one finding.
    if _days(row) is not None:
        return NOTHING
    return _row_sum(row.id, "municipal_share_eur", row.share, row.amount)


def _part_of_support(row: ChildcareRow, setting: Setting) -> Findings:  # noqa: ARG001
    return _row_sum(row.id, "municipal_supplement_eur", row.supplement, row.amount)


def _part_of_cost(row: TreatmentRow, setting: Setting) -> Findings:  # noqa: ARG001
    return _row_sum(row.id, "client_fee_eur", row.fee, row.cost)


def _row_sum(row: str, column: str, part: Decimal | None, whole: Decimal | None) -> Findings:
    if part is None or whole is None or min(whole, NO_EUROS) <= part <= max(whole, NO_EUROS):
        return NOTHING
    return (Finding("row_sum", (row,), column, whole, part),)


def _country_outside(row: TreatmentRow, setting: Setting) -> Findings:  # noqa: ARG001
    if row.country is None or row.country in covered_countries():
        return NOTHING
    return (Finding("country_outside", (row.id,), "country", None, row.country),)


def _emergency_billed(row: TreatmentRow, setting: Setting) -> Findings:  # noqa: ARG001
    if row.request_ref is None and row.prior_authorisation is False:
        return (Finding("emergency_billed", (row.id,), "request_ref"),)
    return NOTHING


def _answer_missing(row: TreatmentRow, setting: Setting) -> Findings:
    if setting.answers is None or row.request_ref in setting.answers:
        return NOTHING
    if row.request_ref is None and row.prior_authorisation is not True:
        return NOTHING
    return (Finding("answer_missing", (row.id,), "request_ref", None, row.request_ref),)


def _answer_differs(row: TreatmentRow, setting: Setting) -> Findings:
    answer = None if setting.answers is None or row.request_ref is None else setting.answers.get(row.request_ref)
    if answer is None:
        return NOTHING
    compared = (("comparable_cost_eur", answer.cost, row.cost), ("client_fee_eur", answer.fee, row.fee))
    return tuple(
        Finding("answer_differs", (row.id,), column, right, value)
        for column, right, value in compared
        if value is not None and value != right
    )


_SHAPES: Final[Mapping[type[Row], Shape]] = {
    UnemploymentRow: Shape.UNEMPLOYMENT,
    ChildcareRow: Shape.CHILDCARE,
    TreatmentRow: Shape.TREATMENT_ABROAD,
}

_FOR_ALL: Final[Mapping[str, Check]] = {
    "person_unknown": _person_unknown,
    "paid_outside_period": _paid_outside_period,
    "sum_missing": _sum_missing,
}

ROW_RULES: Final[Mapping[Shape, Mapping[str, Check]]] = {
    Shape.UNEMPLOYMENT: {
        **_FOR_ALL,
        "other_municipality": _other_municipality,
        "wrong_law": _wrong_law,
        "days_impossible": _days_impossible,
        "days_too_many": _days_too_many,
        "percent_wrong": _percent_wrong,
        "share_wrong": _share_wrong,
        "sum_sign": _sum_sign,
        "row_sum": _part_of_payment,
    },
    Shape.CHILDCARE: {
        **_FOR_ALL,
        "other_municipality": _other_municipality,
        "childcare_in_advance": _childcare_in_advance,
        "sum_sign": _sum_sign,
        "row_sum": _part_of_support,
    },
    Shape.TREATMENT_ABROAD: {
        **_FOR_ALL,
        "row_sum": _part_of_cost,
        "country_outside": _country_outside,
        "emergency_billed": _emergency_billed,
        "answer_missing": _answer_missing,
        "answer_differs": _answer_differs,
    },
}
"""The rules of each shape by their id."""
