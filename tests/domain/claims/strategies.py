"""Claims of every kind, good and bad, and payees of whom this and that is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.claims.catalogue import bases
from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.facts import Days, DecisionFact, Facts, OtherClaim, PaymentFact
from tests.domain.claims.making import ACCOUNT, PAYEE

DAYS = st.dates(date(2026, 6, 1), date(2027, 6, 30)) | st.sampled_from([date.min, date.max, date(1899, 12, 31)])
NEAR_DAYS = st.dates(date(2026, 6, 1), date(2027, 6, 30))
# Few benefits, so that claims, payments and decisions often are about the same.
BENEFITS = st.sampled_from(
    ["child_benefit", "guarantee_pension", "parental_allowance", "general_support", "child_increase"]
)
ANY_BENEFIT = BENEFITS | st.sampled_from(["", "no_such_benefit", *benefits()])
ANY_BASIS = st.sampled_from(["client_fees_14", "social_assistance_23"]) | st.sampled_from(["", "none", *bases()])
AMOUNTS = st.decimals(Decimal("-10"), Decimal("2000"), places=2) | st.sampled_from(
    [Decimal("0"), Decimal("0.001"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e400")]
)
TEXTS = st.sampled_from(["", " ", "teksti", "x" * 3000])

CONTENTS = st.builds(
    Content,
    payee=st.sampled_from([PAYEE, "", "010190-900?", PAYEE.lower()]),
    basis=ANY_BASIS,
    benefit=ANY_BENEFIT,
    first=DAYS,
    last=st.none() | DAYS,
    amount=st.none() | AMOUNTS,
    account=st.sampled_from([ACCOUNT, "", "FI4250001510000023"]),
    reference=TEXTS,
    grounds=TEXTS,
    handler=TEXTS,
    telephone=TEXTS,
    care_first=st.none() | DAYS,
    care_last=st.none() | DAYS,
    assistance=st.none() | st.builds(Assistance, DAYS, DAYS, AMOUNTS, DAYS),
)
STATUSES = st.sampled_from(["planned", "paid", "returned"])
OUTCOMES = st.sampled_from(["granted", "rejected", "adjusted", "discontinued", "something_new"])
FACTS = st.builds(
    Facts,
    surname=st.sampled_from(["Aalto", "Mäki", "Öberg"]),
    payments=st.lists(
        st.builds(PaymentFact, BENEFITS, NEAR_DAYS, NEAR_DAYS, NEAR_DAYS, st.just(Decimal(1)), STATUSES), max_size=4
    ).map(tuple),
    decisions=st.lists(
        st.builds(DecisionFact, BENEFITS, NEAR_DAYS, OUTCOMES, st.none() | NEAR_DAYS, st.none() | NEAR_DAYS), max_size=3
    ).map(tuple),
    wages=st.lists(st.builds(Days, NEAR_DAYS, st.none() | NEAR_DAYS), max_size=3).map(tuple),
    claims=st.lists(
        st.builds(OtherClaim, st.just("c"), BENEFITS, NEAR_DAYS, st.none() | NEAR_DAYS, st.booleans()), max_size=3
    ).map(tuple),
    died=st.none() | NEAR_DAYS,
    as_of=NEAR_DAYS,
)
"""Payees of whom all is known."""
FORGOTTEN = st.sets(st.sampled_from(["surname", "payments", "decisions", "wages", "claims"]))
"""Names of facts to be unknown."""


def without(facts: Facts, forgotten: set[str]) -> Facts:
    """Return facts of which some are not known."""
    changes: dict[str, Any] = {name: "" if name == "surname" else None for name in forgotten}
    return facts._replace(**changes)
