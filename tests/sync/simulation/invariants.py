"""What must hold after every step, looked at from outside: from the user's memory, the files and the record.

I1–I5, I7–I15 and the first halves of I6 and I16 are here; I3 and I13 are asked for at the quiet end (`quiet`). What
becomes of the looks that are told to the backend is in `looks`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest

from kelmu_backend.lease import OLDEST
from kelmu_tui.store import chain, details, feed, lease, outbox, sweeping, views
from kelmu_tui.store.clock import TOLERANCE
from kelmu_tui.store.outbox import State
from kelmu_tui.store.replica import microseconds
from tests.sync.simulation import claim_invariants
from tests.sync.simulation.faults import CLAIM_STATES
from tests.sync.simulation.looks import Looks
from tests.sync.simulation.player import Player
from tests.sync.simulation.record import HandClock, Record
from tests.sync.simulation.terminal import Terminal

ENDED: Final = (State.SETTLED, State.REFUSED, State.BLOCKED, State.UNDELIVERABLE, State.DISCARDED, State.REISSUED)
FORGOTTEN: Final = (State.SETTLED, State.REISSUED, State.DISCARDED)
CLOCKS: Final = timedelta(days=1)
"""How far ahead a machine's clock may be."""
_TABLES: Final = {"notices": "notice", "traces": "trace", "claims": "claim"}


class Violation(AssertionError):
    """An invariant does not hold."""


def hold(condition: bool, message: str) -> None:
    """Demand a condition.

    Raises:
        Violation: it does not hold.
    """
    if not condition:
        raise Violation(message)


@dataclass
class Stored:
    """A command as the ledger has it."""

    state: str
    number: int
    seq: int | None
    version: int | None
    epoch: str | None
    notice: str
    after: str | None
    verb: str

    @property
    def of_claim(self) -> bool:
        """Whether it is on a claim."""
        return self.verb.startswith("claim-")


@dataclass
class Seen:
    """What a user's files have shown so far."""

    epoch: str | None = None
    seq: int = -1
    checkpoint: int = -1
    old_rows: bool = False
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    filling: bool = False
    events: tuple[int, int] = (0, 0)
    chain: str | None = None
    forgotten: int = 0
    goal: tuple[str | None, int] = (None, -1)
    drafts: bool = False

    def claim_states(self) -> set[str]:
        """Return in which states claims are, as faults meet them."""
        found = {"claim_draft"} if self.drafts else set[str]()
        for command in self.stored.values():
            if command.of_claim:
                found.add("claim_pending" if command.state in claim_invariants.PENDING else f"claim_{command.state}")
        return found & {*CLAIM_STATES}

    def anew(self) -> None:
        """Expect another replica: what it shows tells nothing until it stands where this one stood.

        Nor until it has what was settled while nothing at all was granted, of which this one never heard.
        """
        settled = [one.seq or -1 for one in self.stored.values() if one.state == "settled" and one.epoch == self.epoch]
        reached = max([self.checkpoint, *settled])
        self.goal = max(self.goal, (self.epoch, reached), key=lambda goal: (goal[0] is not None, goal[1]))
        self.old_rows, self.filling = True, False
        self.epoch, self.seq, self.checkpoint, self.versions = None, -1, -1, {}


def shown(db: Any) -> dict[tuple[str, str], int]:
    """Return the version of each row that is shown, by table and id."""
    return {
        (table, id_): version
        for table in ("notice", "trace", "claim")
        for id_, version in db.execute(
            f"SELECT r.id, r.version FROM replica.{table} AS r JOIN replica.scope AS s ON s.generation = r.generation"
        )
    }


