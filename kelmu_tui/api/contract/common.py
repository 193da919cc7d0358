"""What every body is made of: headers, types of texts and numbers, bases of requests and answers."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from kelmu_tui.domain.text import clean, is_safe

API_VERSION: Final = "v1"
SCHEMA: Final = 1
"""Number of the command schema; the backend takes this one and the one before."""

HEADER_ORGANISATION: Final = "Kelmu-Organisation"
HEADER_IDEMPOTENCY: Final = "Idempotency-Key"
HEADER_VERSION: Final = "If-Match"
HEADER_REQUEST_ID: Final = "Kelmu-Request-Id"
HEADER_DEVICE: Final = "Kelmu-Device"
HEADER_LEASE: Final = "Kelmu-Lease"
HEADER_SCHEMA: Final = "Kelmu-Schema"

MAX_WAIT: Final = 25
"""Seconds that a long poll is held at the most."""


def _clean_line(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def clean_block(value: Any) -> Any:
    return clean(value, multiline=True) if isinstance(value, str) else value


def _safe_line(value: str) -> str:
    if not is_safe(value):
        raise ValueError("control characters are not allowed")
    return value


Line = Annotated[str, BeforeValidator(_clean_line), Field(max_length=300)]
"""One line of foreign text: control and bidirectional characters are replaced on entry."""
Block = Annotated[str, BeforeValidator(clean_block), Field(max_length=4000)]
"""Foreign text of several lines, cleaned likewise."""
Identifier = Annotated[str, AfterValidator(_safe_line), Field(min_length=1, max_length=80)]
"""An identifier of ours: refused, not mended, when it holds anything strange."""
BusinessId = Annotated[str, Field(pattern=r"^[0-9]{7}-[0-9]$")]
MunicipalityCode = Annotated[str, Field(pattern=r"^[0-9]{3}$")]
Version = Annotated[int, Field(ge=1)]
Sequence = Annotated[int, Field(ge=0)]


class Request(BaseModel):
    """Base of what the client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of what the backend sends."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class LocalText(Answer):
    """A text in the three languages of the interface."""

    fi: Block
    sv: Block
    en: Block
