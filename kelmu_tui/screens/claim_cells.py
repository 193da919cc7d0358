"""A claim as a row of a list: its columns, and its state, its days and its risks in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from kelmu_tui.domain.claims.life import Status
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.words import short_name
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_views import is_draft, is_late, is_open, next_day, on_its_way
from kelmu_tui.services.claim_words import status_name
from kelmu_tui.store.claim_rows import ClaimLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.glyphs import Glyphs

ROLES: Final[Mapping[str, str]] = {
    "draft": "warn",
    Status.REGISTERED: "accent",
    Status.HEARING: "warn",
    Status.IN_FORCE: "good",
    Status.REJECTED: "alarm",
    Status.ENDED: "dim",
    Status.CANCELLED: "dim",
}


def columns(t: Translator) -> Sequence[Column]:
    """Return the columns of the list."""
    return (
        Column("name", t("claim_view.column_name"), 15, good=24, most=40),
        Column("benefit", t("claim_view.column_benefit"), 11, good=24, most=44, drop=1),
        Column("state", t("claim_view.column_state"), 18, good=22, most=40),
        Column("day", t("claim_view.column_day"), 10, good=12, align="right", drop=3),
        Column("amount", t("claim_view.column_sum"), 12, good=14, align="right", drop=2),
        Column("period", t("claim_view.column_period"), 21, drop=4),
        Column("paid", t("claim_view.column_paid"), 11, align="right", drop=5),
        Column("latest", t("claim_view.column_latest"), 11, align="right", drop=6),
        Column("code", t("customer_view.code"), 13, drop=7),
    )


def cells(line: ClaimLine, t: Translator, today: date) -> Mapping[str, Cell]:
    """Return the cells of a claim."""
    over = "" if is_open(line) else "dim"
    return {
        "name": Cell(line.name or t("claim_view.nobody"), over if line.name else "dim"),
        "code": Cell(line.masked_code, "dim"),
        "benefit": Cell(benefit_name(line.benefit, t) if line.benefit else t("claim_view.no_benefit"), over or "dim"),
        "state": state_cell(line, t, today),
        "latest": latest_cell(line, t, today),
        "day": day_cell(line, t, today),
        "amount": Cell(amount_text(line, t), over),
        "period": Cell("" if line.first is None else t.formats.period(line.first, line.until), "dim"),
        "paid": Cell(t.formats.euros(line.paid) if line.paid else "", over or "good"),
    }


def amount_text(line: ClaimLine, t: Translator) -> str:
    """Return the sum that is claimed, a month where there is no last day."""
    if line.amount is None:
        return ""
    euros = t.formats.euros(line.amount)
    goes_on = line.last is None and not is_draft(line)
    return t("claim_view.a_month_short", amount=euros) if goes_on else euros


def state_cell(line: ClaimLine, t: Translator, today: date) -> Cell:
    """Return what has to be known first: refused, on its way, somebody at it, late, at risk; else the state."""
    if line.conflict:
        return Cell(t("claim_view.refused"), "alarm")
    if line.pending is not None:
        word = t.choice("claim_view.pending", line.pending, line.pending)
        return Cell(word, "warn" if at_risk(line, today) else "accent")
    if line.editing is not None:
        # It comes before late and the like: whoever is at it has seen those.
        return Cell(t("claim_view.editing", who=short_name(line.editing)), "warn")
    state = status_name(line.status, t)
    if is_late(line):
        return Cell(t("claim_view.state_late", state=state), "alarm", t("claim_view.late"))
    if line.status == Status.HEARING and line.hearing_until is not None:
        day = t.formats.relative_date(line.hearing_until, today)
        return Cell(t("claim_view.heard_until", day=day), "warn", t("claim_view.being_heard"))
    return Cell(state, ROLES.get(line.status, ""))


def at_risk(line: ClaimLine, today: date) -> bool:
    """Tell whether a claim that Kela has not got misses its payment day, or will when it does not arrive today."""
    return on_its_way(line) and (line.late or (line.latest is not None and line.latest <= today))


def is_settled(line: ClaimLine) -> bool:
    """Tell whether Kela has gone on so far that the day by which it had to arrive is of no matter any more."""
    return line.status in (Status.HEARING, Status.IN_FORCE)


def latest_cell(line: ClaimLine, t: Translator, today: date) -> Cell:
    """Return by when it has to reach Kela: of what is not there yet with its hurry, of the rest as it was."""
    if line.latest is None or not is_open(line) or is_settled(line):
        return Cell("")
    text = t.formats.relative_date(line.latest, today)
    if not on_its_way(line):
        return Cell(text, "alarm" if is_late(line) else "dim")
    if line.late or line.latest < today:
        return Cell(text, "alarm")
    return Cell(text, "warn" if (line.latest - today).days <= 1 else "")


def day_cell(line: ClaimLine, t: Translator, today: date) -> Cell:
    """Return the next day that matters: by when it has to arrive, until when is heard, or when it is paid."""
    if on_its_way(line):
        cell = latest_cell(line, t, today)
        return cell._replace(text=t("claim_view.at_latest", day=cell.text), short=cell.text) if cell.text else cell
    day = next_day(line, today)
    if day is None:
        return Cell("")
    text = t.formats.relative_date(day, today)
    if line.status == Status.HEARING:
        return Cell(text, "warn")
    return Cell(text, "accent" if line.status == Status.IN_FORCE and day >= today else "dim")


def flag(line: ClaimLine, glyphs: Glyphs, today: date) -> Cell:
    """Return the one sign that matters most: refused, on its way, somebody at it, urgent, being paid."""
    if line.conflict or line.status == Status.REJECTED:
        return Cell(glyphs.conflict, "alarm")
    if line.pending is not None:
        return Cell(glyphs.pending, "warn" if at_risk(line, today) else "accent")
    if line.editing is not None:
        return Cell(glyphs.busy, "warn")
    if is_late(line) or line.status == Status.HEARING or at_risk(line, today):
        return Cell(glyphs.urgent, "alarm" if is_late(line) else "warn")
    if is_draft(line):
        return Cell(glyphs.new, "warn")
    return Cell(glyphs.online, "good") if line.status == Status.IN_FORCE else Cell(" ")
