"""Lists of recipients, their rows, and invoices."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from kelmu_backend.database.tables import BigId

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Make the tables, and an index by which the people of a municipality are found."""
    op.create_table(
        "publication",
        sa.Column("id", BigId, nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("list_id", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
    )
    op.create_index("ix_publication_of", "publication", ["organisation", "list_id", "period"], unique=True)
    op.create_index(op.f("ix_publication_expires_at"), "publication", ["expires_at"], unique=False)
    op.create_table(
        "list_row",
        sa.Column("publication", BigId, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["publication"], ["publication.id"], name=op.f("fk_list_row_publication")),
        sa.PrimaryKeyConstraint("publication", "id", name=op.f("pk_list_row")),
    )
    op.create_table(
        "invoice",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.String(length=60), nullable=False),
        sa.Column("payer", sa.String(length=9), nullable=False),
        sa.Column("corrects", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoice")),
    )
    op.create_index("ix_invoice_of", "invoice", ["organisation", "kind", "period"], unique=False)
    op.create_index(op.f("ix_person_municipality"), "person", ["municipality"], unique=False)
