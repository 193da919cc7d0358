"""The tables of payment claims: what each says and how it stands, what happened to it, what Kela has paid on it, who is
changing it, and the accounts to which organisations let Kela pay.

They share the metadata of `tables`. Days are Finnish calendar days.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
)

from kelmu_backend.database.tables import BigId, Instant, metadata

CENT: Final = Decimal("0.01")


class Euros(TypeDecorator[Decimal]):
    """A sum in euros, stored as whole cents: SQLite knows no decimal numbers."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        cents = value / CENT
        if cents != int(cents):
            raise ValueError("a sum has whole cents")
        return int(cents)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else (value * CENT).quantize(CENT)


account = Table(
    "account",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("organisation", ForeignKey("organisation.business_id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("iban", String(34), nullable=False),
    Column("name", String(200), nullable=False),
)
"""A bank account of an organisation; `iban` without spaces, `name` is what the organisation calls it."""

claim = Table(
    "claim",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("organisation", ForeignKey("organisation.business_id"), nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("status", String(20), nullable=False),
    Column("basis", String(60), nullable=False),
    Column("benefit", String(60), nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date),
    Column("amount", Euros, nullable=False),
    Column("account", String(34), nullable=False),
    Column("reference", String(30), nullable=False),
    Column("grounds", Text, nullable=False),
    Column("handler", String(100), nullable=False),
    Column("telephone", String(40), nullable=False),
    Column("care_first", Date),
    Column("care_last", Date),
    Column("assistance", JSON(none_as_null=True)),
    Column("registered_at", Instant, nullable=False),
    Column("registered_by", String(200), nullable=False),
    Column("late", Boolean, nullable=False),
    Column("payment_day", Date),
    Column("hearing_until", Date),
    Column("decided_on", Date),
    Column("rejection", String(60)),
    Column("end_reason", String(60)),
    Column("ended_on", Date),
    Column("closed_at", Instant, index=True),
    Column("next_at", Instant, index=True),
    Index("ix_claim_of", "organisation", "id"),
    Index("ix_claim_person", "person"),
)
"""A claim of an organisation on a benefit that is paid to `person`. `assistance` holds the JSON of
`contract.AssistancePaid`. `closed_at` is when nothing more was to come, None until then; `next_at` is when Kela's side
comes to it next, None when it waits for nothing that time brings."""

claim_event = Table(
    "claim_event",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("claim", ForeignKey("claim.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("what", String(20), nullable=False),
    Column("by", String(200)),
)
"""What happened to a claim; `by` is the worker's name, None when Kela did it."""

claim_payment = Table(
    "claim_payment",
    metadata,
    Column("claim", ForeignKey("claim.id"), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("amount", Euros, nullable=False),
)
"""What Kela has paid on a claim: the key lets it be once a payment day, whoever pays at the same time."""

claim_editor = Table(
    "claim_editor",
    metadata,
    Column("claim", ForeignKey("claim.id"), primary_key=True),
    Column("user", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("until", Instant, nullable=False),
)
"""Who is changing a claim, as far as they have told; not any more after `until`."""
