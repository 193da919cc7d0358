"""What a payment claim says, field by field in words: for whoever checks it before Kela gets it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from kelmu_tui.domain.claims.accounts import shown_account
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.i18n import Translator
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_typing import Field, fields_of
from kelmu_tui.services.claim_words import basis_name


def said(partial: Partial, name: str, t: Translator) -> Iterator[tuple[Field, str]]:
    """Return the fields that say something, in the order of the form.

    Args:
        name: of the payee, empty while it is not known.
    """
    partial = partial.of_basis()
    for field in fields_of(partial.basis or ""):
        text = _text(field, partial, name, t)
        if text:
            yield field, text


def _text(field: Field, partial: Partial, name: str, t: Translator) -> str:
    value = getattr(partial, field.value)
    if field is Field.PAYEE:
        return f"{name} {mask(value)}".strip() if value else ""
    if field is Field.BASIS:
        return basis_name(value, t) if value else ""
    if field is Field.BENEFIT:
        return benefit_name(value, t) if value else ""
    if field is Field.ACCOUNT:
        return shown_account(value) if value else ""
    if field is Field.LAST and partial.until_further_notice:
        return t("claim_form.open_end")
    if field is Field.AMOUNT and value and partial.until_further_notice:
        return t("claim_form.a_month", amount=t.formats.euros(value))
    if isinstance(value, date):
        return t.formats.date(value)
    if isinstance(value, Decimal):
        return t.formats.euros(value)
    return value or ""
