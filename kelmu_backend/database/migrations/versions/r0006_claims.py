"""Payment claims, and the accounts to which they are paid."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from kelmu_backend.database.tables import BigId

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["organisation"], ["organisation.business_id"], name=op.f("fk_account_organisation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index(op.f("ix_account_organisation"), "account", ["organisation"], unique=False)
    op.create_table(
        "claim",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=60), nullable=False),
        sa.Column("benefit", sa.String(length=60), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("handler", sa.String(length=100), nullable=False),
        sa.Column("telephone", sa.String(length=40), nullable=False),
        sa.Column("care_first", sa.Date(), nullable=True),
        sa.Column("care_last", sa.Date(), nullable=True),
        sa.Column("assistance", sa.JSON(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_by", sa.String(length=200), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("payment_day", sa.Date(), nullable=True),
        sa.Column("hearing_until", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("rejection", sa.String(length=60), nullable=True),
        sa.Column("end_reason", sa.String(length=60), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["organisation"], ["organisation.business_id"], name=op.f("fk_claim_organisation")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_claim_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_of", "claim", ["organisation", "id"], unique=False)
    op.create_index("ix_claim_person", "claim", ["person"], unique=False)
    op.create_index(op.f("ix_claim_closed_at"), "claim", ["closed_at"], unique=False)
    op.create_index(op.f("ix_claim_next_at"), "claim", ["next_at"], unique=False)
    op.create_table(
        "claim_event",
        sa.Column("id", BigId, nullable=False),
        sa.Column("claim", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["claim"], ["claim.id"], name=op.f("fk_claim_event_claim")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_event")),
    )
    op.create_index(op.f("ix_claim_event_claim"), "claim_event", ["claim"], unique=False)
    op.create_table(
        "claim_payment",
        sa.Column("claim", sa.String(length=40), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["claim"], ["claim.id"], name=op.f("fk_claim_payment_claim")),
        sa.PrimaryKeyConstraint("claim", "on", name=op.f("pk_claim_payment")),
    )
    op.create_table(
        "claim_editor",
        sa.Column("claim", sa.String(length=40), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim"], ["claim.id"], name=op.f("fk_claim_editor_claim")),
        sa.PrimaryKeyConstraint("claim", "user", name=op.f("pk_claim_editor")),
    )
