"""The organisation's own claims in a customer's file: those that the file does not tell yet, and beginning one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.claim_rows import ClaimLine
from kelmu_tui.store.customer_rows import Decision, File, Payment, Pending

if TYPE_CHECKING:
    from kelmu_tui.screens.customer_acts import CustomerActs
    from kelmu_tui.screens.desk import Desk


async def own_claims(desk: Desk, customer: str) -> Sequence[ClaimLine]:
    """Read the own claims on a customer's benefits; none where the mandates open no claims."""
    if PAYMENT_CLAIMS_REGISTER not in desk.session.capabilities:
        return ()
    try:
        found: Sequence[ClaimLine] = await desk.run(desk.claims.of_customer, customer)
    except NotAllowed:
        return ()
    return found


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
