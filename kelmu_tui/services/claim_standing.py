"""The organisation's own claims among those that a customer's file tells of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kelmu_tui.domain.claims.life import IN_FILE, Status
from kelmu_tui.domain.sections import Section
from kelmu_tui.store.claim_rows import DRAFT, ClaimLine
from kelmu_tui.store.customer_rows import Claim, File
from kelmu_tui.store.rows import ActiveOrganisation

_STANDING: Final = {**IN_FILE, Status.CANCELLED: IN_FILE[Status.ENDED]}
WAITING: Final = "waiting"
"""How an own claim is told that has not left this machine, or of which Kela has not said that it came."""


def _standing(line: ClaimLine) -> str:
    return WAITING if line.version == 0 else _STANDING[line.status]


def with_own(file: File, own: Sequence[ClaimLine], organisation: ActiveOrganisation, language: str) -> File:
    """Return a file with the own claims among the others, before them where it does not tell them.

    How an own claim stands is known from the feed; what the file says of it is as old as the file.
    """
    section = file.sections.get(Section.CLAIMS)
    if section is None or not own:
        return file
    standing = {line.id: _standing(line) for line in own if line.status != DRAFT}
    told = {row.id for row in section.rows}
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
            _standing(line),
            None if line.version == 0 else line.registered_at.date(),
        )
        for line in own
        if line.id not in told and line.first is not None and line.registered_at is not None and line.status != DRAFT
    ]
    state = "shown" if more and section.state == "none" else section.state
    merged = section._replace(state=state, rows=(*more, *rows))
    return file._replace(sections={**file.sections, Section.CLAIMS: merged})
