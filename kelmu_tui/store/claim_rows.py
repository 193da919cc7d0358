"""What the store hands out of claims: plain frozen values for both faces.

Sums are `Decimal` euros, days are Finnish calendar days, instants UTC.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from kelmu_tui.domain.claims.content import Content

DRAFT: Final = "draft"
"""Status of what the user has begun and not given yet."""


class ClaimLine(NamedTuple):
    """A claim as a list shows it, with the user's own pending commands applied; or a draft of one.

    Attributes:
        id: of the claim, or of the draft.
        version: of the row, 0 while its beginning is on its way, and of a draft.
        status: value of `domain.claims.life.Status`, or `DRAFT`.
        name: "Family, Given" of the payee.
        first, last, amount: None where a draft does not say it (yet), or not so that it could be read; no `last` of a
            claim is until further notice.
        payment_day: first payment day that it reaches, None when its benefit has no regular one.
        latest: day by which it has to arrive for the payment day that it is meant for.
        late: it does not, or did not.
        paid: sum that Kela has paid on it so far.
        pending: last own command that is on its way, as the outbox names it (`domain.claims.life.VERBS`).
        conflict: an own command was refused and the user has not acted on it.
        editing: name of somebody else who is changing it now.
        ended_on: the last day as it was told with its end; the claim itself keeps its own.
    """

    id: str
    version: int
    status: str
    name: str
    masked_code: str
    non_disclosure: bool
    basis: str
    benefit: str
    first: date | None
    last: date | None
    amount: Decimal | None
    payment_day: date | None
    latest: date | None
    late: bool
    paid: Decimal
    registered_at: datetime | None
    registered_by: str
    hearing_until: date | None
    pending: str | None
    conflict: bool
    editing: str | None
    expires_at: datetime | None
    ended_on: date | None = None

    @property
    def until(self) -> date | None:
        """The last day: the one that was told with the end, else that of the claim; None until further notice."""
        return self.last if self.ended_on is None else self.ended_on


class Event(NamedTuple):
    """What happened to a claim; `by` is the worker's name, None when Kela did it; `pending` while it is on its way."""

    at: datetime
    what: str
    by: str | None
    pending: bool = False


class Paid(NamedTuple):
    """What Kela has paid on a claim."""

    on: date
    amount: Decimal


class ClaimFile(NamedTuple):
    """A claim whole, with the user's own pending commands applied.

    Attributes:
        events, payments: the oldest first.
        rejection: code of why Kela rejected it.
        data_at: when the backend was last heard, None before the first time.
    """

    line: ClaimLine
    content: Content
    events: tuple[Event, ...]
    payments: tuple[Paid, ...]
    decided_on: date | None
    rejection: str | None
    end_reason: str | None
    ended_on: date | None
    data_at: datetime | None


class Account(NamedTuple):
    """A bank account of the organisation; `iban` is without spaces."""

    id: str
    iban: str
    name: str


class ClaimDraft(NamedTuple):
    """What the user typed into the form and has not given.

    Attributes:
        claim: id of the claim that it changes, None for a new one.
        payee: identity code, empty while there is none.
        name: "Family, Given", empty while it is not known.
        values: raw texts of the form's fields, by field of `Content`; of assistance as `assistance_first` and so on.
        at: when it was kept last.
        base: texts of the claim that it changes, as they were when that began: what has changed since, somebody else
            did. None for a new claim.
    """

    id: str
    claim: str | None
    payee: str
    name: str
    values: dict[str, str]
    at: datetime
    base: dict[str, str] | None = None

    def __repr__(self) -> str:
        # A person's code and what is said of them stay out of tracebacks and logs.
        return f"ClaimDraft(id={self.id!r}, claim={self.claim!r})"


class Payee(NamedTuple):
    """Who is known here by an identity code.

    Attributes:
        name: "Family, Given".
        customer: id of the customer's file, None when none is held.
        looked_up: a file of theirs is held here.
    """

    name: str
    masked_code: str
    non_disclosure: bool
    customer: str | None
    looked_up: bool
