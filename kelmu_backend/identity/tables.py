"""The tables of sign-in: device grants, the pages' sittings, token families, refresh tokens, wrong guesses.

They share the metadata of `kelmu_backend.database.tables`, so that one migration history covers both. No column holds
a code or a token: random 256-bit values stand as SHA-256, short ones (user codes) as HMAC under the server's own key,
because ten letters can be tried out by whoever reads the table. Signing keys are files, see `identity.keys`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from kelmu_backend.database.tables import Instant, metadata

DIGEST: Final = 64
"""Hexadecimal digits of a SHA-256 or HMAC-SHA-256 value."""

device_grant = Table(
    "device_grant",
    metadata,
    Column("id", String(DIGEST), primary_key=True),
    Column("user_code", String(DIGEST), nullable=False, unique=True),
    Column("client", String(40), nullable=False),
    Column("device", String(60)),
    Column("device_name", String(80), nullable=False),
    Column("address", String(45), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("interval", Integer, nullable=False),
    Column("polled_at", Instant),
    Column("state", String(10), nullable=False),
    Column("user", ForeignKey("app_user.id")),
    Column("decided_at", Instant),
    Column("family", String(32)),
    Index("ix_device_grant_address", "address", "created"),
)
"""One sign-in under way (RFC 8628); `id` is the digest of the device code.

`state` goes pending -> approved -> spent or pending -> refused. `interval` is in seconds and grows with each
`slow_down`. `device` is the client's own number of the device, `device_name` and `address` are what the user compares.
"""

sitting = Table(
    "sign_in_sitting",
    metadata,
    Column("id", String(DIGEST), primary_key=True),
    Column("grant", ForeignKey("device_grant.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user", ForeignKey("app_user.id")),
    Column("created", Instant, nullable=False),
)
"""A browser between entering its code and deciding; `id` is the digest of its cookie. It ends with its grant."""

token_family = Table(
    "token_family",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", ForeignKey("app_user.id"), nullable=False, index=True),
    Column("client", String(40), nullable=False),
    Column("device", String(60)),
    Column("device_name", String(80), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Column("generation", Integer, nullable=False),
    Column("ended", Instant),
    Column("end_reason", String(20)),
)
"""A session: everything that came from one approval. `id` is the `sid` of its access tokens.

`generation` is that of the newest refresh token that was used. `end_reason`: sign_out, reuse, replay, administrator.
"""

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("id", String(DIGEST), primary_key=True),
    Column("family", ForeignKey("token_family.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("generation", Integer, nullable=False),
    Column("issued", Instant, nullable=False),
)
"""Refresh tokens by digest; old ones stay as long as the family, so that their reuse is recognised."""

guess = Table(
    "sign_in_guess",
    metadata,
    Column("source", String(DIGEST), primary_key=True),
    Column("since", Instant, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)
"""Wrong codes per source (keyed digest of a network address) since the start of its present window."""
