"""The organisation's own claims in a customer's file: those that the file does not tell yet, and beginning one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.domain.sections import Section
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.claim_rows import DRAFT, ClaimLine
from kelmu_tui.store.customer_rows import Claim, Decision, File, Payment, Pending

if TYPE_CHECKING:
    from kelmu_tui.screens.customer_acts import CustomerActs
    from kelmu_tui.screens.desk import Desk

STANDING: Final[Mapping[str, str]] = {
    Status.REGISTERED: "received",
    Status.IN_HANDLING: "received",
    Status.HEARING: "received",
    Status.IN_FORCE: "in_force",
    Status.REJECTED: "rejected",
    Status.ENDED: "ended",
    Status.CANCELLED: "ended",
}
"""How a state of an own claim is told among the claims of others, which the file knows less of."""


async def own_claims(desk: Desk, customer: str) -> Sequence[ClaimLine]:
    """Read the own claims on a customer's benefits; none where the mandates open no claims."""
    if PAYMENT_CLAIMS_REGISTER not in desk.session.capabilities:
        return ()
    try:
        found: Sequence[ClaimLine] = await desk.run(desk.claims.of_customer, customer)
    except NotAllowed:
        return ()
    return found


def with_own(file: File, own: Sequence[ClaimLine], desk: Desk, language: str) -> File:
    """Return a file with the own claims among the others, before them where it does not tell them.

    How an own claim stands is known from the feed; what the file says of it is as old as the file.
    """
    section = file.sections.get(Section.CLAIMS)
    if section is None or not own:
        return file
    standing = {line.id: STANDING[line.status] for line in own if line.status != DRAFT}
    told = {row.id for row in section.rows}
    organisation = desk.session.organisation
    rows = [
        row._replace(status=standing[row.id], claimant=organisation.name.get(language)) if row.id in standing else row
        for row in section.rows
        if isinstance(row, Claim)
    ]
    more = [
        Claim(
            line.id,
            line.benefit,
            line.basis,
            organisation.name.get(language),
            organisation.business_id,
            line.first,
            line.last,
            line.amount,
            STANDING[line.status],
            line.registered_at.date(),
        )
        for line in own
        if line.id not in told and line.first is not None and line.registered_at is not None and line.status != DRAFT
    ]
    state = "shown" if more and section.state == "none" else section.state
    merged = section._replace(state=state, rows=(*more, *rows))
    return file._replace(sections={**file.sections, Section.CLAIMS: merged})


def begin_claim(screen: CustomerActs, file: File) -> None:
    """Begin a claim on the customer's benefits; of a payment, decision or matter benefit and period are filled in."""
    from kelmu_tui.screens.claim_acts import open_claim_form
    from kelmu_tui.screens.claim_begin import Begin

    person = file.person
    code, name = person.identity_code, f"{person.family_name}, {person.given_names}"
    row = screen.rows.current if screen.part is not None else None
    match row:
        case Payment():
            begin = Begin.payment(code, name, row.benefit, row.period_from, row.period_to, row.net)
        case Decision():
            begin = Begin(code, name, row.benefit, row.valid_from, row.valid_to)
        case Pending():
            begin = Begin(code, name, row.benefit)
        case _:
            begin = Begin.customer(code, name)
    open_claim_form(screen.face, screen.desk, begin, screen.reload)
