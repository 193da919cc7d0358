"""What a customer's file says, as labels and texts in the user's language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from kelmu_tui.domain.capabilities import mandates
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.organisations import municipalities
from kelmu_tui.domain.sections import purposes
from kelmu_tui.i18n import Translator
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.store.customer_rows import (
    Claim,
    Decision,
    File,
    Insurance,
    Medicine,
    PassedOn,
    Payment,
    Pending,
    Person,
    Recovery,
    SectionFile,
    SectionRow,
)

Fields = Iterator[tuple[str, str | None]]


def purpose_text(file: File, t: Translator) -> str:
    """Return for what a file was fetched, as a sentence."""
    purpose = purpose_name(file.purpose, t)
    if file.case_reference is None:
        return t("customers.text.purpose", purpose=purpose)
    return t("customers.text.purpose_case", purpose=purpose, case=file.case_reference)


def purpose_name(id: str, t: Translator) -> str:  # noqa: A002
    """Return the name of a purpose of use; one that a newer backend knows stands for itself."""
    known = purposes().get(id)
    return known.name.get(t.language) if known is not None else id


def state_text(shown: SectionFile, t: Translator) -> str:
    """Return what has to be said of a section besides its rows: why there are none, or what they lack."""
    if shown.hidden is not None:
        names = ", ".join(mandates()[id_].name.get(t.language) for id_ in shown.mandates if id_ in mandates())
        why = t.choice("customers.hidden", shown.hidden)
        return f"{why} {t('customers.field.mandates')}: {names}" if names else why
    match shown.state:
        case "none":
            return t("customers.state_none")
        case "stale" if shown.source_at is not None:
            return t("customers.state_stale", at=t.formats.instant(shown.source_at))
        case "down" | "stale":
            return t("customers.state_down")
        case "waiting":
            return t("customers.state_waiting")
        case _:
            return t("customers.narrowed") if shown.narrowed else ""


def person_fields(person: Person, t: Translator, *, full: bool = False) -> Iterator[tuple[str, str]]:
    """Yield label and text of everything that is known of the person; codes whole only when `full`."""

    def code(text: str) -> str:
        return text if full else mask(text)

    place = municipalities().get(person.home_municipality or "")
    fields: Fields = iter(
        (
            (
                t("customers.field.warnings"),
                ", ".join(t.choice("customers.warning", one, one) for one in person.warnings),
            ),
            (t("customers.field.born"), t.formats.date(person.born)),
            (t("customers.field.died"), _day(t, person.died)),
            (t("customers.field.language"), t.choice("kinds.language", person.language, person.language)),
            (t("customers.field.interpreter"), _language(t, person.interpreter_language)),
            (t("customers.field.guardian"), person.guardian),
            (t("customers.field.earlier_codes"), ", ".join(map(code, person.earlier_codes))),
            (t("kinds.field.home_municipality"), place.name.get(t.language) if place else person.home_municipality),
            (t("kinds.field.address"), person.address),
            (t("kinds.field.telephone"), person.telephone),
            (
                t("customers.field.household"),
                "\n".join(
                    f"{one.name} {one.masked_code} ({t.choice('kinds.relation', one.relation, one.relation)})"
                    for one in person.household
                ),
            ),
        )
    )
    return ((label, text) for label, text in fields if text)


def row_fields(row: SectionRow, t: Translator) -> Iterator[tuple[str, str]]:
    """Yield label and text of everything that a row says; what is hidden or empty is left out."""
    return ((label, text) for label, text in _fields(row, t) if text)


def _fields(row: SectionRow, t: Translator) -> Fields:
    if not isinstance(row, Insurance | Medicine | PassedOn):
        yield t("customers.field.benefit"), benefit_name(row.benefit, t)
    match row:
        case Pending():
            yield from _pending(row, t)
        case Decision():
            yield from _decision(row, t)
        case Payment():
            yield from _payment(row, t)
        case Claim():
            yield from _claim(row, t)
        case Insurance():
            yield from _insurance(row, t)
        case Recovery():
            yield from _recovery(row, t)
        case Medicine():
            yield from _medicine(row, t)
        case PassedOn():
            yield from _passed_on(row, t)


def _pending(row: Pending, t: Translator) -> Fields:
    yield t("customers.field.kind"), t.choice("customers.kind", row.kind, row.kind)
    yield t("customers.field.received"), t.formats.date(row.received)
    yield t("customers.field.stage"), t.choice("customers.stage", row.stage, row.stage)
    yield t("customers.field.missing"), ", ".join(row.missing)
    yield t("customers.field.office"), row.office


def _decision(row: Decision, t: Translator) -> Fields:
    yield t("customers.field.decided"), t.formats.date(row.decided)
    yield t("customers.field.outcome"), t.choice("customers.outcome", row.outcome, row.outcome)
    yield t("customers.field.valid"), _period(t, row.valid_from, row.valid_to)
    if row.amount is not None:
        amount = t.formats.euros(row.amount)
        yield t("customers.field.amount"), t.choice("customers.per", row.per, amount, amount=amount)
    yield t("customers.field.reason"), row.reason
    yield t("customers.field.appealed"), t("common.yes") if row.appealed else None


def _payment(row: Payment, t: Translator) -> Fields:
    yield t("customers.field.paid_on"), t.formats.date(row.paid_on)
    yield t("customers.field.status"), t.choice("customers.payment", row.status, row.status)
    yield t("customers.field.period"), _period(t, row.period_from, row.period_to)
    yield t("customers.field.gross"), _euros(t, row.gross)
    yield t("customers.field.tax"), _euros(t, row.tax)
    taken = (
        f"{t.choice('customers.deduction', one.kind, one.kind)} {t.formats.euros(one.amount)}"
        for one in row.deductions or ()
    )
    yield t("customers.field.deductions"), ", ".join(taken)
    yield t("customers.field.net"), t.formats.euros(row.net)
    yield t("customers.field.payee"), None if row.payee is None else t.choice("customers.payee", row.payee, row.payee)
    yield t("customers.field.account"), row.account
    yield (
        t("customers.field.incomes_register"),
        t("customers.reported") if row.incomes_register else t("customers.not_reported"),
    )


def _claim(row: Claim, t: Translator) -> Fields:
    from kelmu_tui.domain.claims.catalogue import bases  # most files that are shown hold no claims

    basis = bases().get(row.basis)
    yield t("customers.field.claimant"), row.claimant
    yield t("customers.field.status"), t.choice("customers.claim", row.status, row.status)
    yield t("customers.field.basis"), row.basis if basis is None else basis.name.get(t.language)
    yield t("customers.field.period"), _period(t, row.period_from, row.period_to)
    yield t("customers.field.amount"), _euros(t, row.amount)
    yield t("customers.field.received"), _day(t, row.received)


def _insurance(row: Insurance, t: Translator) -> Fields:
    yield t("customers.field.covered"), t("common.yes") if row.covered else t("common.no")
    yield t("customers.field.ground"), t.choice("customers.ground", row.ground, row.ground)
    yield t("customers.field.valid"), _period(t, row.valid_from, row.valid_to)
    yield t("customers.field.country"), row.country


def _recovery(row: Recovery, t: Translator) -> Fields:
    yield t("customers.field.status"), t.choice("customers.recovery", row.status, row.status)
    yield t("customers.field.period"), _period(t, row.period_from, row.period_to)
    yield t("customers.field.total"), t.formats.euros(row.amount)
    yield t("customers.field.balance"), t.formats.euros(row.balance)
    yield t("customers.field.instalment"), _euros(t, row.instalment)
    yield t("customers.field.decided"), t.formats.date(row.decided)


def _medicine(row: Medicine, t: Translator) -> Fields:
    yield t("customers.field.year"), str(row.year)
    yield t("customers.field.accrued"), t.formats.euros(row.accrued)
    yield t("customers.field.cap"), t.formats.euros(row.cap)
    if row.deductible is not None:
        used, limit = t.formats.euros(row.deductible_used or Decimal(0)), t.formats.euros(row.deductible)
        yield t("customers.field.deductible"), t("customers.of_deductible", used=used, limit=limit)
    yield t("customers.field.reached_on"), _day(t, row.reached_on)


def _passed_on(row: PassedOn, t: Translator) -> Fields:
    yield t("customers.field.sender"), row.sender
    yield t("customers.field.kind"), row.kind
    yield t("customers.field.period"), _period(t, row.period_from, row.period_to)
    yield t("customers.field.amount"), _euros(t, row.amount)
    yield t("customers.field.received"), t.formats.date(row.received)


def _period(t: Translator, start: date | None, end: date | None) -> str | None:
    return None if start is None else t.formats.period(start, end)


def _day(t: Translator, day: date | None) -> str | None:
    return None if day is None else t.formats.date(day)


def _euros(t: Translator, amount: Decimal | None) -> str | None:
    return None if amount is None else t.formats.euros(amount)


def _language(t: Translator, code: str | None) -> str | None:
    return None if code is None else t.choice("kinds.language", code, code)
