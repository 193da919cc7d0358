"""Pending matters: applications and reviews until their decision, appeals until the board's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from kelmu_backend.population.lists import table
from kelmu_backend.population.lives.calendar import after
from kelmu_backend.population.lives.model import Customer, Life, Part, drawn, id_of, row_of
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract.customers import DecisionOutcome, PendingKind, PendingRow, PendingStage
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.sections import Section


def pending_rows(life: Life, today: date) -> Iterator[Row]:
    """Yield what is being handled on `today`."""
    for part in life.parts:
        if part.received is not None and part.received <= today < part.decided:
            yield _matter(life.person, part, part.received, today)
    for appeal in life.appeals:
        if appeal.received <= today < appeal.until:
            yield _appeal(life.person, appeal.against, appeal.received, today)


def _matter(person: Customer, part: Part, received: date, today: date) -> Row:
    """Return an application or a review: received, perhaps waiting for attachments, then handled."""
    kind = PendingKind.REVIEW if part.outcome is DecisionOutcome.ADJUSTED else PendingKind.APPLICATION
    random = drawn(person, f"matter/{part.benefit}/{received}")
    taken = received + (part.decided - received) / 4
    complete = received + (part.decided - received) * 3 / 4
    lacks = random.sample(_attachments(part.benefit), random.randrange(1, 3)) if random.random() < 0.4 else []
    stage, moved = PendingStage.RECEIVED, received
    if taken <= today and lacks and today < complete:
        stage, moved = PendingStage.ATTACHMENTS_MISSING, taken
    elif taken <= today:
        stage, moved = PendingStage.IN_HANDLING, complete if lacks else taken
    row = PendingRow(
        id=id_of(person, "q", f"{kind}/{part.benefit}", received),
        benefit=part.benefit,
        kind=kind,
        received=received,
        stage=stage,
        missing=lacks if stage is PendingStage.ATTACHMENTS_MISSING else [],
        office=random.choice(table("lives")["offices"]),
    )
    return row_of(person, Section.PENDING, row, received, part.benefit, moved)


def _appeal(person: Customer, against: Part, received: date, today: date) -> Row:
    """Return an appeal: Kela looks at it first, then it goes to the board."""
    forwarded = after(received, 30)
    at_board = forwarded <= today
    row = PendingRow(
        id=id_of(person, "q", f"appeal/{against.benefit}/{against.outcome}", received),
        benefit=against.benefit,
        kind=PendingKind.APPEAL,
        received=received,
        stage=PendingStage.AT_APPEAL_BOARD if at_board else PendingStage.RECEIVED,
        office=table("lives")["appeal_board"] if at_board else table("lives")["appeals_office"],
    )
    return row_of(person, Section.PENDING, row, received, against.benefit, forwarded if at_board else received)


def _attachments(benefit: str) -> list[str]:
    known = table("lives")["attachments"]
    return list(known.get(benefits()[benefit].group, known["any"]))
