"""A user at one or two terminals: what they do, and what befalls their machine and their files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from kelmu_tui.services.inbox import Inbox, NotAllowed
from kelmu_tui.services.outbox import Outbox
from kelmu_tui.store import outbox
from kelmu_tui.store.database import LEDGER_FILE
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.errors import NotShown, StoreCorrupt
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.rows import Outcome, Query, View
from tests.sync.simulation import disk
from tests.sync.simulation.claimant import Claimant, accounts
from tests.sync.simulation.disk import Keys
from tests.sync.simulation.record import PLACES, USERS, HandClock
from tests.sync.simulation.service import NEW_SCHEMA
from tests.sync.simulation.terminal import Home, Terminal

__all__ = ["Keys", "MachineClock", "Player", "Saved", "Shown"]


ACCOUNTS: Final = accounts(holder.business_id for holder in USERS.values())


class MachineClock:
    """The clock of a user's machine: its seconds are right, its wall clock need not be."""

    def __init__(self, world: HandClock) -> None:
        self._world = world
        self._offset = timedelta(0)
        self._stopped: datetime | None = None

    @property
    def right(self) -> bool:
        """Whether the wall clock tells the world's time."""
        return self._stopped is None and not self._offset

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return (self._world.at if self._stopped is None else self._stopped) + self._offset

    def monotonic(self) -> float:
        """Return the machine's seconds."""
        return self._world.monotonic()

    def turn(self, by: timedelta) -> None:
        """Set the wall clock wrong by `by`."""
        self._offset, self._stopped = by, None

    def stop(self) -> None:
        """Let the wall clock stand still."""
        self._stopped = self._world.at

    def mend(self) -> None:
        """Set it right."""
        self._offset, self._stopped = timedelta(0), None


class Saved:
    """A command as the user knows it: said to be saved, on which notice, given how many-th."""

    def __init__(self, notice: str, verb: str, place: int) -> None:
        self.notice = notice
        self.verb = verb
        self.place = place


class Shown:
    """What a look at a notice brought: its notes, and the rest of its life and of the lease in seconds."""

    def __init__(self, notice: str, notes: list[str]) -> None:
        self.notice = notice
        self.notes = notes


