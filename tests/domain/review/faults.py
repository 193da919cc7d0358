"""One fault of each rule, planted in a clean invoice; each says what has to be found, and nothing else may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

from kelmu_tui.domain.identifiers import CHECK_CHARACTERS, make_identity_code
from kelmu_tui.domain.lists import Period
from kelmu_tui.domain.review import Answer, Shape
from tests.domain.review.clean import NOT_COVERED, OTHER, Case, Wire, negated, unwire, wire, with_share
from tests.domain.review.counting import shifted, weekdays_by_hand

Spoil = Callable[[Case, Random], tuple[str, ...]]
"""Plants a fault and returns the ids of the rows that it has to be found in."""

CENT: Final = Decimal("0.01")


def _by(row: Wire, column: str, change: Decimal) -> None:
    row[column] = f"{Decimal(row[column]) + change:.2f}"


def total_wrong(case: Case, random: Random) -> tuple[str, ...]:
    case.added = random.choice([CENT, -CENT, Decimal(1000)])
    if case.shape is Shape.CHILDCARE and case.total <= 0:
        case.added = CENT
    return ()


def person_unknown(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.alone())
    code = row["identity_code"]
    wrong = code[:-1] + CHECK_CHARACTERS[(CHECK_CHARACTERS.index(code[-1]) + 1) % 31]
    if random.random() < 0.5:
        case.known.discard(code)
    else:
        row["identity_code"] = random.choice([None, wrong, ""])
    return (row["id"],)


def other_municipality(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    row["municipality"] = OTHER
    return (row["id"],)


def paid_outside_period(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    beyond = random.choice([shifted(case.period.first, -1), shifted(case.period.last, 1)])
    row["paid_on"] = beyond.isoformat()
    return (row["id"],)


def wrong_law(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.alone())
    period = unwire(row["period"])
    # By whole weeks, so that it keeps its days that are paid; the first may still be of the right law.
    if case.model == "pre_2025":
        weeks = ((date(2025, 1, 1) - period.last).days + 6) // 7 + random.randint(0, 9)
    else:
        weeks = -(((period.first - date(2024, 12, 31)).days + 6) // 7 + random.randint(0, 9))
    row["period"] = wire(Period(shifted(period.first, 7 * weeks), shifted(period.last, 7 * weeks)))
    return (row["id"],)


def days_impossible(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    if row["days_paid"] > 1 and random.random() < 0.5:
        row.update(days_accumulated=random.randint(1, row["days_paid"] - 1), share_percent=0)
    else:
        row["days_paid"] = -random.randint(0, 5)
    return (row["id"],)


def days_too_many(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    most = weekdays_by_hand(unwire(row["period"]))
    row["days_paid"] = most + random.randint(1, 3)
    row["days_accumulated"] = max(row["days_paid"], row["days_accumulated"])
    row.update(with_share(row, case.model))
    return (row["id"],)


def percent_wrong(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    row["share_percent"] += random.choice([10, -10, 1])
    return (row["id"],)


def share_wrong(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    _by(row, "municipal_share_eur", random.choice([CENT, -CENT, Decimal(100)]))
    return (row["id"],)


def sum_missing(case: Case, random: Random) -> tuple[str, ...]:
    columns = {
        Shape.UNEMPLOYMENT: ["municipal_share_eur"],
        Shape.CHILDCARE: ["amount_eur"],
        Shape.TREATMENT_ABROAD: ["reimbursed_eur"],
    }
    row = random.choice(case.rows)
    row.update(dict.fromkeys(columns[case.shape]))
    _keep_positive(case)
    return (row["id"],)


def sum_sign(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    part = "municipal_share_eur" if case.model else "municipal_supplement_eur"
    row.update(negated(row, row["event"], "amount_eur", part))
    _keep_positive(case)
    return (row["id"],)


def row_sum(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    if case.shape is Shape.TREATMENT_ABROAD:
        fee = Decimal(row["comparable_cost_eur"]) + CENT
        for one in _of_request(case, row):
            one["client_fee_eur"] = str(fee)
        case.answers[row["request_ref"]] = Answer(Decimal(row["comparable_cost_eur"]), fee)
        return tuple(one["id"] for one in _of_request(case, row))
    part = "municipal_share_eur" if case.model else "municipal_supplement_eur"
    amount = Decimal(row["amount_eur"])
    row[part] = str(amount + CENT.copy_sign(amount))
    if case.model:
        row["days_accumulated"] = None
    return (row["id"],)


def childcare_in_advance(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.alone())
    row["period"] = wire(case.period.next(random.randint(1, 3)))
    return (row["id"],)


def negative_invoice(case: Case, random: Random) -> tuple[str, ...]:
    _give_back(case, case.total + Decimal(random.randint(1, 99_999)) / 100)
    return ()


def zero_invoice(case: Case, random: Random) -> tuple[str, ...]:
    _give_back(case, case.total)
    return ()


def duplicate(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    again = case.add(row)
    _keep_positive(case)
    return (row["id"], again["id"])


def overlap(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice([one for one in case.alone() if one["event"] == "paid"])
    period = unwire(row["period"])
    if case.shape is Shape.CHILDCARE:
        part = Period(shifted(period.first, random.randint(0, 27)), period.last)
        return (row["id"], case.add({**row, "period": wire(part), "amount_eur": "900.00"})["id"])
    # It begins before the other and ends with its first day, so it is under the same law as that one.
    part = Period(shifted(period.first, random.randint(-6, 0)), period.first)
    if case.model == "2025":
        part = Period(period.first, shifted(period.first, random.randint(0, 6)))
    part = part if weekdays_by_hand(part) else Period(part.first, shifted(part.first, 6))
    other = {**row, "period": wire(part), "days_paid": 1, "amount_eur": f"{Decimal(row['amount_eur']) + CENT:.2f}"}
    return (row["id"], case.add(with_share(other, case.model))["id"])


def returned_without_paid(case: Case, random: Random) -> tuple[str, ...]:
    case.looks_back = True
    row = random.choice([one for one in case.alone() if one["event"] == "paid"])
    period = unwire(row["period"])
    part = "municipal_share_eur" if case.model else "municipal_supplement_eur"
    back = negated(row, random.choice(["returned", "corrected"]), "amount_eur", part)
    if case.model == "2025":
        # The day after what was paid is not paid.
        back["period"] = wire(Period(period.first, shifted(period.last, 1)))
    else:
        back["period"] = wire(Period(shifted(period.first, -1), period.last))
    back = case.add(back)
    _keep_positive(case)
    return (back["id"],)


def country_outside(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    row["country"] = random.choice(NOT_COVERED)
    return (row["id"],)


def emergency_billed(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    row.update(request_ref=None, prior_authorisation=False)
    return (row["id"],)


def answer_missing(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    if random.random() < 0.5:
        row.update(request_ref=random.choice(["TP-unheard", None]), prior_authorisation=True)
        return (row["id"],)
    del case.answers[row["request_ref"]]
    return tuple(one["id"] for one in _of_request(case, row))


def answer_differs(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    cost, fee = case.answers[row["request_ref"]]
    case.answers[row["request_ref"]] = random.choice([Answer(cost + CENT, fee), Answer(cost, fee + CENT)])
    return tuple(one["id"] for one in _of_request(case, row))


def reimbursed_too_much(case: Case, random: Random) -> tuple[str, ...]:
    row = random.choice(case.rows)
    rows = _of_request(case, row)
    limit = Decimal(row["comparable_cost_eur"]) - Decimal(row["client_fee_eur"])
    _by(row, "reimbursed_eur", limit - sum(Decimal(one["reimbursed_eur"]) for one in rows) + CENT)
    return tuple(one["id"] for one in rows)


def _of_request(case: Case, row: Wire) -> list[Wire]:
    return [one for one in case.rows if one["request_ref"] == row["request_ref"]]


def _give_back(case: Case, amount: Decimal) -> None:
    """Let a payment of long ago come back, of which nobody has the invoice any more."""
    case.since = case.period.next(-6).first
    old = {**case.rows[0], "period": wire(case.period.next(-12)), "municipal_supplement_eur": "0.00"}
    case.add({**old, "amount_eur": f"{-amount:.2f}", "event": "returned"})


def _keep_positive(case: Case) -> None:
    """Let a childcare invoice be one that is sent, by what somebody else was paid."""
    if case.shape is Shape.CHILDCARE and case.total <= 0:
        code = make_identity_code(date(1959, 1, 1), "-", 900).value
        case.known.add(code)
        more = {"identity_code": code, "amount_eur": f"{1 - case.total:.2f}", "event": "paid"}
        case.add({**case.rows[0], **more, "municipal_supplement_eur": "0.00"})


_FOR_ALL: Final[tuple[Spoil, ...]] = (total_wrong, person_unknown, paid_outside_period, sum_missing, row_sum, duplicate)

FAULTS: Final[Mapping[Shape, tuple[Spoil, ...]]] = {
    Shape.UNEMPLOYMENT: (
        *_FOR_ALL,
        other_municipality,
        wrong_law,
        days_impossible,
        days_too_many,
        percent_wrong,
        share_wrong,
        sum_sign,
        overlap,
        returned_without_paid,
    ),
    Shape.CHILDCARE: (
        *_FOR_ALL,
        other_municipality,
        childcare_in_advance,
        negative_invoice,
        zero_invoice,
        sum_sign,
        overlap,
        returned_without_paid,
    ),
    Shape.TREATMENT_ABROAD: (
        *_FOR_ALL,
        country_outside,
        emergency_billed,
        answer_missing,
        answer_differs,
        reimbursed_too_much,
    ),
}
"""For each shape a fault of every rule, named as the rule."""
