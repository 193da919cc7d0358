"""A customer's file as the store hands it out: plain frozen values for both faces, no wire models, no database rows.

Sums are `Decimal` euros, days are Finnish calendar days, instants are UTC. A field that a mandate or a non-disclosure
order hides is None, and its name stands in `hidden_fields`. The meaning of each field is that of the contract's row of
the same name (`api.contract.customers`).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from kelmu_tui.domain.sections import Hidden, Section


class HouseholdPerson(NamedTuple):
    """Somebody in the household; `relation` is spouse, child, parent or other."""

    customer: str
    name: str
    masked_code: str
    relation: str
    born: date


class Person(NamedTuple):
    """Who the file is about; `warnings` are of the contract's `PersonWarning`."""

    customer: str
    identity_code: str
    earlier_codes: tuple[str, ...]
    family_name: str
    given_names: str
    born: date
    died: date | None
    language: str
    interpreter_language: str | None
    guardian: str | None
    non_disclosure: bool
    home_municipality: str | None
    address: str | None
    telephone: str | None
    warnings: tuple[str, ...]
    household: tuple[HouseholdPerson, ...]


class Pending(NamedTuple):
    """A pending matter."""

    id: str
    benefit: str
    kind: str
    received: date
    stage: str
    missing: tuple[str, ...] = ()
    office: str | None = None


class Decision(NamedTuple):
    """A decision."""

    id: str
    benefit: str
    decided: date
    outcome: str
    valid_from: date | None = None
    valid_to: date | None = None
    amount: Decimal | None = None
    per: str = "month"
    reason: str | None = None
    appealed: bool = False


class Deduction(NamedTuple):
    """Something taken off a payment."""

    kind: str
    amount: Decimal


class Payment(NamedTuple):
    """A payment.

    `gross`, `tax` and `deductions` are None when they are hidden; `deductions` is empty when there are none.
    """

    id: str
    benefit: str
    paid_on: date
    period_from: date
    period_to: date
    gross: Decimal | None
    tax: Decimal | None
    deductions: tuple[Deduction, ...] | None
    net: Decimal
    payee: str | None
    account: str | None
    incomes_register: bool
    status: str = "paid"


class Claim(NamedTuple):
    """A claim on the customer's payments; `received` is None for an own one that Kela has not got yet."""

    id: str
    benefit: str
    basis: str
    claimant: str
    claimant_id: str | None
    period_from: date
    period_to: date | None
    amount: Decimal | None
    status: str
    received: date | None


class Insurance(NamedTuple):
    """A period of social security cover."""

    id: str
    covered: bool
    ground: str
    valid_from: date
    valid_to: date | None = None
    country: str | None = None


class Recovery(NamedTuple):
    """An overpayment that is recovered."""

    id: str
    benefit: str
    period_from: date
    period_to: date
    amount: Decimal
    balance: Decimal
    instalment: Decimal | None
    status: str
    decided: date


class Medicine(NamedTuple):
    """A year of medicine costs against the annual cap."""

    id: str
    year: int
    accrued: Decimal
    cap: Decimal
    deductible: Decimal | None = None
    deductible_used: Decimal | None = None
    reached_on: date | None = None


class PassedOn(NamedTuple):
    """Data that others have passed to Kela."""

    id: str
    sender: str
    kind: str
    period_from: date
    period_to: date
    amount: Decimal | None
    received: date


SectionRow = Pending | Decision | Payment | Claim | Insurance | Recovery | Medicine | PassedOn


class SectionFile(NamedTuple):
    """One section of a file.

    Attributes:
        state: shown, none, hidden, down or stale, as in the contract; `waiting` while its source has not answered.
        hidden, mandates: why nothing is shown and what would open it, with state hidden.
        source_at: the source's time of the rows.
        narrowed: rows of some benefits are left out.
        rows: of the section's own kind, as they came: the newest first.
        news: ids of the rows that are new or different since the user's last look.
    """

    section: Section
    state: str
    hidden: Hidden | None = None
    mandates: tuple[str, ...] = ()
    source_at: datetime | None = None
    narrowed: bool = False
    hidden_fields: frozenset[str] = frozenset()
    rows: tuple[SectionRow, ...] = ()
    news: frozenset[str] = frozenset()


class File(NamedTuple):
    """A customer's file as it was fetched; complete once no section is waiting.

    Attributes:
        expires_at: from then on it may not be shown.
        hidden_fields: fields of the person that stay away.
    """

    person: Person
    purpose: str
    case_reference: str | None
    fetched_at: datetime
    expires_at: datetime
    hidden_fields: frozenset[str]
    sections: dict[Section, SectionFile]


class Recent(NamedTuple):
    """A file that can be opened again: who, for what, and how old it is."""

    customer: str
    name: str
    masked_code: str
    purpose: str
    case_reference: str | None
    fetched_at: datetime
    expires_at: datetime
