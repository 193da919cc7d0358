"""Somebody who may see the invoices of a municipality or a county, and invoices that come to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from kelmu_backend.lists.publishing import Issue
from kelmu_backend.population.issued import county_answers
from kelmu_tui.domain.lists import KelaList, invoices
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.review import Answer
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.reviewing import Reviewed, review
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.database import Store
from kelmu_tui.store.invoices import InvoiceHead
from kelmu_tui.store.lists import Publication
from kelmu_tui.store.thread import StoreThread
from tests.population.issued_support import roll
from tests.services.customers import grant
from tests.services.signed_in import FIRST, NOW, organisation, session_text

MUNICIPAL: Final = ("labour_market_subsidy_material", "unemployment_financing_material", "childcare_support_material")
LMS: Final = catalogue()["list_lms_invoice_persons_2025"]
REIMBURSED: Final = catalogue()["list_treatment_abroad_reimbursements"]
ABROAD: Final = "treatment_abroad_reimbursements"
NEEDS: Final = OPENERS | frozenset(catalogue())

AtWork = Callable[[KelaList], Context]
"""Gives the context of somebody who may see the invoices over a list."""


def mandates_of(one: KelaList) -> tuple[str, ...]:
    """Return mandates with which a list is open to its organisation."""
    return (ABROAD,) if one.mandate == ABROAD else MUNICIPAL


def grant_invoices(store: Store, one: KelaList, *mandates: str, demo: bool = True) -> None:
    """Let the session be one of an organisation that gets invoices over this list."""
    county = one.mandate == ABROAD
    kind, places = ("wellbeing_county", ["837"]) if county else ("municipality", ["536"])
    grants = [grant(mandate) for mandate in mandates or mandates_of(one)]
    changes = {"type": kind, "municipalities": places, "county": "06" if county else None, "grants": grants}
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa", **changes), demo=demo)})


def at_invoices(profile: Profile, store: Store, one: KelaList) -> Context:
    """Return the context of somebody who may see the invoices over a list."""
    grant_invoices(store, one)
    return activate(profile, store, FIRST, SeededIds(2), NEEDS)


def head_of(one: KelaList, issue: Issue) -> InvoiceHead | None:
    """Return the invoice that comes with a list, as the backend tells it."""
    bill, period = issue.bill, issue.period
    if bill is None:
        return None
    total = Decimal(bill.total).scaleb(-2)
    sent, due = bill.kind.sent.on(period), bill.kind.due(period)
    return InvoiceHead(bill.number, bill.kind.id, period.key, sent, due, total, len(issue.rows), one.id, bill.payer)


def hold(context: Context, one: KelaList, issues: Sequence[Issue], *more: InvoiceHead, version: int = 1) -> None:
    """Have lists here, and the invoices over them and `more`."""
    lists = context.lists
    for issue in issues:
        publication = Publication(one.id, issue.period.key, version, NOW, len(issue.rows))
        rows = sorted((row.content for row in issue.rows), key=lambda row: row["id"])
        lists.finish(lists.take(lists.begin(publication), rows) if rows else lists.begin(publication))
    heads = [head for issue in issues if (head := head_of(one, issue)) is not None]
    context.invoices.announce([*heads, *more])


def kind_of(one: KelaList) -> str:
    """Return the kind of invoice over a list."""
    assert one.invoice is not None
    return invoices()[one.invoice].id


async def reviewed(thread: StoreThread, context: Context, one: KelaList, issue: Issue, seed: int = 1) -> Reviewed:
    """Return the review of a list of the record's people, with all that their organisation knows of them."""
    people, answers = roll(seed, one.id), None
    if one is REIMBURSED:
        told = county_answers(people, seed, [issue.period])
        answers = {ref: Answer(Decimal(a.cost) / 100, Decimal(a.fee) / 100) for ref, a in told.items()}
    residents = {resident.identity_code for resident in people.residents}
    return await review(
        thread.run, context.invoices, kind_of(one), issue.period.key, residents=residents, answers=answers
    )


def rules_of(found: Reviewed) -> set[str]:
    """Return the rules that found something."""
    return {one.finding.rule for one in found.found}