class Invariants:
    """Looks at users and record after each step."""

    def __init__(self, record: Record, players: dict[str, Player], clock: HandClock) -> None:
        self._record = record
        self._players = players
        self._clock = clock
        self.seen = {user: Seen() for user in players}
        self.looks = Looks(record)
        self._effects = 0
        self._timeline = 0
        self._done: dict[str, str] = {}
        self._last: dict[tuple[str, str], int] = {}

    def restored(self) -> None:
        """Begin to count effects anew: the record tells of them as of the backup."""
        self._effects, self._done, self._last = 0, {}, {}
        self.looks.restored()

    # --- one user ----------------------------------------------------------------------------------------------------

    def user(self, player: Player) -> None:
        """Look at a user's files, through a terminal that runs."""
        hold(sum(terminal.lock.held for terminal in player.terminals) <= 1, f"I11 {player.user}: two leaders")
        # One that still has a replica open which another one has destroyed shows what is there no more.
        terminal = next(iter(sorted(player.awake, key=lambda one: one.store._replaced())), None)
        if terminal is None:
            return
        seen = self.seen[player.user]
        if player.old_copy or seen.forgotten != player.home.keys.forgotten:
            player.old_copy, seen.forgotten = False, player.home.keys.forgotten
            seen.anew()
            seen.events, seen.chain = (0, 0), None
        with terminal.store.read() as db:
            stored = {
                row[0]: Stored(*row[1:])
                for row in db.execute(
                    "SELECT id, state, number, ack_seq, ack_version, ack_epoch, aggregate, after, verb"
                    " FROM main.command"
                )
            }
            conflicts = dict(db.execute("SELECT command, code FROM main.conflict").fetchall())
            self._saved(player, stored, seen)
            for key, command in stored.items():
                hold(command.state != "refused" or key in conflicts, f"I10 {player.user}: refused, and no conflict")
                # What is so old that nobody knows what became of it is refused for its age.
                forgotten = conflicts.get(key) == "command_expired"
                hold(
                    command.state != "refused" or forgotten or key not in self._done or self._record.undone(key),
                    f"I2 {player.user}: refused, and yet it has an effect",
                )
            self._views(player, db, seen)
            seen.drafts = db.execute("SELECT 1 FROM main.claim_draft").fetchone() is not None
            if seen.drafts or any(command.of_claim for command in stored.values()):
                wrong = claim_invariants.wrong(db, terminal, player.claimant)
                hold(not wrong, f"{player.user}: {wrong}")
            if terminal.store.organisation is not None:
                self._replica(player, terminal, db, stored, seen)
            else:
                seen.anew()
        seen.stored = stored

    def _saved(self, player: Player, stored: dict[str, Stored], seen: Seen) -> None:
        for key in player.saved:
            if key in player.lost or key in seen.ended:
                continue
            if key not in stored:
                before = seen.stored.get(key)
                forgotten = before is not None and before.state in FORGOTTEN
                hold(forgotten, f"I1 {player.user}: a saved command is gone")
                seen.ended.add(key)

    def _views(self, player: Player, db: Any, seen: Seen) -> None:
        state = db.execute("SELECT coalesce(max(number), 0), count(*) FROM main.view_event").fetchone()
        if state != seen.events:
            hold(views.verify(db) is None, f"I16 {player.user}: the chain of views is broken")
            found = chain.read(db)
            name = found.id if found is not None else None
            hold(name != seen.chain or state[0] >= seen.events[0], f"I6 {player.user}: a look is gone")
            self.looks.ledger(db)
            seen.events, seen.chain = state, name

    def _replica(self, player: Player, terminal: Terminal, db: Any, stored: dict[str, Stored], seen: Seen) -> None:
        now = feed.state(db)
        found = shown(db)
        strays = _strays(db, now)
        hold(not strays, f"I5 {player.user}: rows of no scope are left: {strays}")
        words, rows = db.execute(
            "SELECT (SELECT count(*) FROM replica.notice_text_docsize), (SELECT count(*) FROM replica.notice)"
        ).fetchone()
        hold(words == rows, f"I5 {player.user}: {words} notices in the index, {rows} in the table")
        self._purged(player, terminal, now, db)
        self._time(player, now, found, seen)
        self._complete(player, now, found, seen)
        self._flicker(player, stored, found, now, seen)
        seen.filling = now.filling

    def _purged(self, player: Player, terminal: Terminal, now: feed.FeedState, db: Any) -> None:
        lost = player.home.lost
        if lost & {scope.name for scope in now.scopes}:
            lost.clear()  # the transaction that takes it away was undone
        alone = len(player.terminals) == 1
        hold(
            not (lost and alone and terminal.settled and now.cursor is not None),
            f"I5 {player.user}: {sorted(lost)} ended, and old pages of it are still in the log",
        )
        # Until the session has heard of the end as well, the user may still give something: the next answer finds it.
        told = terminal.settled and player.home.heard > max(player.claimed, player.home.answered)
        if alone and told and now.cursor is not None and _granted(now, "claims") is None:
            hold(not (rest := claim_invariants.left(db, player.organisation)), f"C7 {player.user}: left are {rest}")

    def _time(self, player: Player, now: feed.FeedState, found: dict[tuple[str, str], int], seen: Seen) -> None:
        if now.epoch == seen.epoch:
            hold(now.seq >= seen.seq, f"I4 {player.user}: the cursor went back")
            hold(now.checkpoint >= seen.checkpoint, f"I4 {player.user}: the checkpoint went back")
        else:
            # After a restore the old rows stay on screen until the new fill stands; their versions tell nothing.
            seen.old_rows = True
        if seen.old_rows:
            there = now.epoch == self._record.epoch() and (now.epoch != seen.goal[0] or now.checkpoint >= seen.goal[1])
            seen.versions, seen.old_rows = {}, now.filling or not there
        else:
            for key, version in found.items():
                before = seen.versions.get(key, 0)
                hold(version >= before, f"I4 {player.user}: {key} fell from version {before} to {version}")
            seen.versions = dict(found)
        seen.epoch, seen.seq, seen.checkpoint = now.epoch, now.seq, now.checkpoint

    def _complete(self, player: Player, now: feed.FeedState, found: dict[tuple[str, str], int], seen: Seen) -> None:
        """I7: a scope that is not being filled shows exactly what the record held at the checkpoint."""
        held = self._record.held.get((now.epoch or "", now.checkpoint))
        if held is None or seen.old_rows:
            return
        for scope in now.scopes:
            table = _TABLES.get(scope.name.partition(":")[0])
            if table is None or scope.filling is not None:
                continue
            wanted = {id_: version for (name, id_), version in held.items() if name == scope.name}
            have = {id_: version for (name, id_), version in found.items() if name == table}
            ending = self._record.ends.notices if self._record.ends is not None else set()
            ended = self._record.dropped | ending
            # A reopened notice is over for whoever has not heard of that; the record has it still.
            gone = {one for one in wanted.keys() - have.keys() if one in ended or self._over(one, wanted[one])}
            differs = {item for item in set(wanted.items()) ^ set(have.items()) if item[0] not in gone}
            hold(not differs, f"I7 {player.user}: {scope.name} differs at checkpoint {now.checkpoint}: {differs}")

    def _over(self, id_: str, version: int) -> bool:
        over = self._record.over.get((id_, version))
        return over is not None and over <= self._clock.at + CLOCKS

    def _flicker(
        self,
        player: Player,
        stored: dict[str, Stored],
        found: dict[tuple[str, str], int],
        now: feed.FeedState,
        seen: Seen,
    ) -> None:
        # Settled means that the replica shows it by itself. A row that is not there has gone elsewhere, or waits
        # for a mandate that came back to fill it.
        if seen.old_rows:
            return
        for command in stored.values():
            row = found.get(("claim" if command.of_claim else "notice", command.notice))
            if command.state == "settled" and command.epoch == now.epoch and row is not None and command.version:
                hold(row >= command.version, f"I9 {player.user}: an own change of {command.notice} has vanished")

    # --- what is shown -----------------------------------------------------------------------------------------------

    def look(self, player: Player, terminal: Terminal) -> None:
        """Look at what a look has brought: logged before, within the lease and its own time, own changes in it."""
        if player.shown is None:
            return
        notice, notes = player.shown.notice, player.shown.notes
        with terminal.store.read() as db:
            until = lease.until(db)
            expires = db.execute("SELECT max(expires) FROM replica.notice WHERE id = ?", (notice,)).fetchone()[0]
            own = db.execute(
                "SELECT payload, state, ack_epoch FROM main.command WHERE aggregate = ? AND verb = 'note'", (notice,)
            ).fetchall()
            epoch = feed.state(db).epoch
        if player.clock.right or terminal.store.clock._anchor is not None:
            now = self._clock.at - TOLERANCE
            hold(until is not None and now <= until, f"I12 {player.user}: shown after the lease")
            hold(expires is None or expires > microseconds(now), f"I12 {player.user}: shown after its own end")
        for payload, state, known in own:
            pending = state in ("queued", "sending", "acknowledged", "blocked")
            if pending or (state == "settled" and known == epoch and not self.seen[player.user].old_rows):
                text = json.loads(payload)["text"]
                hold(text in notes, f"I9 {player.user}: an own note, {state}, is not shown")

    def claims(self, player: Player, terminal: Terminal) -> None:
        """Look at what a look at claims has brought."""
        looked = player.claimant.looked
        if looked is not None:
            with terminal.store.read() as db:
                wrong = claim_invariants.shown(db, looked, terminal.store.clock.now())
            hold(not wrong, f"C4 {player.user}: {wrong}")

    # --- the record --------------------------------------------------------------------------------------------------

    def effects(self) -> None:
        """Look at the changes that commands have made since the last time."""
        hold(not self._record.book.wrong, self._record.book.wrong)
        for effect in self._record.effects[self._effects :]:
            hold(effect.key not in self._done, f"I2 {effect.user}: two effects of one command")
            self._done[effect.key] = effect.user
            hold(
                effect.age <= OLDEST + timedelta(hours=1),
                f"I14 {effect.user}: carried out {effect.age} after its lease",
            )
            player = self._players.get(effect.user)
            # After a restore of the backend commands are offered again when others have been sent already.
            if player is None or effect.key in player.lost or effect.key not in player.saved or self._record.restored:
                continue
            place = player.saved[effect.key].place
            last = self._last.get((effect.user, effect.notice), 0)
            hold(place > last, f"I8 {effect.user}: effects out of local order")
            self._last[effect.user, effect.notice] = place
            self._predecessor(effect.user, effect.key)
        self._effects = len(self._record.effects)

    def _predecessor(self, user: str, key: str) -> None:
        stored = self.seen[user].stored
        command = stored.get(key)
        before = stored.get(command.after) if command is not None and command.after is not None else None
        hold(before is None or before.state != "refused", f"I8 {user}: an effect behind a refused command")


