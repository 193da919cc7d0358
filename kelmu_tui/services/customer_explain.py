"""What the codes, sections of law and terms in a customer's file mean, in the user's language."""

from __future__ import annotations

from collections.abc import Iterator

from kelmu_tui.domain.benefits import REGULAR, Benefit, benefits
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.services.customer_text import state_text
from kelmu_tui.store.customer_rows import (
    Claim,
    Decision,
    Insurance,
    Medicine,
    PassedOn,
    Payment,
    Pending,
    Recovery,
    SectionFile,
    SectionRow,
)

Explained = Iterator[tuple[str, str]]
"""What is explained, and the explanation."""


def explain_row(row: SectionRow, t: Translator) -> Explained:
    """Yield the explanations of everything in a row that has one."""
    if not isinstance(row, Insurance | Medicine | PassedOn):
        yield from benefit_facts(row.benefit, t)
    match row:
        case Pending():
            yield t.choice("customers.kind", row.kind, row.kind), t.choice("explain.kind", row.kind, row.kind)
            yield t.choice("customers.stage", row.stage, row.stage), t.choice("explain.stage", row.stage, row.stage)
        case Decision():
            yield from _decision(row, t)
        case Payment():
            yield from _payment(row, t)
        case Claim():
            yield t("customers.field.basis"), basis_text(row.basis, t)
            yield t.choice("customers.claim", row.status, row.status), t.choice("explain.claim", row.status, row.status)
        case Insurance():
            yield t("customers.field.covered"), t("explain.covered")
            yield (
                t.choice("customers.ground", row.ground, row.ground),
                t.choice("explain.ground", row.ground, row.ground),
            )
        case Recovery():
            status = t.choice("customers.recovery", row.status, row.status)
            yield status, t.choice("explain.recovery", row.status, row.status)
            yield t("customers.field.balance"), t("explain.balance")
        case Medicine():
            yield t("customers.field.cap"), t("explain.cap", amount=t.formats.euros(row.cap), year=str(row.year))
            yield t("customers.field.deductible"), t("explain.deductible")
        case PassedOn():
            yield t.choice("customer_view.passed_on", row.kind, row.kind), t("explain.passed_on")


def explain_section(part: Section | None, shown: SectionFile | None, t: Translator) -> list[tuple[str, str]]:
    """Return the explanations of a section, its state included; of the overview when `part` is None."""
    if part is None:
        return [(t("customer_view.tab_overview"), t("explain.overview"))]
    found = [(t.choice("customers.section", part), t.choice("explain.section", part))]
    if shown is not None:
        state = t.choice("customer_view.state", shown.state, shown.state)
        if shown.state != "shown":
            found.append((state, f"{state_text(shown, t)} {t.choice('explain.state', shown.state, '')}".strip()))
        if shown.hidden is not None:
            found.append(
                (t.choice("customer_view.hidden_short", shown.hidden), t.choice("customer_view.ask", shown.hidden))
            )
        if shown.narrowed:
            found.append((t("customers.narrowed"), t("explain.narrowed")))
    return found


def basis_text(basis: str, t: Translator) -> str:
    """Return what a section of law on claims says; one that is not known here stands for itself."""
    return t.choice("explain.basis", basis, basis)


def benefit_facts(name: str, t: Translator) -> Explained:
    """Yield what a benefit is: whether it is taxable and reported, and when it is paid."""
    known = benefits().get(name)
    if known is None:
        yield name, t("explain.unknown_benefit")
        return
    facts = [
        t("explain.taxable") if known.taxable else t("explain.not_taxable"),
        t("explain.incomes_register") if known.incomes_register else t("explain.no_incomes_register"),
        _payment_day(known, t),
    ]
    if known.valid_from is not None:
        facts.append(t("explain.exists_from", day=t.formats.date(known.valid_from)))
    if known.valid_to is not None:
        facts.append(t("explain.exists_to", day=t.formats.date(known.valid_to)))
    yield f"{known.name.get(t.language)} ({known.code})", " ".join(facts)


def _payment_day(benefit: Benefit, t: Translator) -> str:
    if benefit.payment_day.isdigit():
        return t("explain.paid_on_day", day=benefit.payment_day)
    rule = benefit.payment_day if benefit.payment_day in REGULAR else "by_decision"
    return t.choice("explain.paid", rule)


def _decision(row: Decision, t: Translator) -> Explained:
    yield t.choice("customers.outcome", row.outcome, row.outcome), t.choice("explain.outcome", row.outcome, row.outcome)
    if row.reason is not None:
        yield t("customers.field.reason"), t.choice("explain.reason", row.reason, row.reason)
    if row.appealed:
        yield t("customers.field.appealed"), t("explain.appealed")


def _payment(row: Payment, t: Translator) -> Explained:
    yield t.choice("customers.payment", row.status, row.status), t.choice("explain.payment", row.status, row.status)
    yield t("explain.sums"), t("explain.sums_text")
    for one in row.deductions or ():
        yield t.choice("customers.deduction", one.kind, one.kind), t.choice("explain.deduction", one.kind, one.kind)
    register = t("explain.incomes_register") if row.incomes_register else t("explain.no_incomes_register")
    yield t("customers.field.incomes_register"), register
