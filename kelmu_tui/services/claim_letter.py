"""The letter of a claim that goes in writing: on another basis, from basic social assistance, or by agreement.

It says what Kela's pages ask of a free-form claim: the section of law, benefit, time and sum, the payee with the whole
identity code, who receives it on which account, whom to ask, and a place for the signature. What is not known is left
open to be filled by hand. That it leaves the program is for the caller to log.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from kelmu_tui.domain.claims.accounts import shown_account
from kelmu_tui.domain.claims.catalogue import ASSISTANCE, CARE, FREE_FORM, Basis, asks, bases, forms_for
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.rules import missing
from kelmu_tui.domain.text import clean
from kelmu_tui.i18n import Translator
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_words import field_name, form_name

WIDTH: Final = 78
OPEN: Final = "_" * 30
"""Where something is filled in by hand."""
_MAINTENANCE: Final = frozenset({"child_maintenance_allowance", "collected_child_maintenance"})
"""Benefits of which Kela also asks for whom they are and who has to pay."""

Labelled = Iterator[tuple[str, str]]


class Sender(NamedTuple):
    """Who writes, in the language of the letter, and when (Finnish day)."""

    organisation: str
    business_id: str
    on: date


def letter(draft: Partial, name: str, sender: Sender, t: Translator) -> str:
    """Return the letter in the language of `t`, in lines of at most `WIDTH` characters.

    Args:
        draft: the claim as far as it is known, on any basis.
        name: of the payee, empty while it is not known.
    """
    draft = draft.of_basis()
    basis = bases().get(draft.basis or "")
    agreement = basis is not None and basis.consent
    lines = [
        *_wrapped(_organisation(sender, t)),
        t.formats.date(sender.on),
        "",
        t("claims.letter_to"),
        "",
        t("claims.letter_title_agreement") if agreement else t("claims.letter_title"),
        "",
        *_wrapped(t("claims.letter_asks_agreement") if agreement else t("claims.letter_asks")),
    ]
    for label, text in _said(draft, basis, name, sender, t):
        lines += ["", label, *_indented(text or OPEN)]
    if basis is not None and agreement:
        lines += ["", t("claims.letter_attached"), *(f"  - {form_name(form, t)}" for form in basis.forms)]
    for label in (t("claims.letter_place"), field_name("signature", t), t("claims.letter_name_clear")):
        lines += ["", f"{label}: {OPEN}"]
    return "\n".join(lines) + "\n"


def advice(draft: Partial, t: Translator) -> tuple[str, ...]:
    """Return what the writer has to know of the letter: which form to use instead, how it goes, what is still open."""
    lines = [_form_advice(draft.basis or "", draft.benefit or "", t), t("claims.letter_by_post")]
    gaps = missing(draft)
    if gaps:
        lines.append(t("claims.letter_gaps", fields=", ".join(field_name(field, t) for field in gaps)))
    return tuple(lines)


def _form_advice(basis: str, benefit: str, t: Translator) -> str:
    known = bases().get(basis)
    if known is not None and known.in_kelmu and benefit in known.benefits:
        return t("claims.letter_in_kelmu")
    named = [form.id for form in forms_for(basis, benefit)] if benefit else list(known.forms) if known else []
    if not named:
        return t("claims.letter_form_impossible")
    if known is not None and known.consent:
        return t("claims.letter_form_agreement", forms=", ".join(form_name(form, t) for form in named))
    own = [form_name(form, t) for form in named if form != FREE_FORM]
    return t("claims.letter_form", form=", ".join(own)) if own else t("claims.letter_form_none")


def _said(draft: Partial, basis: Basis | None, name: str, sender: Sender, t: Translator) -> Labelled:
    yield field_name("basis", t), _basis(basis, t)
    yield field_name("payee", t), _payee(draft, name, t)
    yield field_name("benefit", t), benefit_name(draft.benefit, t) if draft.benefit else ""
    if draft.benefit in _MAINTENANCE:
        yield t("claims.letter_children"), ""
        yield t("claims.letter_liable_parent"), ""
    yield field_name("period", t), _period(draft, t)
    yield field_name("amount", t), _amount(draft, t)
    if asks(draft.basis, CARE):
        yield field_name("care", t), t.formats.period(draft.care_first, draft.care_last) if draft.care_first else ""
    if asks(draft.basis, ASSISTANCE):
        yield field_name("assistance", t), _assistance(draft, t)
    yield field_name("receiver", t), _organisation(sender, t)
    yield field_name("account", t), shown_account(draft.account) if draft.account else ""
    if draft.reference:
        yield field_name("reference", t), clean(draft.reference)
    if draft.grounds or (basis is not None and basis.justification_required):
        yield field_name("grounds", t), clean(draft.grounds or "", multiline=True)
    contact = [clean(text) for text in (draft.handler, draft.telephone) if text]
    yield t("claims.letter_contact"), ", ".join(contact)


def _basis(basis: Basis | None, t: Translator) -> str:
    if basis is None:
        return ""
    name = basis.name.get(t.language)
    return t("claims.letter_statute", basis=name, statute=basis.statute) if basis.statute else name


def _payee(draft: Partial, name: str, t: Translator) -> str:
    if not draft.payee:
        return clean(name)
    return t("claims.letter_identity", name=clean(name) or OPEN, code=draft.payee)


def _organisation(sender: Sender, t: Translator) -> str:
    return t("claims.letter_organisation", name=clean(sender.organisation), business_id=sender.business_id)


def _period(draft: Partial, t: Translator) -> str:
    if draft.first is None or not draft.period_known:
        return ""
    if draft.last is None:
        return f"{t.formats.period(draft.first, None)} ({field_name('until_further_notice', t).lower()})"
    return t.formats.period(draft.first, draft.last)


def _amount(draft: Partial, t: Translator) -> str:
    if draft.amount is None:
        return ""
    euros = t.formats.euros(draft.amount)
    return t("claims.letter_a_month", amount=euros) if draft.until_further_notice else euros


def _assistance(draft: Partial, t: Translator) -> str:
    paid = draft.assistance
    if paid is None:
        return ""
    return t(
        "claims.letter_assistance",
        amount=t.formats.euros(paid.amount),
        period=t.formats.period(paid.first, paid.last),
        decided=t.formats.date(paid.decided_on),
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return [
        wrapped
        for line in text.splitlines() or [""]
        for wrapped in textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent) or [""]
    ]


def _indented(text: str) -> list[str]:
    return _wrapped(text, "  ")


def on_basis(draft: Partial, basis: str) -> Partial:
    """Return a claim as it would be on another basis; what that one does not ask for is left out."""
    return replace(draft, basis=basis).of_basis()
