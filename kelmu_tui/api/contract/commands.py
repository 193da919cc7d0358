"""Pushing: the bodies of commands and what became of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from kelmu_tui.api.contract.common import Answer, Identifier, MunicipalityCode, Request, Sequence, Version, clean_block
from kelmu_tui.domain.notices import MAX_NOTE, MAX_REASON


class EmptyBody(Request):
    """Body of commands without input: take, release, open, handle, reopen, take-back."""


class NoteBody(Request):
    """Body of `POST /v1/notices/{id}/note`."""

    text: Annotated[str, BeforeValidator(clean_block), Field(min_length=1, max_length=MAX_NOTE)]


class TransferBody(Request):
    """Body of `POST /v1/notices/{id}/transfer`."""

    municipality: MunicipalityCode
    reason: Annotated[str, BeforeValidator(clean_block), Field(min_length=1, max_length=MAX_REASON)]


class CommandResult(Answer):
    """Answer of an applied command: where in the feed its effect stands."""

    seq: Sequence
    version: Version
    epoch: Identifier
