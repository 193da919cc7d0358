"""What a draft of a claim says, as far as its texts can be read as days and sums."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.services.claim_typing import read
from kelmu_tui.store.claim_drafts import KEPT
from kelmu_tui.store.claim_rows import DRAFT, ClaimDraft, ClaimLine

_CODE: Final = 11
"""Length of an identity code; of less nothing is shown."""


def draft_lines(found: Iterable[ClaimDraft], today: date) -> tuple[ClaimLine, ...]:
    """Return drafts as lines of a list, read as the form would read them."""
    return tuple(_line(draft, today) for draft in found)


def _line(draft: ClaimDraft, today: date) -> ClaimLine:
    said = read(draft.values, draft.payee, today).partial
    return ClaimLine(
        id=draft.id,
        version=0,
        status=DRAFT,
        name=draft.name,
        masked_code=mask(draft.payee) if len(draft.payee) == _CODE else "",
        non_disclosure=False,
        basis=said.basis or "",
        benefit=said.benefit or "",
        first=said.first,
        last=said.last,
        amount=said.amount,
        payment_day=None,
        latest=None,
        late=False,
        paid=Decimal(0),
        registered_at=None,
        registered_by="",
        hearing_until=None,
        pending=None,
        conflict=False,
        editing=None,
        expires_at=draft.at + KEPT,
    )
