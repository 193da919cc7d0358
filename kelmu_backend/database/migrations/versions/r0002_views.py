"""The log of views that clients ship: chains, their events, and what was found wrong with them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "view_chain",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("registered", sa.DateTime(timezone=True), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["app_user.id"], name=op.f("fk_view_chain_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_chain")),
    )
    op.create_index("ix_view_chain_of", "view_chain", ["user", "device"], unique=False)
    op.create_table(
        "view_event",
        sa.Column("chain", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.String(length=80), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("mandate", sa.String(length=60), nullable=True),
        sa.Column("view", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("data_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chain"], ["view_chain.id"], name=op.f("fk_view_event_chain")),
        sa.PrimaryKeyConstraint("chain", "number", name=op.f("pk_view_event")),
    )
    op.create_index("ix_view_event_organisation_at", "view_event", ["organisation", "at"], unique=False)
    op.create_index("ix_view_event_subject", "view_event", ["subject"], unique=False)
    op.create_table(
        "view_finding",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chain"], ["view_chain.id"], name=op.f("fk_view_finding_chain")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_finding")),
    )
    op.create_index("ix_view_finding_of", "view_finding", ["chain", "kind"], unique=False)
