"""The parts of a planned life, and the rows that they become."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

from kelmu_backend.population.lists import Weighted, chance, inhabitants, table
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract.customers import DecisionOutcome
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.domain.sections import Section

CENT: Final = Decimal("0.01")
NOTHING: Final = Decimal("0.00")
ANCHOR: Final = 2026
"""The year in which the ages count that decide what somebody lives on."""


class Customer(NamedTuple):
    """What a life needs of a row of `person`.

    Attributes:
        guardian: somebody has been appointed to look after the person's money.
        municipality: the code of the home municipality; the seed draws one where it is not known.
        pension_since: first day of a month since which somebody has had a pension, whatever the seed says.
    """

    id: str
    family_name: str
    born: date
    died: date | None
    seed: int
    guardian: bool = False
    municipality: str | None = None
    pension_since: date | None = None


class Ending(StrEnum):
    """Why a benefit ended before its time; the codes of reasons that the client explains."""

    INCOME = "income"
    NOT_ENTITLED = "not_entitled"
    DOCUMENTS = "documents"
    REPLACED = "replaced"
    DIED = "died"


class Spell(NamedTuple):
    """A benefit from the first day of a month to the last day of one, or still running.

    Attributes:
        why: why it ends, when that was decided later than the benefit; None when the end stood in the first decision.
        applied: somebody applied for it; Kela makes some changes by itself.
    """

    benefit: str
    start: date
    end: date | None
    why: Ending | None = None
    applied: bool = True


class Part(NamedTuple):
    """What one decision says of months of a spell; `amount` is None while it pays nothing.

    Attributes:
        end: the last day, were nothing decided later; the end of the spell when that stood in the decision.
        received: when the application or the review came in, None when Kela decided by itself.
    """

    benefit: str
    start: date
    end: date | None
    amount: Decimal | None
    outcome: DecisionOutcome
    decided: date
    reason: str | None = None
    received: date | None = None


class Course(NamedTuple):
    """A spell with its decisions, in the order of their months."""

    spell: Spell
    parts: tuple[Part, ...]


class Appeal(NamedTuple):
    """An appeal against the decision `against`; the board dismisses it on `until`."""

    against: Part
    received: date
    until: date


class Fate(StrEnum):
    """How the recovery of a debt goes."""

    INSTALMENTS = "instalments"
    WAIVED = "waived"
    ENFORCED = "enforced"


class Debt(NamedTuple):
    """An overpayment of one benefit.

    Attributes:
        since: the first day on which a payment may give an instalment back; or the day of waiving or of enforcement.
        appeal: the appeal against it, which holds up the recovery.
    """

    benefit: str
    month: date
    amount: Decimal
    instalment: Decimal
    decided: date
    since: date
    fate: Fate
    appeal: Appeal | None


class Claim(NamedTuple):
    """A county's claim on the payments of whole months of a benefit.

    Attributes:
        end: the last day that was claimed, None while the ground goes on.
        closes: the last day on which there is something to claim, `date.max` without an end.
        amount: euros in all, None when every payment goes to the county whole.
        share: euros of one payment, as long as `amount` lasts.
        decided: when Kela decided on it; `accepted` or not.
    """

    benefit: str
    basis: str
    start: date
    end: date | None
    closes: date
    amount: Decimal | None
    share: Decimal
    received: date
    decided: date
    accepted: bool

    def covers(self, benefit: str, month: date) -> bool:
        """Tell whether it takes its part of the payment of `month`."""
        return self.accepted and benefit == self.benefit and self.start <= month <= self.closes


class Distraint(NamedTuple):
    """Months in which the enforcement authority takes a part of taxable payments."""

    start: date
    end: date

    def covers(self, month: date) -> bool:
        """Tell whether it takes a part of the payment of `month`."""
        return self.start <= month <= self.end


class Life(NamedTuple):
    """A whole life; `refused` are applications that were rejected."""

    person: Customer
    courses: tuple[Course, ...]
    refused: tuple[Part, ...]
    appeals: tuple[Appeal, ...]
    debt: Debt | None
    claims: tuple[Claim, ...]
    distraint: Distraint | None

    @property
    def parts(self) -> list[Part]:
        """Every decision, those of refused applications too."""
        return [*(part for course in self.courses for part in course.parts), *self.refused]


def drawn(person: Customer, topic: str) -> Random:
    """Return the stream of chance of one topic of a person's life."""
    return chance(f"life/{person.seed}/{topic}")


def home_of(person: Customer) -> str:
    """Return the code of a person's home municipality, drawn by inhabitants where none is known."""
    if person.municipality is not None and person.municipality in municipalities():
        return person.municipality
    return _homes().draw(drawn(person, "home"))


@cache
def _homes() -> Weighted[str]:
    return Weighted.of(sorted(inhabitants().items()))


@cache
def amount_on(benefit: str, day: date) -> Decimal:
    """Return the euros of a month of `benefit` that begins on `day`, in full."""
    rows = [row for row in table("amounts")["amount"] if row["benefit"] == benefit]
    if not rows:
        return benefits()[benefit].typical
    known = [row for row in rows if row["from"] <= day] or rows
    chosen = max(known, key=lambda row: row["from"]) if known is not rows else min(rows, key=lambda row: row["from"])
    return Decimal(chosen["euros"])


def percent(sum_: Decimal, part: int) -> Decimal:
    """Return `part` per cent of a sum, in whole cents."""
    return (sum_ * part / 100).quantize(CENT)


def named_percent(sum_: Decimal, name: str) -> Decimal:
    """Return the part of a sum that the file of amounts calls `name`."""
    return percent(sum_, int(table("amounts")[name]))


def id_of(person: Customer, kind: str, benefit: str, day: date | str) -> str:
    """Return the id of a row, which depends on what the row is about and on nothing else."""
    return f"{kind}-{hashlib.sha256(f'{person.id}/{kind}/{benefit}/{day}'.encode()).hexdigest()[:24]}"


def row_of(person: Customer, section: Section, body: Any, day: date, benefit: str | None, changed: date) -> Row:
    """Return a row of `customer_row`; `day` sorts it, `changed` is when it last became different."""
    return {
        "person": person.id,
        "section": section.value,
        "id": body.id,
        "benefit": benefit,
        "day": day,
        "body": body.model_dump(mode="json"),
        "changed": datetime.combine(changed, time(), UTC),
    }
