"""Claims that are good, what is known of their payees, and how each rule is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.facts import Days, DecisionFact, Facts, OtherClaim, PaymentFact
from kelmu_tui.domain.claims.rules import Checked, Finding, check
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.organisations import OrganisationType

TODAY = date(2026, 11, 10)
COUNTY = OrganisationType.WELLBEING_COUNTY
PAYEE = make_identity_code(date(1990, 1, 1), "-", 900).value
ACCOUNT = "FI2112345600000785"
PAID = Assistance(date(2026, 12, 1), date(2027, 1, 31), Decimal("600.00"), date(2026, 11, 2))

CARE = Content(
    payee=PAYEE,
    basis="client_fees_14",
    benefit="guarantee_pension",
    first=date(2026, 12, 1),
    last=date(2027, 1, 31),
    amount=Decimal("620.00"),
    account=ACCOUNT,
    handler="Maija Mallila",
    telephone="050 000 0000",
    care_first=date(2026, 9, 1),
)
"""A claim on the Client Fees Act without a flaw."""
ASSISTANCE = replace(
    CARE, basis="social_assistance_23", amount=Decimal("600.00"), care_first=None, care_last=None, assistance=PAID
)
"""A claim on the Social Assistance Act without a flaw."""
KNOWN = Facts("Aalto", (), (), (), (), None, TODAY)
"""A payee of whom all is known, and of whom there is nothing."""


class Claim(NamedTuple):
    """All that a judgement takes; a breaker gets a good one and returns a bad one."""

    content: Content
    facts: Facts = KNOWN
    organisation_type: OrganisationType = COUNTY
    today: date = TODAY

    def with_content(self, **changes: Any) -> Claim:
        return self._replace(content=replace(self.content, **changes))

    def with_assistance(self, **changes: Any) -> Claim:
        assert self.content.assistance is not None
        return self.with_content(assistance=replace(self.content.assistance, **changes))

    def with_facts(self, **changes: Any) -> Claim:
        return self._replace(facts=self.facts._replace(**changes))

    @property
    def checked(self) -> Checked:
        return check(self.content, self.facts, self.organisation_type, self.today)

    def found(self, rule: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.checked.findings if finding.rule == rule)


GOOD_CARE, GOOD_ASSISTANCE = Claim(CARE), Claim(ASSISTANCE)
Breaker = Callable[[Claim], Claim]


def payment(benefit: str, paid_on: date, status: str = "paid") -> PaymentFact:
    """Return a payment for the month of its day."""
    first = paid_on.replace(day=1)
    return PaymentFact(benefit, paid_on, first, first.replace(day=28), Decimal("100.00"), status, "customer")


def decision(decided: date, outcome: str = "granted", benefit: str = "guarantee_pension") -> DecisionFact:
    """Return a decision for the time from the beginning of the year on."""
    return DecisionFact(benefit, decided, outcome, date(2026, 1, 1), None)


def other(benefit: str = "guarantee_pension", *, own: bool = False) -> OtherClaim:
    """Return another claim, on the last month of the good ones."""
    return OtherClaim("c2", benefit, date(2027, 1, 1), None, own)


def recovered(amount: str, benefit: str = "sickness_allowance") -> OtherClaim:
    """Return another claim of the organisation's on assistance, for the last month of the good one."""
    mine = other(benefit, own=True)
    return mine._replace(last=date(2027, 1, 31), basis="social_assistance_23", amount=Decimal(amount))


def wages(first: date, last: date | None = None) -> tuple[Days, ...]:
    return (Days(first, last),)
