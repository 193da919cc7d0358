"""The tables of documents to Kela: uploads with their content, sendings and their receipts.

They share the metadata of `tables`.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table

from kelmu_backend.database.tables import Instant, metadata

upload = Table(
    "upload",
    metadata,
    Column("place", String(40), primary_key=True),
    Column("document", String(36), nullable=False),
    Column("user", String(40), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("device", String(80), nullable=False),
    Column("length", Integer, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("wrapped", LargeBinary),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, index=True),
    Column("sending", String(40), index=True),
    Column("sha256", String(64)),
    Column("media_type", String(40)),
    Column("pages", Integer),
    Column("fault", String(40)),
    Index("ix_upload_of", "user", "organisation", "document", unique=True),
)
"""A document that is uploaded, or waits for Kela's side to take it.

`document` is the id that the client chose, `place` names the content. Of `length` bytes `offset` have come, sealed into
`pieces` of `stored` bytes; `wrapped` is the key that opens them, None once the content has been destroyed. `expires`
ends what is not sent, None once it belongs to a `sending`. The last four are what its content was found to be: None
until somebody looked, and `fault` is a `domain.documents.Fault`."""

upload_piece = Table(
    "upload_piece",
    metadata,
    Column("place", ForeignKey("upload.place"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
"""Content on PostgreSQL, sealed, in pieces of at most a mebibyte; a record in a file has files beside it instead."""

sending = Table(
    "sending",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("user", String(40), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("state", String(10), nullable=False),
    Column("receipt", String(20), nullable=False, unique=True),
    Column("person", String(40)),
    Column("identity_code", String(11)),
    Column("masked_code", String(11), nullable=False),
    Column("customer_name", String(400), nullable=False),
    Column("asked_by", String(40), nullable=False),
    Column("asked_on", Date, nullable=False),
    Column("way", String(40), nullable=False),
    Column("case_reference", String(60)),
    Column("received", Instant, nullable=False),
    Column("claimed", Instant),
    Column("expires", Instant, nullable=False, index=True),
    Index("ix_sending_user_organisation", "user", "organisation"),
    Index("ix_sending_state_received", "state", "received"),
)
"""What was sent about whom, and its receipt. `person` is None for somebody whom only a notice knows. `identity_code`
goes along to Kela and is None once Kela's side has it; `claimed` is when a process began to hand it over."""

sent_document = Table(
    "sent_document",
    metadata,
    Column("sending", ForeignKey("sending.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("name", String(300), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("pages", Integer),
    Column("state", String(10), nullable=False),
    Column("refused", String(40)),
)
"""A document of a sending, in the order in which they were sent: what is told of it, never its content."""
