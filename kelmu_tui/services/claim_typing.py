"""A payment claim while it is being typed: what the fields of the form say, and which of them cannot be read.

What cannot be read is told at its field and counts as not known: no rule is judged with half a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from kelmu_tui.domain.claims.accounts import AccountFault, InvalidAccount, parse_account
from kelmu_tui.domain.claims.amounts import AmountFault, InvalidAmount, parse_amount
from kelmu_tui.domain.claims.catalogue import CLIENT_FEES, SOCIAL_ASSISTANCE
from kelmu_tui.domain.claims.content import Content, Partial
from kelmu_tui.domain.text import clean
from kelmu_tui.services.claim_days import DayFault, InvalidDay, parse_day


class Field(StrEnum):
    """The fields of the form, in its order; drafts keep their texts under these names."""

    PAYEE = "payee"
    BASIS = "basis"
    BENEFIT = "benefit"
    FIRST = "first"
    LAST = "last"
    AMOUNT = "amount"
    CARE_FIRST = "care_first"
    CARE_LAST = "care_last"
    ASSISTANCE_FIRST = "assistance_first"
    ASSISTANCE_LAST = "assistance_last"
    ASSISTANCE_AMOUNT = "assistance_amount"
    ASSISTANCE_DECIDED_ON = "assistance_decided_on"
    ACCOUNT = "account"
    REFERENCE = "reference"
    GROUNDS = "grounds"
    HANDLER = "handler"
    TELEPHONE = "telephone"


CARE: Final = (Field.CARE_FIRST, Field.CARE_LAST)
ASSISTANCE: Final = (
    Field.ASSISTANCE_FIRST,
    Field.ASSISTANCE_LAST,
    Field.ASSISTANCE_AMOUNT,
    Field.ASSISTANCE_DECIDED_ON,
)
CHOSEN: Final = frozenset({Field.BASIS, Field.BENEFIT, Field.ACCOUNT})
"""Fields that are chosen from a list."""
DAYS: Final = frozenset(
    {
        Field.FIRST,
        Field.LAST,
        *CARE,
        Field.ASSISTANCE_FIRST,
        Field.ASSISTANCE_LAST,
        Field.ASSISTANCE_DECIDED_ON,
    }
)
AMOUNTS: Final = frozenset({Field.AMOUNT, Field.ASSISTANCE_AMOUNT})
OPEN_END: Final = "-"
"""Stands in the place of a last day: until further notice. A last day that is not typed yet does not say so."""
_OPEN_ENDS: Final = frozenset({OPEN_END, "toistaiseksi", "tv", "tills vidare", "until further notice"})
_OF_BASIS: Final = {CLIENT_FEES: frozenset(ASSISTANCE), SOCIAL_ASSISTANCE: frozenset(CARE)}
"""Fields that a basis has no use for."""


Fault = DayFault | AmountFault | AccountFault


class Read(NamedTuple):
    """What the fields say.

    Attributes:
        partial: for the rules; a field that cannot be read is not known there.
        faults: fields that cannot be read, and why.
        days: the days that were read, to be shown where one was written without its year.
    """

    partial: Partial
    faults: Mapping[Field, Fault]
    days: Mapping[Field, date]


def fields_of(basis: str) -> tuple[Field, ...]:
    """Return the fields that a basis (id, empty while none is chosen) has use for."""
    unused = _OF_BASIS.get(basis, frozenset({*CARE, *ASSISTANCE}))
    return tuple(field for field in Field if field not in unused)


def read(values: Mapping[str, str], payee: str, today: date) -> Read:
    """Read the fields.

    Args:
        values: their texts, by `Field`; of what is chosen the id, of an account the IBAN.
        payee: identity code, empty while it is not whole.
    """
    said, faults = dict[str, date | Decimal | str](), dict[Field, Fault]()
    said["payee"] = payee
    for field in fields_of(values.get(Field.BASIS, "")):
        text = values.get(field, "").strip()
        if field is Field.PAYEE or not text or (field is Field.LAST and is_open_end(text)):
            continue
        try:
            said[field.value] = _value(field, text, today)
        except (InvalidDay, InvalidAmount, InvalidAccount) as problem:
            faults[field] = problem.fault
    if Field.CARE_LAST in faults:
        said.pop("care_first", None)  # without its end the care would seem to go on
    days = {Field(name): value for name, value in said.items() if isinstance(value, date)}
    known = {name: value for name, value in said.items() if value}
    open_end = is_open_end(values.get(Field.LAST, ""))
    return Read(Partial(**known, until_further_notice=open_end), faults, days)  # type: ignore[arg-type]


def _value(field: Field, text: str, today: date) -> date | Decimal | str:
    if field in DAYS:
        return parse_day(text, today)
    if field in AMOUNTS:
        return parse_amount(text)
    if field is Field.ACCOUNT:
        return parse_account(text)
    return clean(text, multiline=field is Field.GROUNDS).strip()


def is_open_end(text: str) -> bool:
    """Tell whether a last day says that there is none."""
    folded = " ".join(text.replace("\u2013", OPEN_END).replace("\u2212", OPEN_END).split()).casefold()
    return folded in _OPEN_ENDS


def texts(content: Content) -> dict[str, str]:
    """Return the texts of the fields that say what a claim says, without its payee."""
    said: dict[Field, date | Decimal | str | None] = {
        Field.BASIS: content.basis,
        Field.BENEFIT: content.benefit,
        Field.FIRST: content.first,
        Field.LAST: content.last or OPEN_END,
        Field.AMOUNT: content.amount,
        Field.CARE_FIRST: content.care_first,
        Field.CARE_LAST: content.care_last,
        Field.ACCOUNT: content.account,
        Field.REFERENCE: content.reference,
        Field.GROUNDS: content.grounds,
        Field.HANDLER: content.handler,
        Field.TELEPHONE: content.telephone,
    }
    if content.assistance is not None:
        said |= dict(zip(ASSISTANCE, _assistance(content), strict=True))
    return {field.value: text_of(value) for field, value in said.items() if value}


def _assistance(content: Content) -> tuple[date | Decimal, ...]:
    paid = content.assistance
    return () if paid is None else (paid.first, paid.last, paid.amount, paid.decided_on)


def text_of(value: date | Decimal | str | None) -> str:
    """Return a value as it may be typed, in all three languages the same; empty for none."""
    if isinstance(value, date):
        return f"{value.day}.{value.month}.{value.year}"
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")
    return value or ""
