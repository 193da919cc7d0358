"""Pushing: the bodies of commands and what became of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from kelmu_tui.api.contract.common import Answer, Identifier, MunicipalityCode, Request, Sequence, Version, clean_block
from kelmu_tui.api.contract.customers import CaseReference
from kelmu_tui.domain.notices import MAX_NOTE, MAX_REASON
from kelmu_tui.domain.sections import MAX_REASON_TEXT


class EmptyBody(Request):
    """Body of commands without input: take, release, open, handle, reopen, take-back; renew and end of a follow."""


class NoteBody(Request):
    """Body of `POST /v1/notices/{id}/note`."""

    text: Annotated[str, BeforeValidator(clean_block), Field(min_length=1, max_length=MAX_NOTE)]


class TransferBody(Request):
    """Body of `POST /v1/notices/{id}/transfer`."""

    municipality: MunicipalityCode
    reason: Annotated[str, BeforeValidator(clean_block), Field(min_length=1, max_length=MAX_REASON)]


class FollowBody(Request):
    """Body of `POST /v1/follows/{id}/begin`; the client chooses the id, so that it can be given without a network.

    Attributes:
        customer: id from an own look-up that was answered lately.
        purpose: of `domain.sections.purposes`.
        case_reference: the case with which the follow ends.
        reason: why, in words; asked for where a look-up asks for it.
    """

    customer: Identifier
    purpose: Identifier
    case_reference: CaseReference | None = None
    reason: Annotated[str, BeforeValidator(clean_block), Field(min_length=1, max_length=MAX_REASON_TEXT)] | None = None


class CommandResult(Answer):
    """Answer of an applied command: where in the feed its effect stands."""

    seq: Sequence
    version: Version
    epoch: Identifier
