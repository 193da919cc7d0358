"""Where a record lies: on SQLite a file, on PostgreSQL a database; made from a template, backed up and restored."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from sqlalchemy import create_engine, make_url, text


class Place(Protocol):
    """The engine's side of one record; nobody is connected while any of these runs."""

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the record."""
        ...

    def begin(self) -> None:
        """Make the record anew from the template."""
        ...

    def back_up(self) -> None:
        """Copy the record to the backup."""
        ...

    def restore(self) -> None:
        """Put the backup in the record's place."""
        ...

    def drop(self) -> None:
        """Remove record and backup."""
        ...


class SqlitePlace:
    """A record in a file of `folder`."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._path = folder / "record.db"
        self._backup = folder / "backup.db"

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the record."""
        return f"sqlite:///{self._path}"

    def begin(self) -> None:
        """Copy the template."""
        shutil.copy(self._template, self._path)

    def back_up(self) -> None:
        """Copy the file, which holds everything once all connections are closed."""
        shutil.copy(self._path, self._backup)

    def restore(self) -> None:
        """Copy the backup over the file."""
        for left in self._path.parent.glob("record.db-*"):
            left.unlink()
        shutil.copy(self._backup, self._path)

    def drop(self) -> None:
        """Nothing: the folder is the run's own."""


def unsafe(admin: str) -> None:
    """Let a server forget about power losses: in the simulation it is the backend that dies, not its machine."""
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


class PostgresqlPlace:
    """A database of a running server, copied by the server itself.

    Args:
        admin: URL of the maintenance database.
        template: name of the database with the migrated, filled tables.
        name: name of the record's database; its backup is called like it.
    """

    def __init__(self, admin: str, template: str, name: str) -> None:
        self._admin = admin
        self._template = template
        self._name = name
        self._backup = f"{name}_backup"

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the record."""
        return make_url(self._admin).set(database=self._name).render_as_string(hide_password=False)

    def begin(self) -> None:
        """Copy the template."""
        self._copy(self._template, self._name)

    def back_up(self) -> None:
        """Copy the database."""
        self._copy(self._name, self._backup)

    def restore(self) -> None:
        """Copy the backup over the database."""
        self._copy(self._backup, self._name)

    def drop(self) -> None:
        """Drop both databases."""
        self._run(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (self._name, self._backup)))

    def _copy(self, source: str, target: str) -> None:
        self._run(
            f"DROP DATABASE IF EXISTS {target} WITH (FORCE)",
            f"CREATE DATABASE {target} TEMPLATE {source}",
        )

    def _run(self, *statements: str) -> None:
        engine = create_engine(self._admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()
