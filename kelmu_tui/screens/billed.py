"""The calendar of Kela's invoices as its rows: what came and what comes, how far the review is, what is closed.

Nothing here names anybody, so reading it is no look at people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from kelmu_tui.domain.capabilities import Denied
from kelmu_tui.domain.lists import Invoice
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.fetches import Fetches, Which
from kelmu_tui.services.invoices import Billing, Invoices
from kelmu_tui.store.judgements import Judgement

if TYPE_CHECKING:
    from kelmu_tui.screens.reviews import Reviews


class Standing(NamedTuple):
    """How far the review of an invoice is.

    Attributes:
        found: how many findings the review of the copy that is here brought, None when it was not reviewed.
        open: those of them that nobody has judged.
        disputed, judged: findings that are disputed, and judged at all; without a review those of one before.
    """

    found: int | None
    open: int
    disputed: int
    judged: int


class Billed(NamedTuple):
    """A row of the calendar: a period of an open kind, or a closed kind."""

    kind: Invoice
    list: str
    billing: Billing | None = None
    standing: Standing | None = None
    denied: Denied | None = None

    @property
    def which(self) -> Which:
        """The list and the period of its rows, which is empty without one."""
        return self.list, "" if self.billing is None else self.billing.period


def calendar(invoices: Invoices, reviews: Reviews) -> tuple[Billed, ...]:
    """Return the rows: the newest periods first, then the closed kinds. One unit of work."""
    offers = invoices.offers()
    lists = {offer.kind.id: offer.list.id for offer in offers}
    opened = [
        Billed(billing.kind, lists[billing.kind.id], billing, standing(invoices, reviews, billing))
        for billing in invoices.calendar()
    ]
    closed = [
        Billed(offer.kind, offer.list.id, denied=offer.verdict) for offer in offers if isinstance(offer.verdict, Denied)
    ]
    return (*opened, *closed)


def standing(invoices: Invoices, reviews: Reviews, billing: Billing) -> Standing | None:
    """Return how far the review of an invoice is, None while it has not come."""
    if billing.expected:
        return None
    judged = invoices.judgements(billing.kind.id, billing.period)
    found = reviews.keys(billing)
    if found is None:
        return Standing(None, 0, _disputed(judged.values()), len(judged))
    here = [one for key, one in judged.items() if key in found]
    return Standing(len(found), len(found) - len(here), _disputed(here), len(here))


def _disputed(judged: Iterable[Judgement]) -> int:
    return sum(one.verdict is Verdict.DISPUTED for one in judged)


def begin_fetch(fetches: Fetches, billing: Billing, *, online: bool) -> str:
    """Begin to fetch the rows of an invoice; return why that cannot be, empty when it is under way.

    Returns:
        A value of the family `invoice_view.fetch`.
    """
    entry = billing.entry
    if entry is None or entry.publication is None:
        return "none"
    if entry.copy is not None and not entry.outdated:
        return "here"
    if entry.publication.withdrawn:
        return "withdrawn"
    if not online:
        return "offline"
    fetches.begin((entry.list, entry.period), done=entry.staged or 0, total=entry.publication.rows)
    return ""


def why_no_rows(billing: Billing, t: Translator, fetch: str, ask: str) -> str:
    """Return why the rows of an invoice are not here, and which key helps: to fetch, or to ask what is published."""
    entry = billing.entry
    if entry is None or entry.publication is None:
        return t("invoice_view.no_rows_published_text", key=ask)
    if entry.publication.withdrawn:
        return t("errors.api.list_withdrawn")
    return t("lists.part_here_text", key=fetch) if entry.staged else t("invoice_view.not_here_text", key=fetch)
