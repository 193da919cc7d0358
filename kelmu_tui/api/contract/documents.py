"""Documents to Kela: uploads by tus 1.0, the command that sends them, and the rows that the feed carries.

A document's bytes go up first, resumable by the tus protocol (https://tus.io, core with creation, checksum and
termination; the checksum is SHA-256 of each part): `POST /v1/uploads` with `Upload-Length` and an `Upload-Metadata`
that holds `document` (the id the client chose) and nothing about anybody; `HEAD`, `PATCH` and `DELETE` on its address
`/v1/uploads/{document}`. Then the command `POST /v1/sendings/{id}/send` says whose documents they are. What the feed
carries in `sendings:<business ID>:<user>` are receipts: nothing of the documents can be read back.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from kelmu_tui.api.contract.common import Answer, Identifier, Line, Request, Version
from kelmu_tui.domain.documents import MAX_FILES, DocumentState, MediaType, SendingState

TUS_VERSION: Final = "1.0.0"
TUS_EXTENSIONS: Final = ("creation", "creation-with-upload", "checksum", "termination", "expiration")

DocumentId = Annotated[str, Field(pattern=r"^[0-9a-f-]{32,36}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DocumentBody(Request):
    """A document of a sending; `name` is what the user sees, not the name of a file of theirs unless they chose so."""

    id: DocumentId
    kind: Identifier
    name: Annotated[Line, Field(min_length=1, max_length=120)]
    media_type: MediaType
    size: Annotated[int, Field(ge=1)]
    sha256: Sha256


class SendBody(Request):
    """Body of `POST /v1/sendings/{id}/send`; every document has been uploaded whole.

    Attributes:
        customer: identity code of whom the documents are about.
        asked_by: who asked: `domain.documents.askers`.
        asked_on: when.
        way: how: `domain.documents.ways`.
    """

    customer: Annotated[str, Field(min_length=11, max_length=11)]
    asked_by: Identifier
    asked_on: date
    way: Identifier
    case_reference: Annotated[Line, Field(max_length=60)] | None = None
    documents: Annotated[list[DocumentBody], Field(min_length=1, max_length=MAX_FILES)]


class SentDocument(Answer):
    """What is told of a document that was sent: never its content.

    Attributes:
        refused: why it was refused, a `domain.documents.Fault`.
    """

    id: Identifier
    kind: Identifier
    name: Line
    size: int
    pages: int | None = None
    state: DocumentState
    refused: Identifier | None = None


class SendingRow(Answer):
    """A sending and its receipt.

    Attributes:
        receipt: number of the receipt.
        customer_name, masked_code: whom it is about.
    """

    table: Literal["sending"] = "sending"
    id: Identifier
    version: Version
    state: SendingState
    receipt: Identifier
    customer_name: Line
    masked_code: Line
    asked_by: Identifier
    asked_on: date
    way: Identifier
    case_reference: Line | None = None
    received_at: AwareDatetime
    documents: list[SentDocument]
    expires_at: AwareDatetime
