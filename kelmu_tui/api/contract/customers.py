"""Looking up a customer: the query, and the stream of sections that answers it, each once its source has answered.

`POST /v1/customer-queries` answers NDJSON: one `PersonLine`, a `SectionLine` for each section asked for, in the order
in which the sources answer, and a `QueryEnd`. Identity codes travel in bodies only. What may not be seen is not sent;
the line of its section says why.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from kelmu_tui.api.contract.common import (
    Answer,
    Block,
    BusinessId,
    Identifier,
    Line,
    MunicipalityCode,
    Request,
    clean_block,
)
from kelmu_tui.domain.sections import CASE_FORM, MAX_CASE, MAX_REASON_TEXT, Hidden, Section

Euros = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
"""A sum in euros; as a string on the wire, never a float."""

CaseReference = Annotated[str, Field(min_length=1, max_length=MAX_CASE, pattern=CASE_FORM)]
IdentityCodeText = Annotated[str, Field(min_length=11, max_length=11)]
"""Checked by the domain; `CUSTOMER_CODE_INVALID` with the rule it breaks when it is none."""


class CustomerQuery(Request):
    """Body of `POST /v1/customer-queries`; either a code or the id of a customer known from an earlier answer.

    Attributes:
        customer: id from a notice, a household or an earlier look-up.
        purpose: of `domain.sections.purposes`.
        case_reference: the case for which it is looked up.
        reason: why, in words; asked for when the purpose says too little, when it is oneself, or when nothing in the
            inbox has to do with the person.
        sections: which sections to answer; none for the person and the household alone.
    """

    identity_code: IdentityCodeText | None = None
    customer: Identifier | None = None
    purpose: Identifier
    case_reference: CaseReference | None = None
    reason: Annotated[str, BeforeValidator(clean_block), Field(min_length=1, max_length=MAX_REASON_TEXT)] | None = None
    sections: list[Section] = Field(default_factory=lambda: list(Section))


class PersonWarning(StrEnum):
    """What has to be seen before anything else is read."""

    NON_DISCLOSURE = "non_disclosure"
    GUARDIAN = "guardian"
    INTERPRETER = "interpreter"
    DECEASED = "deceased"
    CODE_CHANGED = "code_changed"


class HouseholdPerson(Answer):
    """Somebody in the household, who may be looked up in turn by `customer`; the code is masked."""

    customer: Identifier
    name: Line
    masked_code: Line
    relation: Literal["spouse", "child", "parent", "other"]
    born: date


class Person(Answer):
    """Who was found. What a mandate or a non-disclosure order hides is absent."""

    customer: Identifier
    identity_code: Identifier
    earlier_codes: list[Identifier] = Field(default_factory=list)
    family_name: Line
    given_names: Line
    born: date
    died: date | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    interpreter_language: Line | None = None
    guardian: Line | None = None
    non_disclosure: bool = False
    home_municipality: MunicipalityCode | None = None
    address: Line | None = None
    telephone: Line | None = None
    warnings: list[PersonWarning] = Field(default_factory=list)
    household: list[HouseholdPerson] = Field(default_factory=list)


class PersonLine(Answer):
    """First line: the person, and until when the file may be shown (also without a connection)."""

    line: Literal["person"] = "person"
    query: Identifier
    person: Person
    purpose: Identifier
    case_reference: CaseReference | None = None
    fetched_at: AwareDatetime
    expires_at: AwareDatetime
    hidden_fields: list[str] = Field(default_factory=list)


# --- rows of the sections -------------------------------------------------------------------------------------------
# Each row has an id that stays the same between look-ups, so that what changed can be told.


class PendingKind(StrEnum):
    """Kinds of pending matters."""

    APPLICATION = "application"
    REVIEW = "review"
    APPEAL = "appeal"


class PendingStage(StrEnum):
    """How far a pending matter is."""

    RECEIVED = "received"
    IN_HANDLING = "in_handling"
    ATTACHMENTS_MISSING = "attachments_missing"
    AT_APPEAL_BOARD = "at_appeal_board"


class PendingRow(Answer):
    """A pending matter; `office` is where it is handled."""

    id: Identifier
    benefit: Identifier
    kind: PendingKind
    received: date
    stage: PendingStage
    missing: list[Line] = Field(default_factory=list)
    office: Line | None = None


class DecisionOutcome(StrEnum):
    """What a decision says."""

    GRANTED = "granted"
    REJECTED = "rejected"
    DISCONTINUED = "discontinued"
    SUSPENDED = "suspended"
    ADJUSTED = "adjusted"


class DecisionRow(Answer):
    """A decision; `amount` is euros a month, or a day where `per` says so; `reason` a code of the catalogue."""

    id: Identifier
    benefit: Identifier
    decided: date
    outcome: DecisionOutcome
    valid_from: date | None = None
    valid_to: date | None = None
    amount: Euros | None = None
    per: Literal["month", "day", "once"] = "month"
    reason: Identifier | None = None
    appealed: bool = False


class Payee(StrEnum):
    """To whom a payment went."""

    CUSTOMER = "customer"
    LANDLORD = "landlord"
    COUNTY = "county"
    EMPLOYER = "employer"
    ENFORCEMENT = "enforcement"
    GUARDIAN = "guardian"


class Deduction(Answer):
    """Something taken off a payment: recovery, enforcement, a claim of a county."""

    kind: Literal["recovery", "enforcement", "claim"]
    amount: Euros


class PaymentRow(Answer):
    """A payment; `account` comes masked. `net` = gross − tax − deductions.

    Attributes:
        status: planned (the day is to come), paid, returned.
    """

    id: Identifier
    benefit: Identifier
    paid_on: date
    period_from: date
    period_to: date
    gross: Euros | None = None
    tax: Euros | None = None
    deductions: list[Deduction] | None = None
    net: Euros
    payee: Payee | None = None
    account: Line | None = None
    incomes_register: bool
    status: Literal["planned", "paid", "returned"] = "paid"


class ClaimRow(Answer):
    """A claim on the customer's payments; `basis` is a section of law of the catalogue."""

    id: Identifier
    benefit: Identifier
    basis: Identifier
    claimant: Line
    claimant_id: BusinessId | None = None
    period_from: date
    period_to: date | None = None
    amount: Euros | None = None
    status: Literal["received", "in_force", "paid", "rejected", "ended"]
    received: date


