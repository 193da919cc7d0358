"""A desk at which Kela's invoices are reviewed: the real store, services and rules, and what a backend bills."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.domain.lists import lists, read_period
from kelmu_tui.domain.review.billing import billed_column, billed_list
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.screens.invoice import InvoiceScreen
from kelmu_tui.services.invoices import Invoices
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.invoices import InvoiceHead
from kelmu_tui.store.lists import Publication
from tests.population.issued_support import clean
from tests.screens.lists import ListsOffice
from tests.screens.support import SESSION, press, settled
from tests.services.customers import grant
from tests.services.invoices import MUNICIPAL
from tests.services.signed_in import organisation, session_text
from tests.store.build import NOW, OWN

KIND: Final = "lms_2025"
PERIOD: Final = "2026-10"
LIST: Final = billed_list(KIND).id
Rows = list[dict[str, Any]]


class InvoicesOffice(ListsOffice):
    """An office of a municipality that gets invoices; `billed` is what the backend says was billed."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, (), **options)
        self.billed: list[InvoiceHead] = []
        self.work_for("municipality", *MUNICIPAL)

    @property
    def invoices(self) -> Invoices:
        """The service of the desk."""
        assert self.desk is not None
        return self.desk.invoices

    def work_for(self, kind: str, *mandates: str) -> None:
        """Let the session be one of an organisation of a kind, with these mandates."""
        changes: dict[str, Any] = {"type": kind, "municipalities": ["536"]}
        if kind != "wellbeing_county":
            changes["county"] = None
        made = organisation(OWN, "Nokia", grants=[grant(mandate) for mandate in mandates], **changes)
        user = {"id": SESSION.user_id, "name": "Laura Koski", "language": "fi"}
        put_secrets(self.store, {"session": session_text(made, user=user)})

    async def refresh_invoices(self) -> None:
        """Say what was billed."""
        await self.thread.run(self.invoices.announce, self.billed)

    def bill(self, rows: Rows, *, kind: str = KIND, period: str = PERIOD, version: int = 1, **changes: Any) -> None:
        """Let the backend bill rows and publish them, in the place of what it billed for the period before."""
        head = head_of(rows, kind, period)._replace(**changes)
        self.billed = [one for one in self.billed if (one.kind, one.period) != (kind, period)] + [head]
        self.publish(publication(rows, kind, period, version), rows)

    def have(self, rows: Rows, *, kind: str = KIND, period: str = PERIOD, version: int = 1, **changes: Any) -> None:
        """Let the backend bill rows, and have all that here."""
        self.bill(rows, kind=kind, period=period, version=version, **changes)
        self.lists.announce([one for one, _ in self.published], list(lists()))
        self.invoices.announce(self.billed)
        self.hold(publication(rows, kind, period, version), rows)

    def said(self, kind: str = KIND, period: str = PERIOD) -> list[tuple[str, str]]:
        """Return the verdicts and texts of what is judged."""
        found = self.invoices.judgements(kind, period).values()
        return sorted((one.verdict.value, one.text) for one in found)


def publication(rows: Rows, kind: str, period: str, version: int) -> Publication:
    """Return what the backend says of an invoice's rows."""
    return Publication(billed_list(kind).id, period, version, NOW, len(rows))


def head_of(rows: Rows, kind: str, period: str) -> InvoiceHead:
    """Return the invoice that bills rows."""
    one, when = kinds()[kind], read_period(period)
    total = sum((Decimal(row[billed_column(kind)]) for row in rows), Decimal("0.00"))
    payer = "06" if kind == "treatment_abroad" else "536"
    sent, due = one.sent.on(when), one.due(when)
    return InvoiceHead(f"2-{payer}-{period}", kind, period, sent, due, total, len(rows), billed_list(kind).id, payer)


def right(period: str = PERIOD, kind: str = KIND) -> Rows:
    """Return the rows of an invoice with nothing wrong."""
    issue = next(one for one in clean(1, billed_list(kind).id) if one.period.key == period)
    return sorted((dict(row.content) for row in issue.rows), key=lambda row: row["id"])


def wrong(count: int, period: str = PERIOD) -> Rows:
    """Return the rows of an invoice with too high a share in `count` of them."""
    rows, left = right(period), count
    for row in rows:
        if left and row["event"] == "paid" and Decimal(row["municipal_share_eur"]) > 0:
            row["municipal_share_eur"] = str(Decimal(row["municipal_share_eur"]) + Decimal("0.01"))
            left -= 1
    assert not left
    return rows


@asynccontextmanager
async def billing(
    folder: Path, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[InvoicesOffice, Pilot[Any]]]:
    """Run an office for invoices; wait until its inbox is there."""
    app = InvoicesOffice(folder, **options)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        app.gate.set()
        app.thread.close()


def screen(app: InvoicesOffice) -> InvoiceScreen:
    """Return the screen of an invoice."""
    assert isinstance(app.screen, InvoiceScreen)
    return app.screen


async def opened(app: InvoicesOffice, pilot: Pilot[Any], kind: str = KIND, period: str = PERIOD) -> InvoiceScreen:
    """Open an invoice from the calendar, and wait until its review is over."""
    await press(pilot, "4")
    app.screen.query_one("#rows").jump(f"{kind}/{period}")  # type: ignore[attr-defined]
    await press(pilot, "enter")
    return screen(app)


def shown(found: InvoiceScreen) -> Sequence[tuple[str, str]]:
    """Return the rule and the state of the findings that are listed, in their order."""
    return [
        (line.found.finding.rule, found.judged[line.found.key].verdict.value if line.found.key in found.judged else "")
        for line in found.rows.rows
    ]


DISPUTED: Final = Verdict.DISPUTED.value
