"""The vault alone: what is counted can be read, whatever happened beside it; anything else cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from kelmu_backend.database.document_tables import upload
from kelmu_backend.database.engine import Database
from kelmu_backend.documents.vault import PIECE, Busy, Held, Unreadable, Vault

KEY = bytes(range(32))
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    yield found
    found.dispose()


@pytest.fixture
def vault(database: Database, tmp_path: Path) -> Vault:
    return Vault(tmp_path / "documents", KEY, database)


def begin(database: Database, vault: Vault, place: str) -> Held:
    """Let the record know of new content."""
    held = vault.new(place)
    values = {
        "place": place,
        "document": place,
        "user": "u",
        "organisation": "1234567-1",
        "device": "d",
        "length": 10 * PIECE,
        "offset": 0,
        "pieces": 0,
        "stored": 0,
        "wrapped": held.wrapped,
        "created": NOW,
        "expires": NOW,
    }
    with database.write() as connection:
        connection.execute(insert(upload), values)
    return held


@contextmanager
def adding(vault: Vault, held: Held, *parts: bytes) -> Iterator[tuple[Vault, object]]:
    """Add parts that count for nothing yet."""
    writer = vault.writer(held)
    try:
        for part in parts:
            writer.add([part])
        yield vault, writer
    finally:
        vault.done(writer)


def grown(database: Database, vault: Vault, held: Held, *parts: bytes) -> Held:
    """Add parts and count them."""
    writer = vault.writer(held)
    try:
        for part in parts:
            writer.add([part[:1], part[1:]])
        vault.settle(writer)
        with database.write() as connection:
            after = vault.counted(writer)
            vault.keep(connection, writer)
            values = {"offset": after.offset, "pieces": after.pieces, "stored": after.stored}
            connection.execute(update(upload).where(upload.c.place == held.place).values(**values))
        return after
    finally:
        vault.done(writer)


_numbers = iter(range(1_000_000))
_steps = st.lists(
    st.tuples(st.sampled_from(["grow", "crash", "refuse"]), st.lists(st.binary(min_size=1, max_size=50), max_size=4)),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_what_is_counted_is_what_is_read(
    database: Database, vault: Vault, steps: list[tuple[str, list[bytes]]]
) -> None:
    held = begin(database, vault, f"p{next(_numbers)}")
    content = b""
    for what, parts in steps:
        if what == "grow":
            held = grown(database, vault, held, *parts)
            content += b"".join(parts)
        else:
            writer = vault.writer(held)
            for part in parts:
                writer.add([part])
            if what == "refuse":
                writer.drop()
            writer.close()  # a process that ends does no more than that
        assert b"".join(vault.read(held)) == content
    assert held.offset == len(content)


def test_large_parts_are_cut_into_pieces(database: Database, vault: Vault) -> None:
    content = os.urandom(2 * PIECE + 5)
    held = grown(database, vault, begin(database, vault, "p"), content, b"end")
    assert (held.pieces, held.offset) == (4, len(content) + 3)
    assert [len(part) for part in vault.read(held)] == [PIECE, PIECE, 5, 3]
    assert b"".join(vault.read(held)) == content + b"end"


def test_one_writes_at_a_time(database: Database, vault: Vault) -> None:
    held = begin(database, vault, "p")
    with adding(vault, held, b"x"), pytest.raises(Busy):
        vault.writer(held)
    after = grown(database, vault, held, b"abc")
    # Whoever looked before that would cut off what is counted now.
    with pytest.raises(Busy):
        vault.writer(held)
    assert b"".join(vault.read(after)) == b"abc"


def test_content_opens_only_as_it_was_sealed(database: Database, vault: Vault, tmp_path: Path) -> None:
    held = grown(database, vault, begin(database, vault, "p"), b"one", b"two")
    other = grown(database, vault, begin(database, vault, "q"), b"one", b"two")
    wrong = [
        held._replace(offset=held.offset + 1),
        held._replace(pieces=held.pieces - 1),
        held._replace(wrapped=other.wrapped),
        held._replace(place="q"),
        held._replace(wrapped=b"short"),
        held._replace(pieces=held.pieces + 1),
    ]
    for one in wrong:
        with pytest.raises(Unreadable):
            list(vault.read(one))
    with pytest.raises(Unreadable):
        list(Vault(tmp_path / "documents", bytes(32), database).read(held))
    assert b"".join(vault.read(held)) == b"onetwo"


def test_bytes_that_changed_on_the_disk_are_seen(database: Database, vault: Vault, tmp_path: Path) -> None:
    if not database.is_sqlite:
        pytest.skip("rows are the database's own to keep")
    held = grown(database, vault, begin(database, vault, "p"), b"one", b"two")
    path = tmp_path / "documents" / "p"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Unreadable):
            list(vault.read(held))
    path.write_bytes(whole[:-1])
    with pytest.raises(Unreadable):
        vault.writer(held)
    path.unlink()
    with pytest.raises(Unreadable):
        list(vault.read(held))
    with pytest.raises(Unreadable):
        vault.writer(held)


def test_a_link_in_the_folder_is_not_followed(database: Database, vault: Vault, tmp_path: Path) -> None:
    held = begin(database, vault, "p")
    (tmp_path / "documents").mkdir(mode=0o700, exist_ok=True)
    target = tmp_path / "target"
    target.write_bytes(b"not ours")
    (tmp_path / "documents" / "p").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        vault.writer(held)
    assert target.read_bytes() == b"not ours"
