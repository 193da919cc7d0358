"""Customers: people, their rows, the systems they come from, and look-ups; what an agreement covers; who a user and the
customer of a notice are; why an audited look was taken."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.add_column("agreement", sa.Column("content", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("app_user", sa.Column("identity_code", sa.String(length=11), nullable=True))
    op.add_column("audit", sa.Column("purpose", sa.String(length=60), nullable=True))
    op.add_column("audit", sa.Column("case_reference", sa.String(length=60), nullable=True))
    _codes_of_notices()
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("identity_code", sa.String(length=11), nullable=False),
        sa.Column("family_name", sa.String(length=200), nullable=False),
        sa.Column("given_names", sa.String(length=200), nullable=False),
        sa.Column("sex", sa.String(length=1), nullable=False),
        sa.Column("born", sa.Date(), nullable=False),
        sa.Column("died", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=3), nullable=False),
        sa.Column("interpreter_language", sa.String(length=3), nullable=True),
        sa.Column("guardian", sa.String(length=200), nullable=True),
        sa.Column("non_disclosure", sa.Boolean(), nullable=False),
        sa.Column("municipality", sa.String(length=3), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("telephone", sa.String(length=40), nullable=True),
        sa.Column("household", sa.String(length=40), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("filled", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_household", "person", ["household"], unique=False)
    op.create_table(
        "person_code",
        sa.Column("code", sa.String(length=11), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_person_code_person")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_person_code")),
    )
    op.create_index(op.f("ix_person_code_person"), "person_code", ["person"], unique=False)
    op.create_table(
        "customer_row",
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("section", sa.String(length=20), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("benefit", sa.String(length=60), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_customer_row_person")),
        sa.PrimaryKeyConstraint("person", "section", "id", name=op.f("pk_customer_row")),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
    )
    op.create_table(
        "look_up",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("mandate", sa.String(length=60), nullable=True),
        sa.Column("person", sa.String(length=40), nullable=True),
        sa.Column("code_mark", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(length=60), nullable=True),
        sa.Column("case_reference", sa.String(length=60), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=60), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_look_up")),
        sa.UniqueConstraint("id", name=op.f("uq_look_up_id")),
    )
    op.create_index("ix_look_up_user_at", "look_up", ["user", "at"], unique=False)
    op.create_index("ix_look_up_organisation_at", "look_up", ["organisation", "at"], unique=False)
    op.create_index("ix_look_up_person_at", "look_up", ["person", "at"], unique=False)


def _codes_of_notices() -> None:
    """Let the code of a notice's customer stand in a column of its own."""
    op.add_column("notice", sa.Column("customer_code", sa.String(length=11), nullable=True))
    sqlite = op.get_bind().dialect.name == "sqlite"
    code = "json_extract(customer, '$.identity_code')" if sqlite else "customer ->> 'identity_code'"
    op.execute(f"UPDATE notice SET customer_code = {code}")  # noqa: S608 - one of two texts above
    op.create_index("ix_notice_customer", "notice", ["organisation", "customer_code"], unique=False)
