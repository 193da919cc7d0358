"""What the form of a payment claim begins with: one unit of work before the first key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from kelmu_tui.domain.claims.life import Change, Status, allows
from kelmu_tui.services.claim_typing import Field, text_of, texts
from kelmu_tui.store.claim_rows import DRAFT

if TYPE_CHECKING:
    from datetime import datetime

    from kelmu_tui.screens.claim_begin import Begin
    from kelmu_tui.services.claims import Claims
    from kelmu_tui.store.claim_rows import Account, ClaimFile


class Filled(NamedTuple):
    """The beginning of a form.

    Attributes:
        values: texts of the fields.
        given: whether the payee stands, so that no code is asked for.
        claim: id of the claim that is changed, `base` what it said when that began.
        gone: what was to be changed, copied or gone on with is not there (any more), or can be changed no more.
        kept_at: when the draft was kept that is gone on with.
        editing: name of somebody else who is changing the claim.
    """

    values: Mapping[str, str]
    payee: str = ""
    name: str = ""
    given: bool = False
    claim: str | None = None
    base: Mapping[str, str] | None = None
    gone: bool = False
    draft: str | None = None
    kept_at: datetime | None = None
    editing: str | None = None
    accounts: tuple[Account, ...] = ()


def fill(claims: Claims, begin: Begin) -> Filled:
    """Read what a form begins with.

    Raises:
        NotAllowed, NotShown: claims may not be made or shown (any more).
        StoreError: the look at the claim could not be logged; nothing of it is shown.
    """
    accounts = claims.accounts()
    if begin.draft is not None:
        filled = _of_draft(claims, begin.draft)
    elif begin.change is not None:
        filled = _of_change(claims, begin.change)
    elif begin.copy is not None:
        filled = _of_copy(claims, begin.copy)
    else:
        filled = _of_known(claims, begin)
    values = dict(filled.values)
    if filled.draft is None and len(accounts) == 1:
        values.setdefault(Field.ACCOUNT.value, accounts[0].iban)
    return filled._replace(values=values, accounts=accounts)


def _of_known(claims: Claims, begin: Begin) -> Filled:
    handler = claims.handler()
    values = {
        Field.BENEFIT.value: begin.benefit,
        Field.FIRST.value: text_of(begin.first),
        Field.LAST.value: text_of(begin.last),
        Field.AMOUNT.value: text_of(begin.amount),
        Field.HANDLER.value: handler.name,
        Field.TELEPHONE.value: handler.telephone,
    }
    return Filled({name: text for name, text in values.items() if text}, begin.payee, begin.name, bool(begin.payee))


def _of_copy(claims: Claims, claim: str) -> Filled:
    file = claims.open(claim)
    if file is None:
        return Filled({}, gone=True)
    handler = claims.handler()
    values = texts(file.content)
    values |= {Field.HANDLER.value: handler.name, Field.TELEPHONE.value: handler.telephone}
    return Filled({name: text for name, text in values.items() if text}, file.content.payee, file.line.name, given=True)


def _of_change(claims: Claims, claim: str) -> Filled:
    file = claims.open(claim)
    if file is None or not can_change(file):
        return Filled({}, gone=True)
    base = texts(file.content)
    return Filled(base, file.content.payee, file.line.name, True, claim, base, editing=file.line.editing)


def _of_draft(claims: Claims, id: str) -> Filled:  # noqa: A002
    draft = claims.draft(id)
    if draft is None:
        return Filled({}, gone=True)
    file = claims.open(draft.claim) if draft.claim is not None else None
    gone = draft.claim is not None and (file is None or not can_change(file))
    # What others have changed since the draft was begun is told against what the claim said then.
    base = draft.base or (texts(file.content) if file is not None else None)
    return Filled(
        draft.values,
        draft.payee,
        draft.name,
        bool(draft.payee) and Field.PAYEE.value not in draft.values,
        draft.claim,
        base,
        gone,
        draft.id,
        draft.at,
        file.line.editing if file is not None else None,
    )


def can_change(file: ClaimFile) -> bool:
    """Tell whether a claim can still be made to say something else."""
    return file.line.status != DRAFT and allows(Status(file.line.status), Change)
