"""The tables of the record: organisations and mandates, notices, the feed, the memory of results, the audit log, and
what clients tell of views.

One set of typed tables for SQLite and PostgreSQL. Instants are stored as UTC, dates as Finnish calendar days. The
tables of sign-in stand in `kelmu_backend.identity.tables` and share this metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


BigId: Final = BigInteger().with_variant(Integer(), "sqlite")
"""Key of a table that grows without end; SQLite numbers rows by itself only under the plain type."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant on both engines: SQLite has no time zones, so they are taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its offset")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))
"""`epoch` (new after a restore or re-seed), `low` (highest seq whose `rm` entry was dropped), `seed`."""

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)
"""The one counter of the feed: locked and raised as the last statement of each write transaction."""

organisation = Table(
    "organisation",
    metadata,
    Column("business_id", String(9), primary_key=True),
    Column("name_fi", String(200), nullable=False),
    Column("name_sv", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("type", String(40), nullable=False),
    Column("county", String(2)),
    Column("municipalities", JSON, nullable=False),
)

agreement = Table(
    "agreement",
    metadata,
    Column("organisation", ForeignKey("organisation.business_id"), primary_key=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("content", JSON(none_as_null=True)),
)
"""`content` lists the sections of a customer that the agreement covers, NULL for all that the law allows."""

app_user = Table(
    "app_user",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("language", String(2), nullable=False),
    Column("employer", String(9), nullable=False),
    Column("persona", Boolean, nullable=False, default=False),
    Column("title_fi", String(200), nullable=False, default=""),
    Column("title_sv", String(200), nullable=False, default=""),
    Column("title_en", String(200), nullable=False, default=""),
    Column("grant_revision", Integer, nullable=False, default=1),
    Column("identity_code", String(11)),
)
"""Users; a `persona` may be signed in as in demo mode. `grant_revision` grows with every change of grants."""

grant = Table(
    "mandate_grant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("mandate", String(60), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("principal", ForeignKey("organisation.business_id"), nullable=False),
    Column("employer", String(9), nullable=False),
    Column("chain", JSON, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
)

supervisor = Table(
    "supervisor",
    metadata,
    Column("user", ForeignKey("app_user.id"), primary_key=True),
    Column("organisation", ForeignKey("organisation.business_id"), primary_key=True),
)


def _code_of_customer(context: Any) -> str | None:
    """Return the identity code out of the customer of a notice that is being written."""
    customer: Mapping[str, Any] = context.get_current_parameters()["customer"]
    return customer.get("identity_code")


notice = Table(
    "notice",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("subtype", String(60)),
    Column("urgent", Boolean, nullable=False),
    Column("status", String(20), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("municipality", String(3), nullable=False),
    Column("created", Instant, nullable=False),
    Column("arrived", Instant, nullable=False),
    Column("due", Date, nullable=False),
    Column("customer", JSON, nullable=False),
    Column("content", JSON, nullable=False),
    Column("assignee", String(40)),
    Column("assignee_name", String(200)),
    Column("handled_at", Instant),
    Column("handled_by", String(200)),
    Column("origin", JSON),
    Column("transferred_from", String(9)),
    Column("published", Boolean, nullable=False),
    Column("customer_code", String(11), default=_code_of_customer),
    Index("ix_notice_holder", "organisation", "id"),
    Index("ix_notice_unpublished", "published", "arrived"),
    Index("ix_notice_customer", "organisation", "customer_code"),
)
"""`arrived` is the visibility time; until then the row is unpublished and stands in no scope of the feed.

`customer` and `content` hold the JSON of `contract.Customer` and `contract.NoticeContent`, `origin` that of
`contract.TransferOrigin`, and under `previous` the origin before that one, which a take-back puts back.
`customer_code` repeats the code out of `customer`, so that a look-up finds in no time whether a notice is about
somebody.
"""

note = Table(
    "note",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("notice", ForeignKey("notice.id"), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_note_of", "notice", "organisation"),
)
"""Workers' notes; they belong to the organisation that wrote them and do not travel with a transfer."""

trace = Table(
    "trace",
    metadata,
    Column("organisation", String(9), primary_key=True),
    Column("notice", ForeignKey("notice.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("due", Date, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(200), nullable=False),
    Column("from_municipality", String(3), nullable=False),
    Column("to_organisation", String(9), nullable=False),
    Column("to_municipality", String(3), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(12), nullable=False),
)

announcement = Table(
    "announcement",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant),
    Column("title", JSON, nullable=False),
    Column("text", JSON, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("scope", String(60), primary_key=True),
    Column("aggregate", String(40), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("op", String(2), nullable=False),
    Index("ix_feed_scope_seq", "scope", "seq"),
)
"""Newest entry of each pair only. Scopes: `notices:<business ID>`, `traces:<business ID>`, `announcements`,
`follows:<business ID>:<user>`, `claims:<business ID>` (claims and accounts), `sendings:<business ID>:<user>`."""

memo = Table(
    "memo",
    metadata,
    Column("user", String(40), primary_key=True),
    Column("device", String(80), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)
"""Answers to commands, kept 90 days, so that a repeated command has one effect.

The user is part of the key, so that nobody can meet or spoil another user's commands.
"""

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user", String(40), nullable=False),
    Column("organisation", String(9)),
    Column("mandate", String(60)),
    Column("action", String(60), nullable=False),
    Column("subject", String(80)),
    Column("outcome", String(60), nullable=False),
    Column("rows", Integer),
    Column("request_id", String(80)),
    Column("purpose", String(60)),
    Column("case_reference", String(60)),
    Index("ix_audit_organisation_at", "organisation", "at"),
)
"""Who did what, written in the transaction it tells of; never the data itself. `purpose` and `case_reference` stand
with looks at customers, and at the log of these looks."""

view_chain = Table(
    "view_chain",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", ForeignKey("app_user.id"), nullable=False),
    Column("device", String(80), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("registered", Instant, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_view_chain_of", "user", "device"),
)
"""The log of views of one ledger: `public_key` is a raw Ed25519 key, `head` the highest number received and `hash` the
hash of that event (0 and zeros before the first)."""

view_event = Table(
    "view_event",
    metadata,
    Column("chain", ForeignKey("view_chain.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    Column("received", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("user", String(80), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("mandate", String(60)),
    Column("view", String(60), nullable=False),
    Column("subject", String(80)),
    Column("rows", Integer, nullable=False),
    Column("data_at", Instant),
    Index("ix_view_event_organisation_at", "organisation", "at"),
    Index("ix_view_event_subject", "subject"),
)
"""A view that a client logged before it showed anything. `body` is the text that the hash covers; the other columns are
what it says (`at` and `data_at` by the client's clock), and the mandate by which the user might look, None when the
record knows of none for that day."""

view_finding = Table(
    "view_finding",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("chain", ForeignKey("view_chain.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("resolved", Instant),
    Index("ix_view_finding_of", "chain", "kind"),
)
"""What is wrong with a chain (`kelmu_backend.views.Finding`), from `number` to `until`."""
