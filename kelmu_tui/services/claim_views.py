"""Which claims are listed, in which order, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.claims.days import payment_days
from kelmu_tui.domain.claims.life import OPEN, Status
from kelmu_tui.store.claim_rows import DRAFT, ClaimLine

SOON: Final = timedelta(days=7)
"""What is to be done within this is due soon."""


class ClaimView(StrEnum):
    """The views of the claims."""

    OPEN = "open"
    NEEDS_ME = "needs_me"
    DRAFTS = "drafts"
    IN_FORCE = "in_force"
    SOON = "soon"
    CLOSED = "closed"
    ALL = "all"


class ClaimOrder(StrEnum):
    """What the claims are sorted by; `need` is the order of the service."""

    NEED = "need"
    DUE = "due"
    NAME = "name"
    BENEFIT = "benefit"
    AMOUNT = "amount"
    REGISTERED = "registered"


class Wanted(NamedTuple):
    """Which claims, in which order."""

    view: ClaimView = ClaimView.OPEN
    order: ClaimOrder = ClaimOrder.NEED


class Totals(NamedTuple):
    """What claims come to in euros.

    Attributes:
        claimed: of those with a last day.
        monthly: a month, of those that last until further notice.
        paid: what Kela has paid on them.
    """

    claimed: Decimal
    monthly: Decimal
    paid: Decimal


def is_draft(line: ClaimLine) -> bool:
    """Tell whether a line is what the user has begun and not given."""
    return line.status == DRAFT


def is_open(line: ClaimLine) -> bool:
    """Tell whether something is still to come of a claim; of a draft it is."""
    return is_draft(line) or line.status in OPEN


def on_its_way(line: ClaimLine) -> bool:
    """Tell whether Kela has not got the claim yet: it is a draft, or its beginning has not arrived."""
    return is_open(line) and line.version == 0


def is_late(line: ClaimLine) -> bool:
    """Tell whether it still matters that a claim comes too late: nobody has decided on it yet."""
    return line.late and (on_its_way(line) or line.status in (Status.REGISTERED, Status.IN_HANDLING))


def needs_me(line: ClaimLine, today: date) -> bool:
    """Tell whether a claim waits for something that its makers do."""
    if line.conflict or is_draft(line):
        return True
    pressing = is_late(line) or line.status == Status.HEARING
    return is_open(line) and (pressing or (on_its_way(line) and line.latest is not None and line.latest <= today))


def next_day(line: ClaimLine, today: date) -> date | None:
    """Return the next day that matters: by when it has to arrive, until when the payee is heard, when Kela pays."""
    if on_its_way(line):
        return line.latest
    if line.status == Status.HEARING:
        return line.hearing_until
    if line.status == Status.IN_FORCE:
        return next_payment(line, today)
    return line.payment_day if is_open(line) else None


def next_payment(line: ClaimLine, today: date) -> date | None:
    """Return when Kela pays next on a claim in force; None where its benefit has no regular day, or none is left."""
    if line.first is None:
        return None
    reached = max(line.first, line.payment_day or line.first, today)
    return _payment_from(line.benefit, line.name.partition(",")[0], reached, line.until)


@lru_cache(4096)  # for every row of a list, at each painting
def _payment_from(benefit: str, surname: str, first: date, last: date | None) -> date | None:
    return next(payment_days(benefit, surname, first, last), None)


def is_soon(line: ClaimLine, today: date) -> bool:
    """Tell whether something of a claim is due within `SOON`, or has been and was not done."""
    if not is_open(line):
        return False
    until = today + SOON
    days = [next_day(line, today), line.until if line.status == Status.IN_FORCE else None]
    return any(day is not None and day <= until for day in days)


def select(lines: Iterable[ClaimLine], wanted: Wanted, today: date, benefit: Callable[[str], str]) -> list[ClaimLine]:
    """Return the claims of a view in its order; `benefit` names a benefit by its id."""
    views: dict[ClaimView, Callable[[ClaimLine], bool]] = {
        ClaimView.OPEN: is_open,
        ClaimView.NEEDS_ME: lambda line: needs_me(line, today),
        ClaimView.DRAFTS: is_draft,
        ClaimView.IN_FORCE: lambda line: line.status == Status.IN_FORCE,
        ClaimView.SOON: lambda line: is_soon(line, today),
        ClaimView.CLOSED: lambda line: not is_open(line),
        ClaimView.ALL: lambda _: True,
    }
    found = [line for line in lines if views[wanted.view](line)]
    keys: dict[ClaimOrder, Callable[[ClaimLine], Any]] = {
        ClaimOrder.DUE: lambda line: next_day(line, today) or date.max,
        ClaimOrder.NAME: lambda line: line.name.casefold(),
        ClaimOrder.BENEFIT: lambda line: benefit(line.benefit).casefold(),
        ClaimOrder.AMOUNT: lambda line: -(line.amount or Decimal(0)),
        ClaimOrder.REGISTERED: lambda line: -(line.registered_at.timestamp() if line.registered_at else 0),
    }
    # Sorting is stable: what is equal stays in the order of need.
    return sorted(found, key=keys[wanted.order]) if wanted.order in keys else found


def totals(lines: Sequence[ClaimLine]) -> Totals:
    """Return what claims come to; what was rejected or cancelled is claimed no more."""
    claimed, monthly, paid = Decimal(0), Decimal(0), Decimal(0)
    for line in lines:
        paid += line.paid
        if line.amount is None or line.status in (Status.REJECTED, Status.CANCELLED):
            continue
        if line.last is None:
            monthly += line.amount
        else:
            claimed += line.amount
    return Totals(claimed, monthly, paid)
