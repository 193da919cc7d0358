"""Uploads, sendings and their receipts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "upload",
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("document", sa.String(length=36), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sending", sa.String(length=40), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("media_type", sa.String(length=40), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_expires"), "upload", ["expires"], unique=False)
    op.create_index(op.f("ix_upload_sending"), "upload", ["sending"], unique=False)
    op.create_index("ix_upload_of", "upload", ["user", "organisation", "document"], unique=True)
    op.create_table(
        "upload_piece",
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["place"], ["upload.place"], name=op.f("fk_upload_piece_place")),
        sa.PrimaryKeyConstraint("place", "number", name=op.f("pk_upload_piece")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Nothing that is encrypted can be compressed; trying would be most of an upload.
        op.execute("ALTER TABLE upload_piece ALTER COLUMN content SET STORAGE EXTERNAL")
    op.create_table(
        "sending",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("receipt", sa.String(length=20), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=True),
        sa.Column("identity_code", sa.String(length=11), nullable=True),
        sa.Column("masked_code", sa.String(length=11), nullable=False),
        sa.Column("customer_name", sa.String(length=400), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("case_reference", sa.String(length=60), nullable=True),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending")),
        sa.UniqueConstraint("receipt", name=op.f("uq_sending_receipt")),
    )
    op.create_index(op.f("ix_sending_expires"), "sending", ["expires"], unique=False)
    op.create_index("ix_sending_user_organisation", "sending", ["user", "organisation"], unique=False)
    op.create_index("ix_sending_state_received", "sending", ["state", "received"], unique=False)
    op.create_table(
        "sent_document",
        sa.Column("sending", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("refused", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["sending"], ["sending.id"], name=op.f("fk_sent_document_sending")),
        sa.PrimaryKeyConstraint("sending", "number", name=op.f("pk_sent_document")),
    )
