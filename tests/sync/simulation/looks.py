"""I6 and I16 for what leaves the machine: each look reaches the backend once, as it was logged, and a ledger that was
put back from an old copy is found out."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select

from kelmu_backend import view_checks
from kelmu_backend.database import tables
from kelmu_tui.store import chain, views
from tests.sync.simulation.player import Player
from tests.sync.simulation.record import Record


class Fork(NamedTuple):
    """A ledger put back: its chain, and the number of the newest event in the copy; the backend has later ones."""

    chain: str
    newest: int


class Looks:
    """What ledgers have logged, by chain and number, as seen after each step."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._logged: dict[tuple[str, int], set[bytes]] = {}
        self._forks: dict[str, Fork] = {}
        self._touched: set[str] = set()

    def ledger(self, db: Any) -> None:
        """Remember what stands in a ledger now."""
        found = chain.read(db)
        if found is not None:
            for number, own in db.execute("SELECT number, hash FROM main.view_event"):
                self._logged.setdefault((found.id, number), set()).add(bytes(own))

    def tampered(self, player: Player) -> None:
        """Note that a ledger was put back or broken, just after it happened."""
        self._touched.add(player.user)
        with player.terminals[0].store.read() as db:
            found, newest = chain.read(db), views.newest(db)
        if found is not None and any(number > newest for number in self._received().get(found.id, {})):
            self._forks[player.user] = Fork(found.id, newest)

    def restored(self) -> None:
        """Forget what the backend has forgotten."""
        self._forks.clear()

    def told(self, player: Player) -> list[str]:
        """Return what is wrong at the quiet end."""
        with player.terminals[0].store.read() as db:
            found, newest = chain.read(db), views.newest(db)
            left = views.waiting(db, 1)
            kept = dict(db.execute("SELECT number, hash FROM main.view_event WHERE received_at IS NOT NULL").fetchall())
        barred = found is not None and found.alarm is not None
        told = []
        if left and not barred:
            told.append(f"I6 {player.user}: looks that the backend has not been told of")
        has = self._received().get(found.id, {}) if found is not None else {}
        if not self._record.restored and not barred and kept.items() - has.items():
            told.append(f"I6 {player.user}: the backend does not have what it has receipted")
        fork = self._forks.get(player.user)
        went_on = fork is not None and found is not None and found.id == fork.chain and newest > fork.newest
        if went_on and not barred:
            told.append(f"I16 {player.user}: an old copy of the ledger went on unnoticed")
        return told

    def record(self) -> list[str]:
        """Return what is wrong with the backend's log as a whole."""
        told = [
            f"I6: the backend has event {number} of a chain that no ledger has logged"
            for name, events in self._received().items()
            for number, own in events.items()
            if own not in self._logged.get((name, number), set())
        ]
        with self._record.database.read() as connection:
            told += [
                f"I16: chain of {found.user} is broken" for found in view_checks.verify(connection) if found.first_bad
            ]
            if not self._record.restored:
                told += [
                    f"I16: {found.kind} is found in the untouched ledger of {found.user}"
                    for found in view_checks.findings(connection)
                    if found.user not in self._touched and found.resolved is None
                ]
        return told

    def _received(self) -> dict[str, dict[int, bytes]]:
        found: dict[str, dict[int, bytes]] = {}
        events = tables.view_event.c
        with self._record.database.read() as connection:
            for name, number, own in connection.execute(select(events.chain, events.number, events.hash)):
                found.setdefault(name, {})[number] = bytes(own)
        return found
