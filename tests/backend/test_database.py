"""The record itself: both ways to a schema, transactions, files."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from kelmu_backend.database import engine, schema, tables
from kelmu_backend.database.engine import Database
from kelmu_tui.platform.paths import UnsafePath

from .conftest import notice_row


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    yield found
    found.dispose()


def test_migrating_twice_does_nothing(database: Database) -> None:
    assert not database.migrate()
    with database.read() as connection:
        assert schema.is_ready(connection)


def test_head_is_the_newest_revision() -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", "kelmu_backend.database:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_migrations_lead_to_the_tables(database: Database) -> None:
    metadata = schema.metadata()
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def _described(connection: Connection) -> dict[str, object]:
    found = inspect(connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(name)],
            found.get_pk_constraint(name),
            sorted(map(str, found.get_foreign_keys(name))),
            sorted(map(str, found.get_indexes(name))),
            sorted(map(str, found.get_unique_constraints(name))),
        )
        for name in found.get_table_names()
    }


def test_the_fast_way_ends_in_the_same_schema(tmp_path: Path) -> None:
    described = []
    for name, fast in (("fast", True), ("migrated", False)):
        database = Database(f"sqlite:///{tmp_path / name / 'kelmu.db'}")
        with database.write() as connection:
            schema.upgrade(connection, fast=fast)
        with database.read() as connection:
            described.append(_described(connection))
        database.dispose()
    assert described[0] == described[1]
    assert "alembic_version" in described[0]
    assert "notice" in described[0]


def test_a_record_of_the_first_release_keeps_what_it_holds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """On both engines: what stood in the record before the log of views came stands there after, and the log works."""
    with database.write() as connection:
        schema.metadata().drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    with monkeypatch.context() as patch, database.write() as connection:
        patch.setattr(schema, "HEAD", "0001")
        schema.upgrade(connection, fast=False)
        assert "view_chain" not in inspect(connection).get_table_names()
        connection.execute(insert(tables.meta).values(key="epoch", value="one"))
        user = {"id": "u", "name": "U", "language": "fi", "employer": "9900080-0", "persona": True}
        connection.execute(insert(tables.app_user).values(user))
    with database.read() as connection:
        assert not schema.is_ready(connection)
    assert database.migrate()
    chain = {"id": "a" * 32, "user": "u", "device": "d", "public_key": b"k", "head": 0, "hash": bytes(32)}
    with database.write() as connection:
        assert connection.execute(select(tables.meta.c.value)).scalar_one() == "one"
        registered = datetime(2026, 11, 23, tzinfo=UTC)
        connection.execute(insert(tables.view_chain).values(chain | {"registered": registered}))
        finding = {"chain": "a" * 32, "kind": "gap", "number": 1, "until": 2**40, "at": registered}
        connection.execute(insert(tables.view_finding).values(finding))
    with database.read() as connection:
        row = connection.execute(select(tables.view_finding)).one()
        assert (row.id, row.until, row.at, row.resolved) == (1, 2**40, registered, None)


def test_notices_of_an_older_record_get_the_code_of_their_customer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before the column came is found by it as what is written now."""
    with database.write() as connection:
        schema.metadata().drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    with monkeypatch.context() as patch, database.write() as connection:
        patch.setattr(schema, "HEAD", "0002")
        schema.upgrade(connection, fast=False)
        older = Table("notice", MetaData(), autoload_with=connection)
        assert "customer_code" not in older.c
        columns = [Column(old.name, tables.notice.c[old.name].type) for old in older.c]
        connection.execute(insert(Table("notice", MetaData(), *columns)), notice_row(1))
    assert database.migrate()
    with database.write() as connection:
        connection.execute(insert(tables.notice), notice_row(2))
        rows = connection.execute(
            select(tables.notice.c.id, tables.notice.c.customer_code).order_by(tables.notice.c.id)
        )
        assert [tuple(row) for row in rows] == [("n0001", "010190-900R"), ("n0002", "010190-900R")]


