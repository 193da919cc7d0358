"""What the user can do with own commands: look at them, send now, end them, and settle a conflict.

Synchronous, over the local store; what has to reach the backend afterwards goes by the sync.
"""

from __future__ import annotations

from typing import Final

from kelmu_tui.domain.documents import VERBS as DOCUMENTS
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import copies, drafts, endings, feed, lease, verbs
from kelmu_tui.store.database import Store
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.errors import NotShown
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import CommandLine

ATTENTION: Final = (State.BLOCKED, State.UNDELIVERABLE)
"""States besides a refusal in which a command waits for the user."""


class Outbox:
    """The outbox of the signed-in user."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    def lines(self, *, limit: int = 500) -> list[CommandLine]:
        """Return drafts and commands, those that need the user first."""
        with self._store.read() as db:
            commands, begun = endings.lines(db, limit=limit), drafts.lines(db, self._clock.now())
        if not self._shown():
            commands = [_nameless(line) for line in commands]
        urgent = sum(1 for line in commands if line.conflict is not None or line.state in ATTENTION)
        return [*commands[:urgent], *begun, *commands[urgent:]]

    def line(self, command: str) -> CommandLine | None:
        """Return one command or draft."""
        with self._store.read() as db:
            found = endings.line(db, command) or drafts.line(db, command, self._clock.now())
        return found if found is None or self._shown() else _nameless(found)

    def behind(self, command: str) -> list[CommandLine]:
        """Return the blocked commands that stand behind one: `redo` takes them along, `discard` leaves them."""
        with self._store.read() as db:
            found = [endings.line(db, follower.id) for follower in endings.chain(db, command)]
        return [line for line in found if line is not None]

    def retry(self, command: str) -> None:
        """Make a waiting or undeliverable command due now.

        Raises:
            NotPossible: it does not wait.
        """
        self._no_draft(command)
        with self._store.write() as db:
            found = endings.retry(db, command)
            self._store.changed("command", *_also(found.verb), keys=(found.aggregate,))

    def retry_all(self) -> int:
        """Make everything that waits due now; return how many commands."""
        with self._store.write() as db:
            count = endings.retry_all(db)
            self._store.changed("command", "sending")
        return count

    def discard(self, command: str) -> None:
        """End a command; what stands behind it stays, blocked or moved up. A draft is destroyed.

        Raises:
            NotPossible: it is under way (`maybe_applied`) or has ended.
        """
        with self._store.write() as db:
            if drafts.discard(db, command):
                self._store.changed("command")
                return
        self._end(command, "discarded")

    def reload(self, command: str) -> None:
        """End a refused command in favour of what stands in the record now.

        Raises:
            NotPossible: it is not refused.
        """
        found = self.line(command)
        if found is None or found.conflict is None:
            raise NotPossible("unknown" if found is None else "state")
        self._end(command, "reloaded")

    def redo(self, command: str) -> list[str]:
        """Give a refused or blocked command again on the notice as it is now, with all that stands behind it.

        Returns:
            Ids of the new commands.

        Raises:
            NotPossible: it is neither refused nor blocked.
        """
        found = self.line(command)
        if found is None:
            raise NotPossible("unknown")
        self._no_draft(command)
        version, lease = self._present(found)
        with self._store.write() as db:
            made = endings.redo(db, command, version=version, lease=lease, ids=self._ids, now=self._clock.now())
            self._store.changed("command", "conflict", *_also(found.verb), keys=(found.aggregate,))
        return made

    def _shown(self) -> bool:
        """Tell whether customers and rows of the backend may be told: what the user wrote always may."""
        try:
            lease.check(self._store)
        except NotShown:
            return False
        return True

    def _no_draft(self, command: str) -> None:
        found = self.line(command)
        if found is not None and found.state == drafts.STATE:
            raise NotPossible("state")

    def _end(self, command: str, how: str) -> None:
        with self._store.write() as db:
            found = endings.discard(db, command, self._clock.now(), ended=how)
            self._store.changed("command", "conflict", *_also(found.verb), keys=(found.aggregate,))
        if found.verb in DOCUMENTS:
            copies.tidy(self._store)

    def _present(self, found: CommandLine) -> tuple[int | None, str | None]:
        """Return the version the replica shows of what the command is on, and the newest lease."""
        if self._store.organisation is None:
            return None, None
        table = verbs.table(found.verb)
        with self._store.read() as db:
            row = db.execute(
                f"SELECT max(r.version) FROM replica.{table} AS r"  # noqa: S608
                " JOIN replica.scope AS s ON s.generation = r.generation WHERE r.id = ?",
                (found.aggregate,),
            ).fetchone()
            return row[0], feed.state(db).lease


def _also(verb: str) -> tuple[str, ...]:
    """Return what else shows what becomes of a command: the copies of its documents have a state of their own."""
    return ("sending",) if verb in DOCUMENTS else ()


def _nameless(line: CommandLine) -> CommandLine:
    label = {key: value for key, value in line.label.items() if key != "customer"}
    conflict = None if line.conflict is None else line.conflict._replace(current=None)
    return line._replace(label=label, conflict=conflict)