def _granted(now: feed.FeedState, kind: str) -> str | None:
    return next((scope.name for scope in now.scopes if scope.name.startswith(f"{kind}:")), None)


def _strays(db: Any, now: feed.FeedState) -> list[Any]:
    known = {generation for scope in now.scopes for generation in (scope.generation, scope.filling)}
    known |= set(sweeping.abandoned(db))
    found = []
    for table in ("notice", "trace", "announcement", "tombstone", "claim", "claim_body", "account"):
        rows = db.execute(f"SELECT DISTINCT generation FROM replica.{table}").fetchall()
        found += [(table, row[0]) for row in rows if row[0] not in known]
    names = {scope.name.partition(":")[0] for scope in now.scopes}
    if "notices" not in names and db.execute("SELECT 1 FROM replica.notice").fetchone():
        found.append(("notice", "without a scope"))
    return found


@contextmanager
def watched() -> Iterator[None]:
    """Hold each reading of a notice's content against the log of views: it is written down before, or not read."""
    original = details.detail

    def detail(db: Any, id: str) -> Any:  # noqa: A002
        last = db.execute("SELECT body FROM main.view_event ORDER BY number DESC LIMIT 1").fetchone()
        logged = json.loads(last[0])["subject"] if last is not None else None
        hold(logged == id, "I6: content is read before the look is written down")
        return original(db, id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(details, "detail", detail)
        yield


def quiet(player: Player, terminal: Terminal, record: Record) -> list[str]:
    """Return what is not yet as it must be once everything is connected and has had its time: I3, I5, I13."""
    if terminal.store.organisation is None:
        return [f"I3 {player.user}: nobody is signed in"]
    with terminal.store.read() as db:
        states = outbox.counts(db)
        now = feed.state(db)
        found = shown(db)
    open_ = sorted(state.value for state in states if state not in ENDED)
    told = [f"I13 {player.user}: commands without an end: {open_}"] if open_ else []
    if now.filling:
        told.append(f"I3 {player.user}: still filling")
    wanted = record.visible(player.user)
    if found != wanted:
        told.append(f"I3 {player.user}: differs in {set(found.items()) ^ set(wanted.items())}")
    held = {scope.name for scope in now.scopes}
    if held != record.scopes(player.user):
        told.append(f"I5 {player.user}: scopes {sorted(held)}")
    return told