def test_a_failed_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'd' / 'kelmu.db'}")
    monkeypatch.setattr(schema, "HEAD", "no such revision")
    with pytest.raises(Exception, match="no such revision"), database.write() as connection:
        schema.upgrade(connection, fast=False)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == []
    database.dispose()


def _count(database: Database) -> int:
    with database.read() as connection:
        return len(connection.execute(select(tables.meta)).all())


def test_writes_commit_and_roll_back(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(tables.meta).values(key="a", value="1"))

    def half_way() -> None:
        row = insert(tables.meta).values(key="b", value="1")
        with database.write() as connection:
            connection.execute(row)
            connection.execute(row)

    with pytest.raises(IntegrityError):
        half_way()
    assert _count(database) == 1
    with database.record() as connection:
        connection.execute(insert(tables.meta).values(key="c", value="1"))
    assert _count(database) == 2
    database.dispose()


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.read() as connection:
        connection.execute(insert(tables.meta).values(key="secret-key", value="secret-value"))
    assert "secret" not in str(caught.value)
    assert _count(database) == 0
    database.dispose()


def test_a_reader_keeps_its_snapshot_beside_a_writer(database: Database) -> None:
    with database.read() as reader:
        assert reader.execute(select(tables.meta)).all() == []
        with database.write() as writer:
            writer.execute(insert(tables.meta).values(key="a", value="1"))
        assert reader.execute(select(tables.meta)).all() == []
    assert _count(database) == 1
    database.dispose()


def test_writers_wait_for_each_other(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(tables.head).values(id=1, seq=0))

    def count() -> None:
        for _ in range(20):
            with database.write() as connection:
                connection.execute(update(tables.head).values(seq=tables.head.c.seq + 1))

    threads = [threading.Thread(target=count) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(select(tables.head.c.seq)).scalar_one() == 100
    database.dispose()


def test_who_insists_begins_anew_until_nobody_stands_in_the_way(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOCK_TIMEOUT", 20)
    database, other = Database(database_url), Database(database_url)
    held, let_go = threading.Event(), threading.Event()
    begun = 0

    def hold() -> None:
        with other.write() as connection:
            connection.execute(insert(tables.meta).values(key="k", value="theirs"))
            held.set()
            assert let_go.wait(30)

    def work(connection: Connection) -> str:
        nonlocal begun
        begun += 1
        if begun == 3 or database.is_sqlite:
            let_go.set()
        found = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "k")).scalar_one_or_none()
        if found is None:
            connection.execute(insert(tables.meta).values(key="k", value="ours"))
        return found or "ours"

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    if database.is_sqlite:  # which lets nobody begin before the other has ended
        let_go.set()
    try:
        assert database.insist(work) == "theirs"
        assert begun >= (1 if database.is_sqlite else 3)
    finally:
        let_go.set()
        holder.join()
        database.dispose()
        other.dispose()


def test_who_insists_does_not_insist_on_what_cannot_be(database: Database) -> None:
    begun = 0

    def work(connection: Connection) -> None:
        nonlocal begun
        begun += 1
        connection.execute(insert(tables.meta).values(key="k", value=None))

    with pytest.raises(IntegrityError):
        database.insist(work)
    assert begun == 1


def test_nobody_insists_for_ever(database: Database) -> None:
    begun = 0

    def work(connection: Connection) -> None:
        nonlocal begun
        begun += 1
        for _ in range(2):
            connection.execute(insert(tables.meta).values(key="k", value="v"))

    with pytest.raises(IntegrityError):
        database.insist(work)
    assert begun == (1 if database.is_sqlite else engine.TRIES)


def test_sqlite_is_durable_private_and_checks_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'd' / 'kelmu.db'}")
    database.migrate()
    with database.write() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }
    files = list((tmp_path / "d").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700
    database.dispose()


def test_memory_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a file"):
        Database("sqlite://")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafePath):
        Database(f"sqlite:///{tmp_path / 'link' / 'kelmu.db'}")


def test_a_url_never_shows_its_password() -> None:
    database = Database("postgresql+psycopg://kelmu:secret-password@localhost/kelmu")
    assert "secret-password" not in repr(database.url)
    database.dispose()
