"""A section of a customer as a line of the answer: what may be seen of its rows, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from kelmu_backend.customers.looking import Part
from kelmu_backend.database.customer_tables import customer_row, person
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api import contract
from kelmu_tui.api.contract import SectionState
from kelmu_tui.domain.sections import Section, under_non_disclosure

MODELS: Final[Mapping[Section, type[BaseModel]]] = {
    Section.PENDING: contract.PendingRow,
    Section.DECISIONS: contract.DecisionRow,
    Section.PAYMENTS: contract.PaymentRow,
    Section.CLAIMS: contract.ClaimRow,
    Section.INSURANCE: contract.InsuranceRow,
    Section.RECOVERY: contract.RecoveryRow,
    Section.MEDICINE: contract.MedicineRow,
    Section.PASSED_ON: contract.PassedOnRow,
}
"""Model of the rows of each section."""

_ROWS: Final = (
    select(customer_row.c.benefit, customer_row.c.body)
    .where(customer_row.c.person == bindparam("person"), customer_row.c.section == bindparam("section"))
    .order_by(customer_row.c.day.desc(), customer_row.c.id)
)
_NON_DISCLOSURE: Final = select(person.c.non_disclosure).where(person.c.id == bindparam("person"))


def is_under_non_disclosure(connection: Connection, customer: str) -> bool:
    """Tell whether a person has a non-disclosure order now."""
    return bool(connection.execute(_NON_DISCLOSURE, {"person": customer}).scalar_one())


def hidden(section: Section, part: Part) -> JsonRow:
    """Return the line of a section of which nothing may be seen."""
    why, denied = part.sight.hidden, part.sight.denied
    assert why is not None
    return _line(section, SectionState.HIDDEN, hidden=why.value, mandates=list(denied.mandates) if denied else [])


def down(section: Section) -> JsonRow:
    """Return the line of a section whose source does not answer."""
    return _line(section, SectionState.DOWN)


def shown(connection: Connection, customer: str, section: Section, part: Part, now: datetime) -> JsonRow:
    """Return the line of a section with the rows that may be seen.

    `narrowed` follows from the mandate, not from the rows: that something was left out would tell that it is there.
    """
    away = hidden_fields(section, part)
    # Fields that the contract does not know do not travel, whatever a source put into its rows.
    kept = [name for name in MODELS[section].model_fields if name not in away]
    rows = [
        {name: row.body[name] for name in kept if name in row.body}
        for row in connection.execute(_ROWS, {"person": customer, "section": section.value})
        if part.sight.shows(row.benefit)
    ]
    return _line(
        section,
        SectionState.SHOWN if rows else SectionState.NONE,
        source_at=instant(now),
        narrowed=part.sight.benefits is not None,
        hidden_fields=sorted(away),
        rows=rows,
    )


def hidden_fields(section: Section, part: Part) -> frozenset[str]:
    """Return the fields of a section's rows that stay away."""
    return part.sight.fields | (under_non_disclosure(section.value) if part.non_disclosure else frozenset())


def _line(section: Section, state: SectionState, rows: list[JsonRow] | None = None, **more: Any) -> JsonRow:
    return {"line": "section", "section": section.value, "state": state.value, **more, section.value: rows or []}
