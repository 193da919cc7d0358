"""A command on a claim in the outbox: what it was about, and the form with what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from kelmu_tui.i18n import Translator
from kelmu_tui.screens.claim_acts import open_claim_form
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.rows import CommandLine
from kelmu_tui.widgets.sheet import Block, Field

if TYPE_CHECKING:
    from kelmu_tui.screens.base import FramedScreen
    from kelmu_tui.screens.desk import Desk


def claim_fields(row: CommandLine, t: Translator) -> Iterator[Block]:
    """Yield what a command on a claim was about, from its label alone."""
    label = row.label
    if label.get("masked_code"):
        yield Field(t("customer_view.code"), str(label["masked_code"]))
    if label.get("benefit"):
        yield Field(t("claim_view.column_benefit"), benefit_name(str(label["benefit"]), t))
    if label.get("first"):
        last = label.get("last")
        days = t.formats.period(date.fromisoformat(label["first"]), date.fromisoformat(last) if last else None)
        yield Field(t("claim_view.column_period"), days)
    if label.get("amount"):
        yield Field(t("claim_view.column_amount"), t.formats.euros(Decimal(str(label["amount"]))))


def open_refused(screen: FramedScreen[None], desk: Desk, row: CommandLine) -> None:
    """Open the form with what was refused; what it gives takes the place of the refused command."""
    screen.face.spawn("claim.refused", _open(screen, desk, row))


async def _open(screen: FramedScreen[None], desk: Desk, row: CommandLine) -> None:
    try:
        draft = await desk.run(desk.claims.mend, row.id)
    except NotAllowed:
        screen.say(screen.face.t("claim_view.closed"), role="warn")
        return
    if draft is None:
        screen.say(screen.face.t("claim_view.gone"), role="warn")
    elif screen.alive:
        open_claim_form(screen.face, desk, Begin.of_draft(draft))
