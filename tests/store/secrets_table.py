"""The simplest table there is, for tests of files and transactions."""

from __future__ import annotations

from kelmu_tui.store.database import Store


def put_secret(store: Store, key: str, value: str = "x") -> None:
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO secret VALUES (?, ?)", (key, value))
        store.changed("secret", keys=[key])


def secrets_of(store: Store) -> list[str]:
    with store.read() as db:
        return [row[0] for row in db.execute("SELECT key FROM secret ORDER BY key")]
