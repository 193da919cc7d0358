"""Shipping the log of views: a chain of events that the backend checks link by link.

A chain belongs to one ledger of one user on one device. It is registered once by the signed-in user with the public
half of the ledger's key; from then on a batch needs nothing but that key's signature over the exact bytes of its body
(`Kelmu-Chain-Signature`), so that what was seen is told even after session and mandates have ended.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from kelmu_tui.api.contract.common import Answer, BusinessId, Identifier, Line, Request, Sequence

HEADER_SIGNATURE: Final = "Kelmu-Chain-Signature"
"""Ed25519 signature of the body by the chain's key, base64url without padding."""
MAX_EVENTS: Final = 200
"""Events in one batch at the most."""

EventNumber = Annotated[int, Field(ge=1, le=2**53 - 1)]
ChainId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 value; the hash of an event is that of the hash before it, as bytes, followed by its body in UTF-8."""
PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A raw Ed25519 key, base64url without padding."""


class ChainRegistration(Request):
    """Body of `POST /v1/view-chains`; the same once more is answered in the same way."""

    chain: ChainId
    public_key: PublicKey
    device: Identifier


class ShippedEvent(Request):
    """One event as it stands in the ledger; `body` is the very text that was hashed, of a `ViewBody`."""

    number: EventNumber
    previous: Hash
    hash: Hash
    body: Annotated[str, Field(pattern=r"^[^\x00]{2,2000}$")]


class ViewBatch(Request):
    """Body of `POST /v1/view-events`: events in their order, without gaps between them.

    Attributes:
        missing: the ledger has nothing any more of what stood before the first of them.
    """

    chain: ChainId
    missing: bool
    events: Annotated[list[ShippedEvent], Field(min_length=1, max_length=MAX_EVENTS)]


class ViewBody(Answer):
    """What the body of an event says: who looked at what, when and how old that was; never the data itself.

    The first version of the ledger wrote the values as a list in this order, without `purpose` and `case_reference`,
    which events about customers have, and without `reason`: for what rows of a list left the client, in words.
    """

    number: EventNumber
    at: AwareDatetime
    user: Identifier
    organisation: BusinessId
    view: Annotated[str, Field(pattern=r"^[a-z_:]{1,60}$")]
    subject: Identifier | None = None
    rows: Annotated[int, Field(ge=0, le=2**31 - 1)]
    data_at: AwareDatetime | None = None
    purpose: Identifier | None = None
    case_reference: Line | None = None
    reason: Line | None = None


LISTED: Final = tuple(name for name in ViewBody.model_fields if name not in ("purpose", "case_reference", "reason"))
"""The fields of a body that is a list."""


class ChainHead(Answer):
    """The newest event that the backend has of a chain; 0 and zeros while there is none."""

    number: Sequence
    hash: Hash


class ViewReceipt(ChainHead):
    """What the backend has of a chain, for good."""

    chain: ChainId
    server_time: AwareDatetime
