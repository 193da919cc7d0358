"""The schema's revision: whether the record is at the newest one, and how it gets there.

Alembic is imported only when there is something to do. A brand-new SQLite is made from the tables in one go, which
saves a demo's first start half a second; a test proves that both ways end in the same schema.
"""

from __future__ import annotations

from importlib import import_module, util
from typing import Final

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DatabaseError

from kelmu_backend.database import tables

HEAD: Final = "0007"
"""The newest revision in `migrations/versions`."""

_LOCK: Final = 5_310_422
"""PostgreSQL advisory lock: of several processes that start at once, one migrates."""


def metadata() -> MetaData:
    """Return the metadata of all tables, those of customers, claims, lists, documents and sign-in too."""
    import_module("kelmu_backend.database.customer_tables")
    import_module("kelmu_backend.database.claim_tables")
    import_module("kelmu_backend.database.list_tables")
    import_module("kelmu_backend.database.document_tables")
    if util.find_spec("kelmu_backend.identity.tables") is not None:
        import_module("kelmu_backend.identity.tables")
    return tables.metadata


def current(connection: Connection) -> str | None:
    """Return the revision of the record, None when it is empty."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision


def upgrade(connection: Connection, *, fast: bool = True) -> None:
    """Bring the schema to `HEAD` inside the caller's transaction."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    found = current(connection)
    if found == HEAD:
        return
    if found is None and sqlite and fast:
        metadata().create_all(connection, checkfirst=False)
        connection.execute(
            text(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
        )
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "kelmu_backend.database:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def is_ready(connection: Connection) -> bool:
    """Tell whether the record answers and is at the newest revision."""
    try:
        return current(connection) == HEAD
    except DatabaseError:
        return False
