"""All tables of the first release: the record, the feed, the audit log, and those of sign-in."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "announcement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_table(
        "app_user",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("employer", sa.String(length=9), nullable=False),
        sa.Column("persona", sa.Boolean(), nullable=False),
        sa.Column("title_fi", sa.String(length=200), nullable=False),
        sa.Column("title_sv", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("grant_revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=True),
        sa.Column("mandate", sa.String(length=60), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("outcome", sa.String(length=60), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_organisation_at", "audit", ["organisation", "at"], unique=False)
    op.create_table(
        "feed",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("aggregate", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("op", sa.String(length=2), nullable=False),
        sa.PrimaryKeyConstraint("scope", "aggregate", name=op.f("pk_feed")),
    )
    op.create_index("ix_feed_scope_seq", "feed", ["scope", "seq"], unique=False)
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head")),
    )
    op.create_table(
        "memo",
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user", "device", "key", name=op.f("pk_memo")),
    )
    op.create_index(op.f("ix_memo_at"), "memo", ["at"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subtype", sa.String(length=60), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("municipality", sa.String(length=3), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("customer", sa.JSON(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("assignee", sa.String(length=40), nullable=True),
        sa.Column("assignee_name", sa.String(length=200), nullable=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.JSON(), nullable=True),
        sa.Column("transferred_from", sa.String(length=9), nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_holder", "notice", ["organisation", "id"], unique=False)
    op.create_index("ix_notice_unpublished", "notice", ["published", "arrived"], unique=False)
    op.create_table(
        "organisation",
        sa.Column("business_id", sa.String(length=9), nullable=False),
        sa.Column("name_fi", sa.String(length=200), nullable=False),
        sa.Column("name_sv", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("county", sa.String(length=2), nullable=True),
        sa.Column("municipalities", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", name=op.f("pk_organisation")),
    )
    op.create_table(
        "sign_in_guess",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sign_in_guess")),
    )
    op.create_index(op.f("ix_sign_in_guess_since"), "sign_in_guess", ["since"], unique=False)
    op.create_table(
        "agreement",
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["organisation"], ["organisation.business_id"], name=op.f("fk_agreement_organisation")),
        sa.PrimaryKeyConstraint("organisation", name=op.f("pk_agreement")),
    )
    op.create_table(
        "device_grant",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_code", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("device_name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("family", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["app_user.id"], name=op.f("fk_device_grant_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_grant")),
        sa.UniqueConstraint("user_code", name=op.f("uq_device_grant_user_code")),
    )
    op.create_index("ix_device_grant_address", "device_grant", ["address", "created"], unique=False)
    op.create_index(op.f("ix_device_grant_expires"), "device_grant", ["expires"], unique=False)
    op.create_table(
        "mandate_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("mandate", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("principal", sa.String(length=9), nullable=False),
        sa.Column("employer", sa.String(length=9), nullable=False),
        sa.Column("chain", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["principal"], ["organisation.business_id"], name=op.f("fk_mandate_grant_principal")),
        sa.ForeignKeyConstraint(["user"], ["app_user.id"], name=op.f("fk_mandate_grant_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_grant")),
    )
    op.create_index(op.f("ix_mandate_grant_user"), "mandate_grant", ["user"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notice", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_note_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_of", "note", ["notice", "organisation"], unique=False)
    op.create_table(
        "supervisor",
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisation.business_id"], name=op.f("fk_supervisor_organisation")
        ),
        sa.ForeignKeyConstraint(["user"], ["app_user.id"], name=op.f("fk_supervisor_user")),
        sa.PrimaryKeyConstraint("user", "organisation", name=op.f("pk_supervisor")),
    )
    op.create_table(
        "token_family",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("device_name", sa.String(length=80), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["app_user.id"], name=op.f("fk_token_family_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_family")),
    )
    op.create_index(op.f("ix_token_family_expires"), "token_family", ["expires"], unique=False)
    op.create_index(op.f("ix_token_family_user"), "token_family", ["user"], unique=False)
    op.create_table(
        "trace",
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("notice", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("from_municipality", sa.String(length=3), nullable=False),
        sa.Column("to_organisation", sa.String(length=9), nullable=False),
        sa.Column("to_municipality", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_trace_notice")),
        sa.PrimaryKeyConstraint("organisation", "notice", name=op.f("pk_trace")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("family", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("issued", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family"], ["token_family.id"], name=op.f("fk_refresh_token_family"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
    )
    op.create_index(op.f("ix_refresh_token_family"), "refresh_token", ["family"], unique=False)
    op.create_table(
        "sign_in_sitting",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("grant", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant"], ["device_grant.id"], name=op.f("fk_sign_in_sitting_grant"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user"], ["app_user.id"], name=op.f("fk_sign_in_sitting_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_sitting")),
    )
    op.create_index(op.f("ix_sign_in_sitting_grant"), "sign_in_sitting", ["grant"], unique=False)