class InsuranceRow(Answer):
    """A period of social security cover; `country` is an ISO code where it is not Finland's."""

    id: Identifier
    covered: bool
    ground: Literal["residence", "work", "posted", "family", "none"]
    valid_from: date
    valid_to: date | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class RecoveryRow(Answer):
    """An overpayment that is recovered: total, what is left, what is taken each month."""

    id: Identifier
    benefit: Identifier
    period_from: date
    period_to: date
    amount: Euros
    balance: Euros
    instalment: Euros | None = None
    status: Literal["open", "in_instalments", "paid", "waived", "at_enforcement", "appealed"]
    decided: date


class MedicineRow(Answer):
    """A year of medicine costs against the annual cap; `deductible` is None where none applies."""

    id: Identifier
    year: int
    accrued: Euros
    cap: Euros
    deductible: Euros | None = None
    deductible_used: Euros | None = None
    reached_on: date | None = None


class PassedOnRow(Answer):
    """Data that others have passed to Kela: employers, pension providers, the Incomes Register."""

    id: Identifier
    sender: Line
    kind: Identifier
    period_from: date
    period_to: date
    amount: Euros | None = None
    received: date


class SectionState(StrEnum):
    """What became of a section; `stale` rows are from an earlier answer of a source that is down."""

    SHOWN = "shown"
    NONE = "none"
    HIDDEN = "hidden"
    DOWN = "down"
    STALE = "stale"


class SectionLine(Answer):
    """A section, with the rows of its own kind; only the list of that kind is filled.

    Attributes:
        hidden: why nothing is shown, with `state` hidden.
        mandates: ids of the mandates that would open it.
        source_at: the source's time of the rows.
        narrowed: rows of some benefits are left out, since the mandate covers only some.
        hidden_fields: fields of the rows that stay away.
    """

    line: Literal["section"] = "section"
    section: Section
    state: SectionState
    hidden: Hidden | None = None
    mandates: list[Identifier] = Field(default_factory=list)
    source_at: AwareDatetime | None = None
    narrowed: bool = False
    hidden_fields: list[str] = Field(default_factory=list)
    pending: list[PendingRow] = Field(default_factory=list)
    decisions: list[DecisionRow] = Field(default_factory=list)
    payments: list[PaymentRow] = Field(default_factory=list)
    claims: list[ClaimRow] = Field(default_factory=list)
    insurance: list[InsuranceRow] = Field(default_factory=list)
    recovery: list[RecoveryRow] = Field(default_factory=list)
    medicine: list[MedicineRow] = Field(default_factory=list)
    passed_on: list[PassedOnRow] = Field(default_factory=list)


class QueryEnd(Answer):
    """Last line: every section asked for has been answered in one way or another."""

    line: Literal["end"] = "end"
    server_time: AwareDatetime


QueryLine = Annotated[PersonLine | SectionLine | QueryEnd, Field(discriminator="line")]


class LookUpRow(Answer):
    """One of the user's own look-ups; the customer's name is there while the file may be shown."""

    id: Identifier
    at: AwareDatetime
    organisation: BusinessId
    customer: Identifier | None = None
    masked_code: Line | None = None
    purpose: Identifier | None = None
    case_reference: Line | None = None
    reason: Block | None = None
    outcome: Identifier
    sections: list[Section] = Field(default_factory=list)


class LookUps(Answer):
    """Answer of `GET /v1/look-ups`: the user's own, the newest first; `next` continues."""

    look_ups: list[LookUpRow]
    next: str | None = None
