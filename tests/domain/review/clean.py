"""Clean invoices of every kind by seed, with rows as the wire has them; `faults` spoils them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.lists import Period, invoices, period_of
from kelmu_tui.domain.review import Answer, Earlier, Finding, Head, Shape, read_row, review, shape_of
from kelmu_tui.domain.review.row_rules import BILLED_COLUMN
from tests.domain.review.counting import percent_by_hand, share_by_hand, shifted, weekdays_by_hand

Wire = dict[str, Any]

PAYER, OTHER = "853", "091"
COUNTRIES = ("EE", "SE", "DE", "ES", "CH", "GB", "NO")
NOT_COVERED = ("US", "TH", "FI", "RU")


@dataclass
class Case:
    """An invoice and what its reviewer knows; `looks_back` tells that the earlier rows are at hand."""

    kind: str
    period: Period
    rows: list[Wire] = field(default_factory=list)
    before: list[Wire] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    looks_back: bool = True
    since: date = date(2015, 1, 1)
    added: Decimal = Decimal("0.00")

    @property
    def shape(self) -> Shape:
        return shape_of(self.kind)

    @property
    def model(self) -> str:
        return invoices()[self.kind].steps or ""

    @property
    def total(self) -> Decimal:
        column = BILLED_COLUMN[self.shape]
        return sum((Decimal(row[column]) for row in self.rows if row[column] is not None), self.added)

    def found(self) -> tuple[Finding, ...]:
        """Review it."""
        one = invoices()[self.kind]
        payer = "02" if self.shape is Shape.TREATMENT_ABROAD else PAYER
        head = Head(self.kind, self.period, one.sent.on(self.period), one.due(self.period), self.total, payer)
        before = (read_row(self.shape, row) for row in self.before)
        return review(
            head,
            (read_row(self.shape, row) for row in self.rows),
            known=self.known,
            answers=self.answers if self.shape is Shape.TREATMENT_ABROAD else None,
            earlier=Earlier(self.since, before) if self.looks_back else None,
        )

    def add(self, row: Wire) -> Wire:
        """Put a row at the end, with an id of its own."""
        row = {**row, "id": f"r{len(self.rows)}"}
        self.rows.append(row)
        return row

    def alone(self) -> list[Wire]:
        """Return the rows of people who have no other."""
        codes = [row["identity_code"] for row in [*self.rows, *self.before]]
        return [row for row in self.rows if codes.count(row["identity_code"]) == 1]


def invoice(kind: str, seed: int) -> Case:
    """Return a clean invoice; at least one of its people has a single row, which was paid."""
    random = Random(seed)
    day = date(2025, 2, 1) + timedelta(days=random.randrange(700))
    case = Case(kind, period_of(invoices()[kind].rhythm, day), looks_back=random.random() < 0.7)
    one_row, some_rows = {
        Shape.UNEMPLOYMENT: (_benefit, _benefits),
        Shape.CHILDCARE: (_support, _supports),
        Shape.TREATMENT_ABROAD: (_treatment, _treatments),
    }[case.shape]
    numbers = random.sample(range(900, 1000), random.randint(1, 12))
    for place, number in enumerate(numbers):
        code = make_identity_code(date(1960, 1, 1) + timedelta(days=random.randrange(14_000)), "-", number).value
        case.known.add(code)
        if place == 0:
            case.add(one_row(case, random, code))
        else:
            some_rows(case, random, code)
    if case.shape is Shape.CHILDCARE and case.total <= 0:
        # No such invoice is sent.
        case.rows[0]["amount_eur"] = str(Decimal(case.rows[0]["amount_eur"]) - case.total + 1)
    return case


def wire(period: Period) -> Wire:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def unwire(values: Wire) -> Period:
    return Period(date.fromisoformat(values["from"]), date.fromisoformat(values["to"]))


def euros(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))


def with_share(row: Wire, model: str) -> Wire:
    """Return the row of a benefit with the share and the percentage of its days."""
    days, accumulated = row["days_paid"], row["days_accumulated"]
    share = share_by_hand(model, Decimal(row["amount_eur"]), days, accumulated)
    percent = percent_by_hand(model, accumulated)
    return {**row, "municipal_share_eur": f"{share:.2f}", "share_percent": percent}


def negated(row: Wire, event: str, *columns: str) -> Wire:
    """Return the row of what came back."""
    return {**row, **{column: str(-Decimal(row[column])) for column in columns}, "event": event}


def _day_within(random: Random, period: Period) -> date:
    return shifted(period.first, random.randint(0, (period.last - period.first).days))


def _benefit(case: Case, random: Random, code: str, until: date | None = None) -> Wire:
    """Return a payment for a time that ends before `until`, under the law of the invoice."""
    if until is None:
        latest = date(2024, 12, 31) if case.model == "pre_2025" else case.period.last
        until = shifted(latest, -random.randint(0, 20 if case.model == "2025" else 200))
    last = shifted(until, -1)
    first = max(shifted(last, -random.randint(6, 40)), date(2025, 1, 1) if case.model == "2025" else date(2020, 1, 1))
    period = Period(first, last)
    days = random.randint(1, weekdays_by_hand(period))
    near = random.choice([100, 200, 300, 400, 700, 1000])
    row: Wire = {
        "id": "",
        "identity_code": code,
        "municipality": random.choice([PAYER, PAYER, PAYER, None]),
        "period": wire(period),
        "paid_on": _day_within(random, case.period).isoformat(),
        "days_paid": days,
        "days_accumulated": days + random.choice([random.randint(0, 1500), max(0, near - random.randint(0, days))]),
        "amount_eur": euros(random.randint(1, 500_000)),
        "event": "paid",
    }
    return with_share(row, case.model)


def _benefits(case: Case, random: Random, code: str) -> None:
    later = _benefit(case, random, code)
    case.add(later)
    first = unwire(later["period"]).first
    if first > date(2025, 2, 1) or case.model == "pre_2025":
        sooner = _benefit(case, random, code, until=first)
        _put(case, random, sooner)
        if random.random() < 0.5:
            _come_back(case, random, sooner, "amount_eur", "municipal_share_eur")


def _support(case: Case, random: Random, code: str) -> Wire:
    amount = random.randint(1, 80_000)
    return {
        "id": "",
        "identity_code": code,
        "municipality": random.choice([PAYER, PAYER, PAYER, None]),
        "support_type": random.choice(["home_care", "private_care", "flexible", "partial"]),
        "period": wire(case.period),
        "paid_on": _day_within(random, case.period).isoformat(),
        "amount_eur": euros(amount),
        "municipal_supplement_eur": euros(random.choice([0, random.randint(0, amount)])),
        "event": "paid",
    }


def _supports(case: Case, random: Random, code: str) -> None:
    now = case.add(_support(case, random, code))
    if random.random() < 0.5:
        before = {**_support(case, random, code), "support_type": now["support_type"]}
        before["period"] = wire(case.period.next(-1))
        _put(case, random, before)
        if random.random() < 0.5:
            _come_back(case, random, before, "amount_eur", "municipal_supplement_eur")


def _put(case: Case, random: Random, row: Wire) -> None:
    """Put a payment into this invoice, or into an earlier one when it may have been paid by then."""
    if random.random() < 0.5 or unwire(row["period"]).first >= case.period.first:
        row["id"] = case.add(row)["id"]
    else:
        row.update(id=f"e{len(case.before)}", paid_on=shifted(case.period.first, -1).isoformat())
        case.before.append(row)


def _come_back(case: Case, random: Random, paid: Wire, *columns: str) -> None:
    """Take a payment back in this invoice, and sometimes pay it anew, more than it was."""
    event = random.choice(["returned", "corrected"])
    case.add({**negated(paid, event, *columns), "paid_on": _day_within(random, case.period).isoformat()})
    if random.random() < 0.5:
        more = {**paid, "amount_eur": str(Decimal(paid["amount_eur"]) + Decimal("0.07"))}
        more["paid_on"] = _day_within(random, case.period).isoformat()
        case.add(with_share(more, case.model) if case.model else more)


def _treatment(case: Case, random: Random, code: str) -> Wire:
    cost = random.randint(10_000, 900_000)
    fee = random.randint(0, 9_000)
    first = shifted(case.period.first, random.randint(-90, 30))
    ref = f"TP-{len(case.answers)}"
    case.answers[ref] = Answer(Decimal(euros(cost)), Decimal(euros(fee)))
    return {
        "id": "",
        "identity_code": code,
        "country": random.choice(COUNTRIES),
        "treated": wire(Period(first, shifted(first, random.randint(0, 14)))),
        "prior_authorisation": random.random() < 0.6,
        "request_ref": ref,
        "comparable_cost_eur": euros(cost),
        "client_fee_eur": euros(fee),
        "reimbursed_eur": euros(random.choice([cost - fee, random.randint(1, cost - fee)])),
        "paid_on": _day_within(random, case.period).isoformat(),
    }


def _treatments(case: Case, random: Random, code: str) -> None:
    row = case.add(_treatment(case, random, code))
    left = Decimal(row["comparable_cost_eur"]) - Decimal(row["client_fee_eur"]) - Decimal(row["reimbursed_eur"])
    if left > 0:
        paid_on = _day_within(random, case.period)
        if paid_on.isoformat() != row["paid_on"]:
            case.add({**row, "reimbursed_eur": f"{left:.2f}", "paid_on": paid_on.isoformat()})
