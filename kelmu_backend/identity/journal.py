"""Audit rows of sign-in, written in the transaction they tell of; never a code, a token or an address."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from kelmu_backend import audit

NOBODY: Final = "-"
"""The user of a row that was written before anybody was identified."""


class Event(StrEnum):
    """What sign-in tells the audit log."""

    APPROVED = "sign_in.approved"
    REFUSED = "sign_in.refused"
    FAILED = "sign_in.failed"
    STARTED = "session.started"
    ENDED = "session.ended"
    SIGNED_OUT = "session.signed_out"


def record(
    connection: Connection,
    event: Event,
    now: datetime,
    *,
    user: str | None,
    outcome: str = audit.DONE,
    subject: str | None = None,
    request_id: str | None = None,
) -> None:
    """Write one row; `subject` is a session's id where there is one."""
    audit.write(
        connection,
        at=now,
        user=user or NOBODY,
        organisation=None,
        mandate=None,
        action=event.value,
        outcome=outcome,
        subject=subject,
        request_id=request_id,
    )
