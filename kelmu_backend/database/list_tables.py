"""The tables of lists: which periods have been published to whom, their rows, and the heads of invoices.

They share the metadata of `tables`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from kelmu_backend.database.tables import BigId, Instant, metadata

publication = Table(
    "publication",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("organisation", String(9), nullable=False),
    Column("list_id", String(60), nullable=False),
    Column("period", String(7), nullable=False),
    Column("version", Integer, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("rows", Integer, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Index("ix_publication_of", "organisation", "list_id", "period", unique=True),
)
"""A list of a period for an organisation. It is visible from `published_at` on, which may lie ahead, to `expires_at`;
`version` grows each time it is published anew, and a withdrawn one has no rows."""

list_row = Table(
    "list_row",
    metadata,
    Column("publication", ForeignKey("publication.id"), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("person", String(40)),
    Column("content", Text, nullable=False),
)
"""A row of the newest version. `content` is the JSON text of `contract.ListRow` as the wire carries it, so that it is
streamed without being read; `person` is whom it is about, None for somebody whom the record does not know."""

invoice = Table(
    "invoice",
    metadata,
    Column("number", String(40), primary_key=True),
    Column("organisation", String(9), nullable=False),
    Column("kind", String(60), nullable=False),
    Column("period", String(7), nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("list_id", String(60), nullable=False),
    Column("payer", String(9), nullable=False),
    Column("corrects", String(40)),
    Index("ix_invoice_of", "organisation", "kind", "period"),
)
"""The head of an invoice, visible from the Finnish day `sent_on` on; `cents` is its total. `corrects` is the number of
the invoice to which a correction adds, None for the first one."""
