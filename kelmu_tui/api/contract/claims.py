"""Payment claims on the wire: the rows that the feed carries in `claims:<business ID>`, and the bodies of commands."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from kelmu_tui.api.contract.common import Answer, Block, Identifier, Line, Request, Version, clean_block
from kelmu_tui.domain.claims.content import MAX_GROUNDS, MAX_HANDLER, MAX_REFERENCE, MAX_TELEPHONE
from kelmu_tui.domain.claims.life import Status

Amount = Annotated[Decimal, Field(gt=0, max_digits=9, decimal_places=2)]
Iban = Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$")]
Code = Annotated[str, Field(min_length=11, max_length=11)]


class AssistanceBody(Request):
    """Social assistance that the authority has paid."""

    first: date
    last: date
    amount: Amount
    decided_on: date


def _line(limit: int) -> object:
    return Field(max_length=limit)


class ClaimBody(Request):
    """Body of `POST /v1/claims/{id}/register` and `/change`: mirrors `domain.claims.content.Content`.

    The client chooses the id, so that a claim can be made without a network.
    """

    payee: Code
    basis: Identifier
    benefit: Identifier
    first: date
    last: date | None = None
    amount: Amount
    account: Iban
    reference: Annotated[Line, _line(MAX_REFERENCE)] = ""
    grounds: Annotated[str, BeforeValidator(clean_block), Field(max_length=MAX_GROUNDS)] = ""
    handler: Annotated[Line, Field(min_length=1), _line(MAX_HANDLER)]
    telephone: Annotated[Line, Field(min_length=1), _line(MAX_TELEPHONE)]
    care_first: date | None = None
    care_last: date | None = None
    assistance: AssistanceBody | None = None


class ProlongBody(Request):
    """Body of `POST /v1/claims/{id}/prolong`."""

    last: date


class EndBody(Request):
    """Body of `POST /v1/claims/{id}/end`; `reason` is of the catalogue."""

    last: date
    reason: Identifier


class EditingBody(Request):
    """Body of `POST /v1/claims/{id}/editing`: the user begins to change the claim, goes on, or has stopped."""

    on: bool


# --- rows -----------------------------------------------------------------------------------------------------------


class ClaimPayee(Answer):
    """The person to whom the benefit is paid."""

    identity_code: Identifier
    family_name: Line
    given_names: Line
    non_disclosure: bool = False


class AssistancePaid(Answer):
    """Social assistance that the authority has paid."""

    first: date
    last: date
    amount: Decimal
    decided_on: date


class ClaimPayment(Answer):
    """What Kela has paid to the organisation on a claim."""

    on: date
    amount: Decimal


class ClaimEvent(Answer):
    """What happened to a claim; `by` is the worker's name, None when Kela did it.

    Attributes:
        what: register, change, prolong, end, cancel; in_handling, hearing, in_force, rejected, ended, paid.
    """

    at: AwareDatetime
    what: Identifier
    by: Line | None = None


class ClaimEditor(Answer):
    """Somebody who is changing the claim; not any more after `until`."""

    user: Identifier
    name: Line
    until: AwareDatetime


class ClaimRecord(Answer):
    """A claim of the organisation.

    Attributes:
        late: it came less than two weeks before the payment day that it was meant for.
        payment_day: the first payment day that it reaches, None when its benefit has no regular one.
        hearing_until: until when Kela waits for the payee's answer.
        rejection: why Kela rejected it, a code of `claims.rejection` in the texts.
        events: the oldest first.
    """

    table: Literal["claim"] = "claim"
    id: Identifier
    version: Version
    status: Status
    payee: ClaimPayee
    basis: Identifier
    benefit: Identifier
    first: date
    last: date | None = None
    amount: Decimal
    account: Identifier
    reference: Line = ""
    grounds: Block = ""
    handler: Line = ""
    telephone: Line = ""
    care_first: date | None = None
    care_last: date | None = None
    assistance: AssistancePaid | None = None
    registered_at: AwareDatetime
    registered_by: Line
    late: bool = False
    payment_day: date | None = None
    hearing_until: date | None = None
    decided_on: date | None = None
    rejection: Identifier | None = None
    end_reason: Identifier | None = None
    ended_on: date | None = None
    payments: list[ClaimPayment] = Field(default_factory=list)
    events: list[ClaimEvent] = Field(default_factory=list)
    editing: list[ClaimEditor] = Field(default_factory=list)
    expires_at: AwareDatetime | None = None


class AccountRow(Answer):
    """A bank account of the organisation to which claims can be paid; in the same scope as the claims."""

    table: Literal["account"] = "account"
    id: Identifier
    version: Version
    iban: Iban
    name: Line
