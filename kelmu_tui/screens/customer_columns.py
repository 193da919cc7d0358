"""The rows of each section as columns and cells of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import singledispatch
from typing import Final

from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.store.customer_rows import (
    Claim,
    Decision,
    Insurance,
    Medicine,
    PassedOn,
    Payment,
    Pending,
    Recovery,
    SectionRow,
)
from kelmu_tui.widgets import gauge
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.glyphs import Glyphs

DAY: Final = 10
SUM: Final = 11
PERIOD: Final = 21
GAUGE: Final = 16


def columns(section: Section, t: Translator) -> tuple[Column, ...]:
    """Return the columns of a section's list."""
    return _COLUMNS[section](t)


def _benefit(t: Translator, width: int = 14) -> Column:
    return Column("benefit", t("customers.field.benefit"), width, good=28, most=48)


def _pending(t: Translator) -> tuple[Column, ...]:
    return (
        Column("received", t("customers.field.received"), DAY, drop=1),
        _benefit(t),
        Column("kind", t("customers.field.kind"), 10, good=14, drop=2),
        Column("stage", t("customers.field.stage"), 11, good=20, most=28),
        Column("missing", t("customers.field.missing"), 10, most=40, drop=3),
    )


def _decisions(t: Translator) -> tuple[Column, ...]:
    return (
        Column("decided", t("customers.field.decided"), DAY, drop=1),
        _benefit(t),
        Column("outcome", t("customers.field.outcome"), 10, good=11, most=14),
        Column("valid", t("customers.field.valid"), 12, good=PERIOD, drop=3),
        Column("amount", t("customers.field.amount"), SUM, align="right", drop=2),
    )


def _payments(t: Translator) -> tuple[Column, ...]:
    return (
        Column("paid_on", t("customers.field.paid_on"), DAY),
        _benefit(t, 12),
        Column("period", t("customers.field.period"), 12, good=16, most=PERIOD, drop=2),
        Column("gross", t("customers.field.gross"), SUM, align="right", drop=3),
        Column("net", t("customers.field.net"), SUM, align="right"),
        Column("payee", t("customers.field.payee"), 12, good=14, drop=4),
        Column("register", t("customers.field.incomes_register"), 12, good=16, drop=5),
    )


def _claims(t: Translator) -> tuple[Column, ...]:
    return (
        Column("received", t("customers.field.received"), DAY, drop=2),
        _benefit(t),
        Column("claimant", t("customers.field.claimant"), 12, good=26, most=40, drop=1),
        Column("status", t("customers.field.status"), 9, good=12),
        Column("period", t("customers.field.period"), 12, good=PERIOD, drop=3),
        Column("amount", t("customers.field.amount"), SUM, align="right", drop=4),
    )


def _insurance(t: Translator) -> tuple[Column, ...]:
    return (
        Column("valid", t("customers.field.valid"), 12, good=23),
        Column("covered", t("customer_view.covered"), 10, good=12),
        Column("ground", t("customers.field.ground"), 12, good=24, most=40),
        Column("country", t("customers.field.country"), 4, good=7, drop=1),
    )


def _recovery(t: Translator) -> tuple[Column, ...]:
    return (
        _benefit(t),
        Column("status", t("customers.field.status"), 11, good=18),
        Column("amount", t("customers.field.amount"), SUM, align="right", drop=1),
        Column("balance", t("customers.field.balance"), SUM, align="right"),
        Column("instalment", t("customer_view.instalment"), SUM, align="right", drop=2),
    )


def _medicine(t: Translator) -> tuple[Column, ...]:
    return (
        Column("year", t("customers.field.year"), 5),
        Column("accrued", t("customers.field.accrued"), SUM, align="right"),
        Column("cap", t("customers.field.cap"), SUM, align="right", drop=1),
        Column("gauge", "", GAUGE, drop=2),
        Column("reached", t("customers.field.reached_on"), DAY, good=16, drop=3),
    )


def _passed_on(t: Translator) -> tuple[Column, ...]:
    return (
        Column("received", t("customers.field.received"), DAY, drop=2),
        Column("sender", t("customers.field.sender"), 14, good=28, most=48),
        Column("kind", t("customers.field.kind"), 10, good=18, most=28, drop=1),
        Column("period", t("customers.field.period"), 12, good=PERIOD, drop=3),
        Column("amount", t("customers.field.amount"), SUM, align="right"),
    )


_COLUMNS: Final[Mapping[Section, Callable[[Translator], tuple[Column, ...]]]] = {
    Section.PENDING: _pending,
    Section.DECISIONS: _decisions,
    Section.PAYMENTS: _payments,
    Section.CLAIMS: _claims,
    Section.INSURANCE: _insurance,
    Section.RECOVERY: _recovery,
    Section.MEDICINE: _medicine,
    Section.PASSED_ON: _passed_on,
}