class Player:
    """A user.

    Attributes:
        saved: commands said to be saved, by key.
        lost: keys of those that an old copy of the ledger, or a torn one, took away.
        copies: what the ledger held when the copy was taken; None without one.
        claimed: how many answers of the feed had been taken when the user did something about claims last.
        heard: the last time a backend's answer was stored in this run of the machine.
        shown: what the last look brought; None when nothing was shown.
    """

    def __init__(self, user: str, folder: Path, world: HandClock, dice: random.Random, seed: int) -> None:
        self.user = user
        self.organisation = USERS[user].business_id
        self.dice = dice
        self.seed = seed
        self.clock = MachineClock(world)
        folder.mkdir(mode=0o700)
        self.copies = folder.parent / f"{user}-copies"
        self.copies.mkdir()
        self.claimant = Claimant(user, self.organisation, ACCOUNTS[self.organisation], seed)
        self.home = Home(user, self.organisation, folder, self.clock, dice)
        self.claimed = 0
        self.saved: dict[str, Saved] = {}
        self.lost: set[str] = set()
        self.numbers = 0
        self.reboots = 0
        self.copied: set[str] | None = None
        self.copied_replica = False
        self.clock_was_wrong = False
        self.old_copy = False
        self.shown: Shown | None = None
        self.died_at: datetime | None = None
        self.terminals: list[Terminal] = []
        self.start()

    # --- processes ---------------------------------------------------------------------------------------------------

    def start(self) -> Terminal:
        """Start a terminal."""
        self.numbers += 1
        terminal = Terminal(self.home, self.numbers, self.seed)
        self.terminals.append(terminal)
        return terminal

    @property
    def awake(self) -> list[Terminal]:
        """Terminals that run."""
        return [terminal for terminal in self.terminals if not terminal.stopped]

    def pick(self) -> Terminal | None:
        """Return one of the terminals that run."""
        return self.dice.choice(self.awake) if self.awake else None

    def leader(self) -> Terminal | None:
        """Return the terminal that leads."""
        return next((terminal for terminal in self.terminals if terminal.lock.held), None)

    def kill(self, terminal: Terminal) -> None:
        """End a process without any farewell."""
        terminal.end(cleanly=self.dice.random() < 0.3)
        self.terminals.remove(terminal)

    def kill_all(self) -> None:
        """End all processes."""
        for terminal in list(self.terminals):
            terminal.end(cleanly=True)
            self.terminals.remove(terminal)
        for store in self.home.graveyard:
            store.close()
        self.home.graveyard.clear()

    def reboot(self) -> None:
        """Start the machine again: its seconds count for nothing that was kept before."""
        self.kill_all()
        self.reboots += 1
        self.home.boot = f"boot-{self.reboots}"
        self.start()

    # --- files -------------------------------------------------------------------------------------------------------

    @property
    def _replica(self) -> str:
        return f"replica-{self.organisation}.db"

    def copy_files(self) -> None:
        """Keep a copy of both files as they are now."""
        disk.copy(self.home.folder, LEDGER_FILE, self.copies)
        disk.copy(self.home.folder, self._replica, self.copies)
        self.copied = set(self.saved) - self.lost
        self.copied_replica = (self.copies / self._replica).exists()

    def put_back(self, name: str) -> bool:
        """Put the old copy of a file in its place; False when there is none."""
        if self.copied is None or (name != LEDGER_FILE and not self.copied_replica):
            return False
        self.kill_all()
        if name == LEDGER_FILE:
            self.lost |= set(self.saved) - self.copied
            self.home.signed_in = True
        else:
            self.home.lost.clear()
        disk.put_back(self.home.folder, name, self.copies)
        self.old_copy = True
        self.start()
        return True

    def put_back_ledger(self) -> bool:
        """Put the old ledger back."""
        return self.put_back(LEDGER_FILE)

    def put_back_replica(self) -> bool:
        """Put the old replica back."""
        return self.put_back(self._replica)

    def tear(self) -> bool:
        """Damage the replica, or at times the ledger; what was only in there is gone with it."""
        self.kill_all()
        name = LEDGER_FILE if self.dice.random() < 0.2 else self._replica
        path = self.home.folder / name
        if not path.exists() or path.stat().st_size < 8192:
            self.start()
            return False
        disk.tear(path, self.dice)
        if name == LEDGER_FILE:
            self.lost |= set(self.saved)
            self.old_copy = True
        self.mend(self.start_broken())
        return True

    def start_broken(self) -> Terminal:
        """Start a terminal on files that may be damaged."""
        try:
            return self.start()
        except StoreCorrupt:
            # It opens by its first page and breaks at a later one: the doctor sets it aside with all pages checked.
            store = disk.FragileStore(self.home.folder, self.home.keys, self.clock, self._ids(), self.home.boot)
            store._open_ledger()
            store.set_aside_broken()
            store.close()
            return self.start()

    def _ids(self) -> Any:
        return self.terminals[0].ids if self.terminals else _Ids(self.dice)

    def mend(self, terminal: Terminal) -> None:
        """Let the doctor look at every page, as a user with a damaged file is told to."""
        terminal.store.plan = None
        terminal.store.set_aside_broken()
        terminal.store.db.execute("PRAGMA main.synchronous = OFF")
        self.home.lost.clear()
        self.old_copy = True

    def lose_key(self) -> None:
        """Let a wrong key meet a file: it is set aside, not destroyed, and opens again with its own."""
        name = LEDGER_FILE if self.dice.random() < 0.5 else self._replica
        self.kill_all()
        self.home.keys.wrong.add(name)
        terminal = self.start()
        aside = [found.moved_to for found in terminal.store.incidents if found.file == name]
        self.kill_all()
        self.home.keys.wrong.discard(name)
        if name == LEDGER_FILE:
            for path in aside:
                for companion in (*disk.COMPANIONS, "-shm"):
                    (self.home.folder / f"{name}{companion}").unlink(missing_ok=True)
                    moved = path.with_name(f"{path.name}{companion}")
                    if moved.exists():
                        moved.rename(self.home.folder / f"{name}{companion}")
        self.old_copy = True
        self.home.lost.clear()
        self.start()

    # --- what the user does ------------------------------------------------------------------------------------------

    def act(self, terminal: Terminal, verb: str, lease: str, schema: int = NEW_SCHEMA) -> None:
        """Give a command on some notice that is in the replica, most often through the inbox with its rules."""
        found = self._aim(terminal, "trace" if verb == "take-back" else "notice")
        if found is None:
            return
        id_, version = found
        inbox = terminal.inbox() if self.dice.random() < 0.7 else None
        self.numbers += 1
        text = f"Soitettu, {self.user} {self.numbers}"
        place = self.dice.choice([place for places in PLACES.values() for place in places])
        with _schema(schema):
            if inbox is not None:
                self._know(terminal, _give(inbox, verb, id_, text, place))
                return
            payload = {"note": {"text": text}, "transfer": {"municipality": place, "reason": "Muuttanut"}}
            draft = Draft(
                self.user, self.organisation, id_, verb, payload.get(verb, {}), {"by": self.user}, version, lease
            )
            key = terminal.ids.new()
            with terminal.store.write() as db:
                outbox.append(db, draft, id=key, now=terminal.store.clock.now())
        # Only now it is saved: a crash before the commit would have told the user so.
        self._know(terminal, Outcome(verb, (key,), (id_,), ()))

    def _aim(self, terminal: Terminal, table: str) -> tuple[str, int] | None:
        if terminal.store.organisation is None:
            return None
        with terminal.store.read() as db:
            rows = db.execute(
                f"SELECT r.id, r.version FROM replica.{table} AS r JOIN replica.scope AS s"
                " ON s.generation = r.generation ORDER BY r.id"
            ).fetchall()
        return self.dice.choice(rows) if rows else None

    def _know(self, terminal: Terminal, outcome: Outcome | None) -> None:
        if outcome is not None:
            for key, notice in zip(outcome.commands, outcome.done, strict=False):
                self._place(key, notice, outcome.verb)

    def _place(self, key: str, notice: str, verb: str) -> None:
        self.numbers += 1
        self.saved[key] = Saved(notice, verb, self.numbers)

    def claim(self, terminal: Terminal, lease: str, schema: int = NEW_SCHEMA) -> None:
        """Do something with payment claims."""
        self.claimed = self.home.heard
        with _schema(schema):
            for key, claim, verb in self.claimant.act(terminal, lease):
                self._place(key, claim, verb)

    def look(self, terminal: Terminal) -> bool:
        """Read a notice as a screen does: the list first, then one of it; False when nothing may be shown."""
        self.shown = None
        inbox = terminal.inbox()
        if inbox is None:
            return True
        try:
            ids = [line.id for line in inbox.page(Query(View.ALL))]
            if not ids:
                return True
            inbox.log_list(Query(View.ALL), len(ids))
            id_ = self.dice.choice(ids)
            found = (inbox.read if self.dice.random() < 0.6 else inbox.preview)(id_)
        except NotShown:
            terminal.forget_inbox()
            return False
        except NotAllowed:
            return True
        if found is not None:
            self.shown = Shown(id_, [note.text for note in found.notes])
        return True

    def settle(self, terminal: Terminal) -> None:
        """Do something about what needs the user: a conflict, or a command that could not be delivered."""
        office = Outbox(terminal.store, terminal.store.clock, terminal.ids)
        lines = [line for line in office.lines() if line.state in ("refused", "blocked", "undeliverable", "queued")]
        if not lines:
            return
        line = self.dice.choice(lines)
        how = self.dice.choice((office.redo, office.discard, office.reload, office.retry))
        self.claimed = self.home.heard  # what is ended by hand loses the payee's code when the feed is heard next
        if how == office.reload and line.state != "refused":
            how = office.discard
        try:
            made = how(line.id)
        except NotPossible:
            return
        for key in made or ():
            with terminal.store.read() as db:
                command = outbox.command(db, key)
            if command is not None:
                self._place(key, command.aggregate, command.verb)
        if how == office.retry and line.state == "undeliverable" and line.id in self.saved:
            self._place(line.id, line.aggregate, line.verb)


class _Ids:
    """Identifiers for a store that is open for a moment only."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def new(self) -> str:
        """Return a new identifier."""
        return f"{self._dice.getrandbits(128):032x}"

    def uniform(self, low: float, high: float) -> float:
        """Return a number."""
        return self._dice.uniform(low, high)


def _give(inbox: Inbox, verb: str, id: str, text: str, place: str) -> Outcome | None:  # noqa: A002
    try:
        if verb == "note":
            return inbox.note([id], text)
        if verb == "transfer":
            return inbox.transfer([id], place, "Muuttanut")
        if verb == "open":
            return inbox.open(id)
        return {
            "take": inbox.take,
            "release": inbox.release,
            "handle": inbox.handle,
            "reopen": inbox.reopen,
            "take-back": inbox.take_back,
        }[verb]([id])
    except NotAllowed:
        return None


@contextmanager
def _schema(number: int) -> Iterator[None]:
    """Save commands as a program of that schema does."""
    before: Final = outbox.SCHEMA
    outbox.SCHEMA = number  # type: ignore[misc]
    try:
        yield
    finally:
        outbox.SCHEMA = before  # type: ignore[misc]
