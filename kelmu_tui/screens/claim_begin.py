"""With what the form of a payment claim begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Self

PURPOSE: Final = "payment_claim"
"""For what the payee of a claim is looked up (`domain.sections.purposes`)."""


@dataclass(frozen=True, slots=True)
class Begin:
    """What is known before anything is typed; without anything the form is empty.

    Attributes:
        payee: identity code of a customer who is known, and `name` ("Family, Given") of the same.
        benefit, first, last, amount: of a payment that is claimed.
        change: id of the claim that is changed.
        copy: id of the claim that a new one resembles.
        draft: id of a draft that is gone on with.
    """

    payee: str = ""
    name: str = ""
    benefit: str = ""
    first: date | None = None
    last: date | None = None
    amount: Decimal | None = None
    change: str | None = None
    copy: str | None = None
    draft: str | None = None

    def __repr__(self) -> str:
        # A person's code and name stay out of tracebacks and logs.
        return f"Begin(change={self.change!r}, copy={self.copy!r}, draft={self.draft!r})"

    @classmethod
    def new(cls) -> Self:
        """Begin with nothing."""
        return cls()

    @classmethod
    def customer(cls, code: str, name: str) -> Self:
        """Begin with a customer."""
        return cls(code, name)

    @classmethod
    def payment(cls, code: str, name: str, benefit: str, first: date, last: date, amount: Decimal | None) -> Self:
        """Begin with a payment of a benefit to a customer: its period, and its sum where it is shown."""
        return cls(code, name, benefit, first, last, amount)

    @classmethod
    def of_change(cls, claim: str) -> Self:
        """Begin with what a claim says, to change it."""
        return cls(change=claim)

    @classmethod
    def of_copy(cls, claim: str) -> Self:
        """Begin with what a claim says, to make another one."""
        return cls(copy=claim)

    @classmethod
    def of_draft(cls, draft: str) -> Self:
        """Go on with a draft."""
        return cls(draft=draft)
