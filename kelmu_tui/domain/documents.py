"""Documents to Kela: kinds, limits, who may ask and how, states of a sending, and why a file is refused.

Facts stand in `catalogue/documents.toml`; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.organisations import Names

MAX_FILES: Final = 10
"""Files of one sending that the contract knows; the catalogue may say fewer."""
VERBS: Final[Mapping[str, str]] = MappingProxyType({"document-send": "send"})
"""The command as an outbox names it, and on the wire."""


class MediaType(StrEnum):
    """What a document can be, by its content."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


class SendingState(StrEnum):
    """What has become of a sending: Kela has it, looks at it, has taken it, or has refused all of it."""

    RECEIVED = "received"
    CHECKED = "checked"
    REFUSED = "refused"


class DocumentState(StrEnum):
    """What has become of a document of a sending."""

    RECEIVED = "received"
    TAKEN = "taken"
    REFUSED = "refused"


class Fault(StrEnum):
    """Why a file is refused; stable, translated by the faces."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TYPE = "type"
    """Neither PDF nor JPEG nor PNG by its content."""
    ENCRYPTED = "encrypted"
    ACTIVE = "active_content"
    """A PDF with scripts, launch actions, embedded files or forms that run something."""
    BROKEN = "broken"
    PIXELS = "too_many_pixels"
    PAGES = "too_many_pages"
    BOMB = "expands_too_much"
    MALWARE = "malware"
    CHANGED = "changed"
    """The file is not what was checked."""
    TIMEOUT = "takes_too_long"


class SendRefusal(StrEnum):
    """Stable reasons why a sending is refused."""

    SENT = "sending_sent"
    """The id is in use."""
    CUSTOMER = "sending_customer"
    """Nobody has the identity code, or the user has not looked the customer up and has no notice of them."""
    UPLOAD = "sending_upload"
    """A document has not been uploaded whole, or is not the one that was announced."""
    ASKED = "sending_asked"
    """Who asked, how or when is not possible: of no catalogue, or a day to come."""
    TOO_MANY = "sending_too_many"
    DOCUMENT = "sending_document"
    """A document's content is refused; its fault stands in the problem's detail."""


class CopyFault(StrEnum):
    """Why a sending that is queued here cannot go out any more; the documents have to be chosen again."""

    BROKEN = "copy_broken"
    """The sealed copy of a document is gone or damaged."""


class Named(NamedTuple):
    """An entry of the catalogue."""

    id: str
    name: Names


class Limits(NamedTuple):
    """Limits of sendings; those of the backend count."""

    file_bytes: int
    files: int
    pixels: int
    pages: int


def _named(table: str) -> Mapping[str, Named]:
    rows = catalogue.table("documents.toml")[table]
    return MappingProxyType({row["id"]: Named(row["id"], Names(row["fi"], row["sv"], row["en"])) for row in rows})


@cache
def kinds() -> Mapping[str, Named]:
    """Return the kinds of documents by id, in the order of the catalogue."""
    return _named("kind")


@cache
def askers() -> Mapping[str, Named]:
    """Return who can ask for a sending."""
    return _named("asker")


@cache
def ways() -> Mapping[str, Named]:
    """Return how they can ask."""
    return _named("way")


@cache
def limits() -> Limits:
    """Return the limits."""
    row = catalogue.table("documents.toml")["limits"]
    return Limits(row["file_bytes"], row["files"], row["pixels"], row["pages"])


@cache
def receipt_kept() -> timedelta:
    """Return how long a receipt can be read."""
    return timedelta(days=catalogue.table("documents.toml")["limits"]["receipt_days"])


@cache
def unfinished_kept() -> timedelta:
    """Return how long an upload is kept that nobody finishes."""
    return timedelta(days=catalogue.table("documents.toml")["limits"]["unfinished_days"])
