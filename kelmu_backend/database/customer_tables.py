"""The tables of customers: people, what Kela's systems know of them, which of these systems answer, who looked, and who
follows whom.

A person's rows are made when somebody first asks (`filled`), so that a record of a million people starts as fast as one
of a thousand. They share the metadata of `tables`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from kelmu_backend.database.tables import BigId, Instant, metadata

person = Table(
    "person",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("identity_code", String(11), nullable=False),
    Column("family_name", String(200), nullable=False),
    Column("given_names", String(200), nullable=False),
    Column("sex", String(1), nullable=False),
    Column("born", Date, nullable=False),
    Column("died", Date),
    Column("language", String(3), nullable=False),
    Column("interpreter_language", String(3)),
    Column("guardian", String(200)),
    Column("non_disclosure", Boolean, nullable=False),
    Column("municipality", String(3)),
    Column("address", String(200)),
    Column("telephone", String(40)),
    Column("household", String(40)),
    Column("seed", BigInteger, nullable=False),
    Column("filled", Instant),
    Index("ix_person_household", "household"),
    Index("ix_person_municipality", "municipality"),
)
"""`identity_code` is the present one; `seed` decides the rows that are made when somebody first asks."""

person_code = Table(
    "person_code",
    metadata,
    Column("code", String(11), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("valid_to", Date),
)
"""Every code that a person has or had; `valid_to` is None for the present one."""

customer_row = Table(
    "customer_row",
    metadata,
    Column("person", ForeignKey("person.id"), primary_key=True),
    Column("section", String(20), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("benefit", String(60)),
    Column("day", Date, nullable=False),
    Column("body", JSON, nullable=False),
    Column("changed", Instant, nullable=False),
)
"""What a system of Kela's knows: `body` is the JSON of the contract's row of that section, whole; `day` sorts it (the
newest first), `changed` is when it last became different."""

source = Table(
    "source",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("since", Instant, nullable=False),
    Column("delay_ms", Integer, nullable=False, default=0),
)
"""Systems that are not simply up: `down`, or `slow` by `delay_ms`. One without a row is up."""

look_up = Table(
    "look_up",
    metadata,
    Column("number", BigId, primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("user", String(40), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("mandate", String(60)),
    Column("person", String(40)),
    Column("code_mark", String(64)),
    Column("purpose", String(60)),
    Column("case_reference", String(60)),
    Column("reason", Text),
    Column("sections", JSON, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("outcome", String(60), nullable=False),
    Column("request_id", String(80)),
    Index("ix_look_up_user_at", "user", "at"),
    Index("ix_look_up_organisation_at", "organisation", "at"),
    Index("ix_look_up_person_at", "person", "at"),
)
"""Who looked up whom, why and with what outcome: `done`, or the code of the refusal. `person` is None when nobody has
the code. `code_mark` is a keyed hash of the code (or id) that was asked for: it tells the same unknown one from
another, and finds out who tries neighbouring ones. `flags` holds what a supervisor should see
(`api.contract.audit.LookUpFlag`)."""

follow = Table(
    "follow",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("user", String(40), nullable=False),
    Column("organisation", String(9), nullable=False),
    Column("person", ForeignKey("person.id"), nullable=False, index=True),
    Column("purpose", String(60), nullable=False),
    Column("case_reference", String(60)),
    Column("since", Instant, nullable=False),
    Column("looked", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ended", String(10)),
    Column("ended_at", Instant, index=True),
    Column("version", Integer, nullable=False),
    Index("ix_follow_user_organisation", "user", "organisation"),
)
"""Who follows whom, for what. `looked` is the look-up before it: whatever changed later is told. `ended` and `ended_at`
are None while it goes on; `version` grows with each command and each change that its user may see."""

customer_change = Table(
    "customer_change",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", ForeignKey("person.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("section", String(20), nullable=False),
    Column("row", String(40), nullable=False),
    Column("benefit", String(60)),
    Column("what", String(20), nullable=False),
    Column("day", Date, nullable=False),
    Index("ix_customer_change_person_at", "person", "at"),
)
"""What happened to the rows of those who are followed, whoever may see it; kept as long as a follow tells it."""

LOOK_UP_ACTIONS: Final = "customer.look_up"
"""Action of the audit rows that go with look-ups."""
