"""What a claim says: the one value that form, outbox, wire and rules share."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Final

from kelmu_tui.domain.claims.catalogue import ASSISTANCE, CARE, asks

MAX_REFERENCE: Final = 30
MAX_GROUNDS: Final = 2000
MAX_HANDLER: Final = 100
MAX_TELEPHONE: Final = 40


@dataclass(frozen=True, slots=True)
class Assistance:
    """Social assistance that the authority has paid: for which days, how much in all, and when it decided so."""

    first: date
    last: date
    amount: Decimal
    decided_on: date


@dataclass(frozen=True, slots=True)
class Content:
    """What a claim says.

    Attributes:
        payee: identity code of the person to whom the benefit is paid.
        basis: id of `catalogue.bases`.
        benefit: id of a benefit.
        first: first day of the claim.
        last: last day, None until further notice.
        amount: euros for the whole period, a month where there is no last day; None while it is not known.
        account: IBAN of the organisation, without spaces.
        reference: for the payment, empty without one.
        grounds: why, in words; empty without them.
        handler, telephone: whom Kela can ask.
        care_first, care_last: the time of care (section 14); without a last day it goes on.
        assistance: what was paid (section 23).
    """

    payee: str
    basis: str
    benefit: str
    first: date
    last: date | None
    amount: Decimal | None
    account: str
    reference: str = ""
    grounds: str = ""
    handler: str = ""
    telephone: str = ""
    care_first: date | None = None
    care_last: date | None = None
    assistance: Assistance | None = None

    def __repr__(self) -> str:
        # Values end up in tracebacks and logs by accident; the representation keeps the person out of them.
        return f"Content(basis={self.basis!r}, benefit={self.benefit!r})"


@dataclass(frozen=True, slots=True)
class Partial:
    """A claim that is still being written: None is what nobody has said yet.

    That a claim has no last day has to be said, since a last day that is not typed yet is no claim until further
    notice. The parts of `Content.assistance` stand by themselves, as they are typed.

    Attributes:
        until_further_notice: there is no last day; then `last` is None.
    """

    payee: str | None = None
    basis: str | None = None
    benefit: str | None = None
    first: date | None = None
    last: date | None = None
    until_further_notice: bool = False
    amount: Decimal | None = None
    account: str | None = None
    reference: str | None = None
    grounds: str | None = None
    handler: str | None = None
    telephone: str | None = None
    care_first: date | None = None
    care_last: date | None = None
    assistance_first: date | None = None
    assistance_last: date | None = None
    assistance_amount: Decimal | None = None
    assistance_decided_on: date | None = None

    @classmethod
    def of(cls, content: Content) -> Partial:
        """Return everything that a claim says."""
        paid = content.assistance
        return cls(
            content.payee,
            content.basis,
            content.benefit,
            content.first,
            content.last,
            content.last is None,
            content.amount,
            content.account,
            content.reference,
            content.grounds,
            content.handler,
            content.telephone,
            content.care_first,
            content.care_last,
            *((None,) * 4 if paid is None else (paid.first, paid.last, paid.amount, paid.decided_on)),
        )

    @property
    def period_known(self) -> bool:
        """Whether it is said when the claim begins, and when it ends or that it goes on."""
        return self.first is not None and (self.last is not None or self.until_further_notice)

    @property
    def assistance(self) -> Assistance | None:
        """The assistance when all of it is said."""
        first, last, amount = self.assistance_first, self.assistance_last, self.assistance_amount
        decided = self.assistance_decided_on
        if first is None or last is None or amount is None or decided is None:
            return None
        return Assistance(first, last, amount, decided)

    def of_basis(self) -> Partial:
        """Return the claim without what its basis does not ask for: Kela gets no more than it needs."""
        kept = self
        if not asks(self.basis, CARE):
            kept = replace(kept, care_first=None, care_last=None)
        if not asks(self.basis, ASSISTANCE):
            kept = replace(kept, assistance_first=None, assistance_last=None)
            kept = replace(kept, assistance_amount=None, assistance_decided_on=None)
        return kept

    def whole(self) -> Content | None:
        """Return the claim when nothing is missing of which a claim is made, else None.

        The amount may be missing, and texts that nobody wrote are empty: `rules.check` tells what Kela still wants.
        What the basis does not ask for is left out.
        """
        said = self.of_basis()
        payee, basis, benefit, first, account = said.payee, said.basis, said.benefit, said.first, said.account
        if payee is None or basis is None or benefit is None or first is None or account is None:
            return None
        if not said.period_known:
            return None
        return Content(
            payee,
            basis,
            benefit,
            first,
            said.last,
            said.amount,
            account,
            said.reference or "",
            said.grounds or "",
            said.handler or "",
            said.telephone or "",
            said.care_first,
            said.care_last,
            said.assistance,
        )

    def __repr__(self) -> str:
        return f"Partial(basis={self.basis!r}, benefit={self.benefit!r})"


FIELDS: Final = tuple(field.name for field in fields(Partial) if field.name != "until_further_notice")
"""The fields of a claim that take what is typed, in their order."""
