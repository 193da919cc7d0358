"""What is known of a payee while a claim is judged; what is None is not known, which is not the same as none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple


class PaymentFact(NamedTuple):
    """A payment of a benefit: `status` is planned, paid or returned, `payee` to whom it went, None when hidden."""

    benefit: str
    paid_on: date
    first: date
    last: date
    net: Decimal
    status: str
    payee: str | None = None


class DecisionFact(NamedTuple):
    """A decision on a benefit; `outcome` as in the customer's file (granted, rejected, …)."""

    benefit: str
    decided: date
    outcome: str
    first: date | None
    last: date | None


class Days(NamedTuple):
    """Days from first to last, both included; without a last one they go on."""

    first: date
    last: date | None


class OtherClaim(NamedTuple):
    """Another claim on a benefit of the payee that is not over; `own` when it is the organisation's.

    `amount` is None where it is not shown.
    """

    id: str
    benefit: str
    first: date
    last: date | None
    own: bool
    basis: str = ""
    amount: Decimal | None = None


class Facts(NamedTuple):
    """What is known of the payee.

    Attributes:
        surname: decides on the payment day of some benefits; empty when not known.
        wages: days for which an employer pays wages.
        claims: the others that are not over; `own_claims_only` when those of other organisations are not known.
        died: day of death.
        as_of: the day by which this was known, None when nothing is.
    """

    surname: str = ""
    payments: tuple[PaymentFact, ...] | None = None
    decisions: tuple[DecisionFact, ...] | None = None
    wages: tuple[Days, ...] | None = None
    claims: tuple[OtherClaim, ...] | None = None
    died: date | None = None
    as_of: date | None = None
    own_claims_only: bool = False
