"""A claim as it leaves the program: text for the case file, or a letter. That it leaves is logged before."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.i18n import Translator
from kelmu_tui.services import claim_letter, claim_text
from kelmu_tui.services.claims import Claims
from kelmu_tui.store.rows import ActiveSession


class Leaving(NamedTuple):
    """A text that leaves, and what whoever sends it has to know of it, which is no part of it."""

    text: str
    advice: tuple[str, ...] = ()


def record(claims: Claims, session: ActiveSession, claim: str, t: Translator, now: datetime) -> Leaving | None:
    """Return a claim as text for the case file; None when there is none.

    Raises:
        NotAllowed, NotShown, StoreError: nothing leaves.
    """
    del session
    file = claims.leaving(claim, "copy")
    return None if file is None else Leaving(claim_text.record(file, claims.accounts(), t, now))


def letter(claims: Claims, session: ActiveSession, claim: str, t: Translator, now: datetime) -> Leaving | None:
    """Return a claim as a letter to Kela, with the payee's whole identity code; None when there is none.

    Raises:
        NotAllowed, NotShown, StoreError: nothing leaves.
    """
    file = claims.leaving(claim, "letter")
    if file is None:
        return None
    organisation, draft = session.organisation, Partial.of(file.content)
    sender = claim_letter.Sender(organisation.name.get(t.language), organisation.business_id, local_date(now))
    return Leaving(claim_letter.letter(draft, file.line.name, sender, t), claim_letter.advice(draft, t))
