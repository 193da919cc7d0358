"""The audit log: one row for each look and each command, in the transaction that it tells of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from kelmu_backend.database import tables

DONE = "done"
"""Outcome of what was carried out; a refusal stands with its code or the rule that spoke."""


def write(
    connection: Connection,
    *,
    at: datetime,
    user: str,
    organisation: str | None,
    mandate: str | None,
    action: str,
    outcome: str = DONE,
    subject: str | None = None,
    rows: int | None = None,
    request_id: str | None = None,
    purpose: str | None = None,
    case_reference: str | None = None,
) -> None:
    """Add a row: who, for whom, by which mandate, what, on what, why, with what outcome; never the data itself."""
    connection.execute(
        _INSERT,
        {
            "at": at,
            "user": user,
            "organisation": organisation,
            "mandate": mandate,
            "action": action,
            "subject": subject,
            "outcome": outcome,
            "rows": rows,
            "request_id": request_id,
            "purpose": purpose,
            "case_reference": case_reference,
        },
    )


# `inline` spares PostgreSQL the round of telling the new number, which nobody asks for.
_INSERT = insert(tables.audit).inline()
