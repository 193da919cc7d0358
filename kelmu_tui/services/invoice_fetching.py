"""Asking the backend what it has billed. The rows of an invoice are those of its list (`list_fetching.fetch_list`).

Kept apart from `invoices`, which the offline commands import: this module pulls in the wire models.
"""

from __future__ import annotations

from kelmu_tui.services.context import Context
from kelmu_tui.services.list_fetching import run_there
from kelmu_tui.services.looking import Link
from kelmu_tui.store.invoices import InvoiceHead


async def refresh_invoices(link: Link, context: Context) -> None:
    """Ask what was billed and keep it.

    Raises:
        ApiError: the backend refused, could not be reached, or its answer was not whole.
        NotAllowed: the user works for another organisation meanwhile.
        StoreError: the disk does not take the answer.
    """
    answer = await link.client.invoices(context.active.organisation.business_id)
    told = [
        InvoiceHead(
            one.number,
            one.invoice,
            one.period,
            one.sent_on,
            one.due_on,
            one.total,
            one.rows,
            one.list_id,
            one.payer,
            one.corrects,
        )
        for one in answer.invoices
    ]
    await run_there(link, context, context.invoices.announce, told)