OUTCOMES: Final = {"granted": "good", "rejected": "alarm", "discontinued": "warn", "suspended": "warn"}
STAGES: Final = {"attachments_missing": "warn"}
PAYMENTS: Final = {"planned": "accent", "returned": "alarm"}
CLAIMS: Final = {
    "waiting": "accent",
    "received": "accent",
    "in_force": "warn",
    "rejected": "dim",
    "ended": "dim",
    "paid": "dim",
}
RECOVERIES: Final = {
    "open": "warn",
    "in_instalments": "warn",
    "at_enforcement": "alarm",
    "paid": "dim",
    "waived": "dim",
}


def flag(row: SectionRow, news: frozenset[str], glyphs: Glyphs) -> Cell:
    """Return the sign before a row: what is new since the last look, else a payment that is to come or came back."""
    if row.id in news:
        return Cell(glyphs.new, "accent")
    if isinstance(row, Payment) and row.status != "paid":
        return Cell(glyphs.busy if row.status == "planned" else glyphs.conflict, PAYMENTS.get(row.status, ""))
    return Cell(" ")


def _day(t: Translator, day: date | None) -> Cell:
    return Cell("" if day is None else t.formats.date(day))


def _sum(t: Translator, amount: Decimal | None, role: str = "") -> Cell:
    return Cell("" if amount is None else t.formats.euros(amount), role)


def _period(t: Translator, start: date | None, end: date | None) -> Cell:
    return Cell("" if start is None else t.formats.period(start, end), "dim")


@singledispatch
def cells(row: SectionRow, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    """Return the cells of a row by the column's id."""
    del t, ascii_only
    raise TypeError(type(row))


@cells.register
def _(row: Pending, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    return {
        "received": _day(t, row.received),
        "benefit": Cell(benefit_name(row.benefit, t)),
        "kind": Cell(t.choice("customers.kind", row.kind, row.kind)),
        "stage": Cell(t.choice("customers.stage", row.stage, row.stage), STAGES.get(row.stage, "")),
        "missing": Cell(", ".join(row.missing), "warn"),
    }


@cells.register
def _(row: Decision, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    return {
        "decided": _day(t, row.decided),
        "benefit": Cell(benefit_name(row.benefit, t)),
        "outcome": Cell(t.choice("customers.outcome", row.outcome, row.outcome), OUTCOMES.get(row.outcome, "")),
        "valid": _period(t, row.valid_from, row.valid_to),
        "amount": _sum(t, row.amount),
    }


@cells.register
def _(row: Payment, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    register = t("customers.reported") if row.incomes_register else t("customer_view.not_reported")
    return {
        "paid_on": Cell(t.formats.date(row.paid_on), PAYMENTS.get(row.status, "")),
        "benefit": Cell(benefit_name(row.benefit, t)),
        "period": _period(t, row.period_from, row.period_to),
        "gross": _sum(t, row.gross, "dim"),
        "net": _sum(t, row.net, "strong"),
        "payee": Cell("" if row.payee is None else t.choice("customers.payee", row.payee, row.payee)),
        "register": Cell(register, "dim"),
    }


@cells.register
def _(row: Claim, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    return {
        "received": _day(t, row.received),
        "benefit": Cell(benefit_name(row.benefit, t)),
        "claimant": Cell(row.claimant),
        "status": Cell(t.choice("customers.claim", row.status, row.status), CLAIMS.get(row.status, "")),
        "period": _period(t, row.period_from, row.period_to),
        "amount": _sum(t, row.amount),
    }


@cells.register
def _(row: Insurance, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    return {
        "valid": _period(t, row.valid_from, row.valid_to),
        "covered": Cell(t("common.yes") if row.covered else t("common.no"), "" if row.covered else "warn"),
        "ground": Cell(t.choice("customers.ground", row.ground, row.ground)),
        "country": Cell(row.country or ""),
    }


@cells.register
def _(row: Recovery, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    return {
        "benefit": Cell(benefit_name(row.benefit, t)),
        "status": Cell(t.choice("customers.recovery", row.status, row.status), RECOVERIES.get(row.status, "")),
        "amount": _sum(t, row.amount, "dim"),
        "balance": _sum(t, row.balance, "strong"),
        "instalment": _sum(t, row.instalment),
    }


@cells.register
def _(row: Medicine, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    return {
        "year": Cell(str(row.year)),
        "accrued": _sum(t, row.accrued, "strong"),
        "cap": _sum(t, row.cap, "dim"),
        "gauge": Cell(gauge.bar(share(row), GAUGE, ascii_only=ascii_only), "good" if row.reached_on else ""),
        "reached": _day(t, row.reached_on),
    }


@cells.register
def _(row: PassedOn, t: Translator, ascii_only: bool) -> Mapping[str, Cell]:
    del ascii_only
    return {
        "received": _day(t, row.received),
        "sender": Cell(row.sender),
        "kind": Cell(t.choice("customer_view.passed_on", row.kind, row.kind)),
        "period": _period(t, row.period_from, row.period_to),
        "amount": _sum(t, row.amount),
    }


def share(row: Medicine) -> Decimal:
    """Return how much of the annual cap is used, 1 when it is reached."""
    if row.reached_on is not None or row.cap <= 0:
        return Decimal(1)
    return row.accrued / row.cap
