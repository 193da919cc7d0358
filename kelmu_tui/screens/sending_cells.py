"""A sending as a row of a list: its columns, its state in words, and how far its documents are up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from kelmu_tui.domain.documents import SendingState
from kelmu_tui.i18n import Translator
from kelmu_tui.store.sendings import QUEUED, SENDING, STOPPED, UPLOADING, SendingLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.gauge import bar, percent
from kelmu_tui.widgets.glyphs import Glyphs

BAR: Final = 10
"""Cells of the bar in the list."""
UNDER_WAY: Final = frozenset({QUEUED, UPLOADING, SENDING})
"""States in which nothing is asked of the user."""
ROLES: Final[Mapping[str, str]] = {
    QUEUED: "accent",
    UPLOADING: "accent",
    SENDING: "accent",
    SendingState.RECEIVED: "good",
    SendingState.CHECKED: "good",
    SendingState.REFUSED: "alarm",
    STOPPED: "alarm",
}


class Way(NamedTuple):
    """How it is with what documents go up on.

    Attributes:
        online: whether the backend answers.
        rate: bytes a second; None while nothing goes up, or another terminal brings it up.
    """

    online: bool
    rate: float | None


def needs_user(line: SendingLine) -> bool:
    """Tell whether a sending does not go on before the user has done something."""
    return line.receipt is None and line.state not in UNDER_WAY


def partly_refused(line: SendingLine) -> int:
    """Return how many documents Kela has refused, of a sending whose others were taken."""
    return sum(one.refused is not None for one in line.documents) if line.state == SendingState.CHECKED else 0


def share(line: SendingLine) -> Decimal:
    """Return how much of a sending is up, 1 for all of it."""
    return Decimal(line.sent) / Decimal(line.size) if line.size else Decimal(0)


def columns(t: Translator) -> Sequence[Column]:
    """Return the columns of the list."""
    return (
        Column("name", t("sending_view.column_name"), 16, good=22, most=40),
        Column("state", t("sending_view.column_state"), 16, good=22, most=40),
        Column("receipt", t("sending_view.column_receipt"), 18, good=30, most=44, drop=2),
        Column("documents", t("sending_view.column_documents"), 3, align="right", drop=3),
        Column("at", t("sending_view.column_at"), 12, align="right", drop=1),
        Column("code", t("customer_view.code"), 13, drop=4),
    )


def cells(line: SendingLine, t: Translator, way: Way, now: datetime, *, ascii_only: bool = False) -> Mapping[str, Cell]:
    """Return the cells of a sending."""
    text, role = state_text(line, t, way)
    return {
        "name": Cell(line.customer_name or t("sending_view.nobody"), "" if line.customer_name else "dim"),
        "code": Cell(line.masked_code, "dim"),
        "state": Cell(text, role),
        "receipt": _receipt(line, t, way, ascii_only),
        "documents": Cell(t.formats.number(len(line.documents)), "dim"),
        "at": Cell(t.formats.moment(line.received_at or line.created_at, now), "dim"),
    }


def state_text(line: SendingLine, t: Translator, way: Way) -> tuple[str, str]:
    """Return how a sending stands, in a few words, and their role."""
    if line.receipt is None and line.state in UNDER_WAY:
        done = t.formats.percent(percent(share(line)))
        if not way.online:
            text = t("sending_view.waits_part", part=done) if line.sent else t("sending_view.waits")
            return text, "warn"
        if line.state == UPLOADING:
            return t("sending_view.uploading", part=done), "accent"
    if (count := partly_refused(line)) > 0:
        return t("sending_view.partly", count=count), "warn"
    return t.choice("documents.state", line.state, line.state), ROLES.get(line.state, "dim")


def pace_text(line: SendingLine, t: Translator, way: Way) -> str:
    """Return speed and time left, empty where nothing goes up here now."""
    if line.state != UPLOADING or not way.online or not way.rate:
        return ""
    left = t.formats.countdown((line.size - line.sent) / way.rate)
    return t("sending_view.pace", speed=t.formats.size(int(way.rate)), left=left)


def _receipt(line: SendingLine, t: Translator, way: Way, ascii_only: bool) -> Cell:
    if line.receipt is not None:
        return Cell(line.receipt)
    if line.state in UNDER_WAY and line.sent:
        return Cell(f"{bar(share(line), BAR, ascii_only=ascii_only)} {pace_text(line, t, way)}".rstrip(), "accent")
    return Cell("")


def flag(line: SendingLine, glyphs: Glyphs) -> Cell:
    """Return the sign of a sending that needs the user, or is on its way."""
    if needs_user(line):
        return Cell(glyphs.conflict, "alarm")
    if line.state == SendingState.REFUSED or partly_refused(line):
        return Cell(glyphs.warning, "warn")
    return Cell(glyphs.pending, "accent") if line.receipt is None else Cell(" ")
