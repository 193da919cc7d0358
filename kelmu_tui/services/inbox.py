"""The inbox: what a worker can see of Kela's notices and do with them, from the local store alone.

Every method is one unit of work on the store's thread. Commands are saved in the outbox and shown at once; sync
carries them. Content leaves through `read` and `preview` only, which first commit who looks at what.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.capabilities import NOTICE_TRANSFER, NOTICES_INBOX
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.notices import (
    Actor,
    AddNote,
    Command,
    Handle,
    Kind,
    NoticeState,
    Open,
    Refusal,
    Refused,
    Release,
    Reopen,
    Status,
    Take,
    TakeBack,
    Transfer,
    decide,
)
from kelmu_tui.domain.text import clean
from kelmu_tui.domain.transfer import Target, find_target, transfer_options
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import chain, details, drafts, endings, lease, notices, outbox, overlay, traces, views
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.store.rows import (
    ActiveSession,
    Key,
    NoticeDetail,
    NoticeLine,
    Outcome,
    Query,
    TraceLine,
    View,
)

UNIT: Final = 200
"""Notices of one bulk command that are saved in one transaction, so that no transaction keeps others waiting."""
SAME_LOOK: Final = timedelta(minutes=5)
"""A notice painted again this soon after, with nothing looked at between, is still the same look."""
_REVERSE: Final = {"take": "release", "release": "take", "handle": "reopen", "reopen": "handle"}


class NotAllowed(PermissionError):
    """The mandates do not open what was asked; `capability` names it."""

    def __init__(self, capability: str) -> None:
        super().__init__(capability)
        self.capability = capability


class CannotUndo(ValueError):
    """What `verb` did cannot be taken back: it is on its way to the team and stays written."""

    def __init__(self, verb: str) -> None:
        super().__init__(verb)
        self.verb = verb


class _Shown(NamedTuple):
    """A notice as commands see it: its state with everything pending, the version to build on, what to call it."""

    state: NoticeState
    version: int
    label: Mapping[str, Any]


class Inbox:
    """The inbox of one user in one organisation."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._session = session
        self._clock = clock
        self._ids = ids
        self._last_look: tuple[str, str, datetime] | None = None

    # --- lists -------------------------------------------------------------------------------------------------------

    def page(
        self, query: Query, *, after: Key | None = None, before: Key | None = None, limit: int = 50
    ) -> list[NoticeLine] | list[TraceLine]:
        """Return up to `limit` rows after or before a place, or from the beginning: notices, or traces in that view."""
        query = self._whole(query)
        with lease.within(self._store) as db:
            if query.view is View.TRANSFERRED:
                return traces.trace_page(db, query, after=after, before=before, limit=limit)
            return notices.page(db, query, after=after, before=before, limit=limit)

    def count(self, query: Query) -> int:
        """Return how many rows `query` has."""
        with lease.within(self._store) as db:
            return self._count(db, self._whole(query))

    def counts(self) -> dict[View, int]:
        """Return how many rows each view has, without a filter."""
        with lease.within(self._store) as db:
            return {view: self._count(db, self._whole(Query(view))) for view in View}

    def rank(self, query: Query, id: str) -> int | None:  # noqa: A002
        """Return how many rows stand before the notice `id`; None when it is not in the list."""
        query = self._whole(query)
        with lease.within(self._store) as db:
            if query.view is View.TRANSFERRED:
                return traces.trace_rank(db, query, id)
            return notices.rank(db, query, id)

    def lines(self, query: Query, ids: Iterable[str]) -> list[NoticeLine] | list[TraceLine]:
        """Return those of `ids` that are in the list now, in the order of `ids`."""
        query = self._whole(query)
        with lease.within(self._store) as db:
            if query.view is View.TRANSFERRED:
                return traces.trace_lines(db, query, ids)
            return notices.lines(db, query, ids)

    def key(self, query: Query, line: NoticeLine | TraceLine) -> Key:
        """Return the place of a row in the order of `query`, to page on from."""
        return traces.trace_key(query, line) if isinstance(line, TraceLine) else notices.key(query, line)

    def log_list(self, query: Query, count: int) -> None:
        """Log that a list of `count` names was opened or filtered; before it is shown."""
        self._log(f"list:{query.view.value}" if not query.text else f"list:{query.view.value}:filtered", None, count)

    # --- content -----------------------------------------------------------------------------------------------------

    def read(self, id: str) -> NoticeDetail | None:  # noqa: A002
        """Return a notice whole, after committing that it is looked at; None when it is not held (any more)."""
        return self._look("notice", id)

    def preview(self, id: str) -> NoticeDetail | None:  # noqa: A002
        """Return a notice for the preview beside the list, logged as such."""
        return self._look("preview", id)

    def _look(self, view: str, id: str) -> NoticeDetail | None:  # noqa: A002
        self._need(NOTICES_INBOX)
        with lease.within(self._store) as db:
            held = bool(notices.any_lines(db, [id]))
        if not held:
            return None
        last, now = self._last_look, self._clock.now()
        if last is None or last[:2] != (view, id) or not timedelta(0) <= now - last[2] < SAME_LOOK:
            self._log(view, id, 1)
            self._last_look = (view, id, now)
        with lease.within(self._store) as db:
            return details.detail(db, id)

    def _log(self, view: str, subject: str | None, rows: int) -> None:
        with self._store.read() as db:
            heard = details.data_at(db)
        at, user = self._clock.now(), self._session.user_id
        with self._store.write() as db:
            chain.ensure(db, self._ids)
            views.log(db, views.ViewEvent(at, user, self._own, view, subject, rows, heard))
            self._store.changed("view_event", keys=(view,))
        self._last_look = None

    # --- commands ----------------------------------------------------------------------------------------------------

    def take(self, ids: Sequence[str]) -> Outcome:
        """Make notices mine."""
        return self._give("take", ids, lambda _: Take())

    def release(self, ids: Sequence[str]) -> Outcome:
        """Give notices back to the team."""
        return self._give("release", ids, lambda _: Release())

    def handle(self, ids: Sequence[str]) -> Outcome:
        """Mark notices handled."""
        return self._give("handle", ids, lambda _: Handle())

    def reopen(self, ids: Sequence[str]) -> Outcome:
        """Take back that notices are handled."""
        return self._give("reopen", ids, lambda _: Reopen())

    def open(self, id: str) -> Outcome:  # noqa: A002
        """Tell that the content was read; nothing is saved when that is known already."""
        return self._give("open", [id], lambda _: Open())

    def note(self, ids: Sequence[str], text: str) -> Outcome:
        """Write a note for the team to each notice."""
        text = clean(text, multiline=True)
        return self._give("note", ids, lambda _: AddNote(text), {"text": text})

    def targets(self, ids: Sequence[str]) -> tuple[Target, ...]:
        """Return the places that every one of the notices may be transferred to, own organisation first."""
        with lease.within(self._store) as db:
            found = [shown.state for id_ in dict.fromkeys(ids) if (shown := self._shown(db, id_)) is not None]
        places = {(state.kind, state.organisation, state.municipality) for state in found}
        if not places:
            return ()
        first, *others = (transfer_options(*place, self._today()) for place in sorted(places))
        common = set(first).intersection(*others)
        return tuple(target for target in first if target in common)

    def transfer(self, ids: Sequence[str], municipality: str, reason: str) -> Outcome:
        """Move notices to a municipality (code); each for which the rules know no such target is refused."""
        self._need(NOTICE_TRANSFER)
        reason = clean(reason, multiline=True)
        on = self._today()

        def command(state: NoticeState) -> Command:
            if state.organisation != self._own:
                raise Refused(Refusal.TRANSFERRED)
            if state.municipality == municipality:
                raise Refused(Refusal.SAME_RECIPIENT)
            target = find_target(state.kind, state.organisation, state.municipality, municipality, on)
            if target is None:
                raise Refused(Refusal.ILLEGAL_TARGET)
            return Transfer(target.organisation.business_id, municipality, reason)

        return self._give("transfer", ids, command, {"municipality": municipality, "reason": reason})

    def take_back(self, ids: Sequence[str]) -> Outcome:
        """Undo own transfers that the receivers have not opened."""
        self._need(NOTICE_TRANSFER)
        return self._give("take-back", ids, lambda _: TakeBack())

    # --- undoing -----------------------------------------------------------------------------------------------------

    def undo(self, outcome: Outcome) -> Outcome:
        """Take back what a command did: what was never sent is dropped, for the rest the reverse command is saved.

        `done` are the notices for which that worked, `commands` the reverse commands among them.

        Raises:
            CannotUndo: the verb has no reverse and at least one of its commands is on its way.
        """
        dropped, left = self._drop_unsent(outcome)
        if not left:
            return Outcome("undo", (), tuple(dropped), ())
        if outcome.verb == "transfer":
            parts = self._undo_transfers(left, dict(outcome.arguments).get("reason", ""))
        elif outcome.verb in _REVERSE:
            given: Callable[[Sequence[str]], Outcome] = getattr(self, _REVERSE[outcome.verb])
            parts = [given([command.aggregate for command in left])]
        elif dropped:
            parts = []
        else:
            raise CannotUndo(outcome.verb)
        return Outcome(
            "undo",
            tuple(id_ for part in parts for id_ in part.commands),
            (*dropped, *(id_ for part in parts for id_ in part.done)),
            tuple(refused for part in parts for refused in part.refused),
        )

    def _drop_unsent(self, outcome: Outcome) -> tuple[list[str], list[outbox.Command]]:
        """Discard the commands of `outcome` that nobody has seen; return their notices and the other commands."""
        dropped: list[str] = []
        left: list[outbox.Command] = []
        with self._store.write() as db:
            for id_ in outcome.commands:
                command = outbox.command(db, id_)
                if command is None or command.state in (State.DISCARDED, State.REISSUED, State.REFUSED):
                    continue
                pending = outbox.pending(db, command.organisation, [command.aggregate])
                # With another command behind it, dropping it would pull the ground from under that one.
                last = bool(pending) and pending[-1].id == id_
                if last and command.state is State.QUEUED and command.body is None:
                    endings.discard(db, id_, self._clock.now())
                    dropped.append(command.aggregate)
                else:
                    left.append(command)
            if dropped:
                self._store.changed("command", keys=dropped)
        return dropped, left

    def _undo_transfers(self, left: Iterable[outbox.Command], reason: str) -> list[Outcome]:
        away: list[str] = []
        inside: dict[str, list[str]] = {}
        for command in left:
            if command.label.get("to_organisation") == self._own:
                inside.setdefault(str(command.label["municipality"]), []).append(command.aggregate)
            else:
                away.append(command.aggregate)
        parts = [self.transfer(ids, municipality, reason) for municipality, ids in inside.items()]
        return [*parts, self.take_back(away)] if away else parts

    # --- inside ------------------------------------------------------------------------------------------------------

    def _give(
        self,
        verb: str,
        ids: Sequence[str],
        make: Callable[[NoticeState], Command],
        arguments: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Judge `verb` on each notice as it is shown and save what the rules allow."""
        self._need(NOTICES_INBOX)
        payload = dict(arguments or {})
        wanted = list(dict.fromkeys(ids))
        commands: list[str] = []
        done: list[str] = []
        refused: list[tuple[str, Refusal]] = []
        for start in range(0, len(wanted), UNIT):
            with self._store.write() as db:
                # All are judged before the first is saved: each saved command makes the overlay old.
                judged = [(id_, self._judge(db, id_, make)) for id_ in wanted[start : start + UNIT]]
                good = [(id_, answer) for id_, answer in judged if isinstance(answer, _Shown)]
                commands.extend(self._save(db, verb, id_, answer, payload) for id_, answer in good)
                saved = [id_ for id_, _ in good]
                if saved:
                    drafts.given(db, drafts.Owner(self._session.user_id, self._own, verb), saved, payload)
                    self._store.changed("command", keys=saved)
            done.extend(saved)
            refused.extend((id_, answer) for id_, answer in judged if isinstance(answer, Refusal))
        return Outcome(verb, tuple(commands), tuple(done), tuple(refused), tuple(payload.items()))

    def _judge(self, db: Any, id: str, make: Callable[[NoticeState], Command]) -> _Shown | Refusal | None:  # noqa: A002
        """Return the notice when the command changes it, the reason when a rule refuses, None when nothing changes."""
        shown = self._shown(db, id)
        if shown is None:
            return Refusal.TRANSFERRED
        try:
            command = make(shown.state)
            after = decide(shown.state, command, self._actor, self._clock.now())
        except Refused as refusal:
            return refusal.reason
        if after == shown.state:
            return None
        if isinstance(command, Transfer):
            to = {"to_organisation": command.organisation, "to_municipality": command.municipality}
            return shown._replace(label={**shown.label, **to})
        return shown

    def _save(self, db: Any, verb: str, id: str, shown: _Shown, payload: dict[str, str]) -> str:  # noqa: A002
        session = self._session
        draft = Draft(session.user_id, self._own, id, verb, payload, shown.label, shown.version, session.lease)
        return outbox.append(db, draft, id=self._ids.new(), now=self._clock.now())

    def _shown(self, db: Any, id: str) -> _Shown | None:  # noqa: A002
        """Return a notice that is held, or that was given away and left a trace."""
        effect = overlay.effect(db, overlay.frame(db), id)
        if effect is not None:
            about = {"by": self._session.user_name, "municipality": effect.state.municipality}
            return _Shown(effect.state, effect.base_version, overlay.summary(db, id) | about)
        trace = traces.trace(db, id)
        if trace is None or trace.state == "taken_back":
            return None
        return _Shown(_state_of(trace, self._own), trace.version, self._trace_label(trace))

    def _trace_label(self, trace: TraceLine) -> dict[str, Any]:
        return {
            "kind": trace.kind.value,
            "urgent": trace.urgent,
            "due": trace.due.isoformat(),
            "municipality": trace.to_municipality,
            "by": self._session.user_name,
        }

    @property
    def _own(self) -> str:
        return self._session.organisation.business_id

    @property
    def _actor(self) -> Actor:
        return Actor(self._session.user_id, self._session.user_name, self._own)

    def _today(self) -> date:
        return local_date(self._clock.now())

    def _whole(self, query: Query) -> Query:
        """Put in what the session and the clock know."""
        user, day = query.user or self._session.user_id, query.day
        return query._replace(user=user, day=self._today() if day == date.max else day)

    def _count(self, db: Any, query: Query) -> int:
        return traces.trace_count(db, query) if query.view is View.TRANSFERRED else notices.count(db, query)

    def _need(self, capability: str) -> None:
        if capability not in self._session.capabilities:
            raise NotAllowed(capability)


def _state_of(trace: TraceLine, own: str) -> NoticeState:
    """Return what a trace tells of the notice's state, enough for judging a take-back."""
    return NoticeState(
        kind=Kind(trace.kind),
        status=Status.NEW,
        organisation=trace.to_organisation,
        municipality=trace.to_municipality,
        version=trace.version,
        transferred_from=own if trace.state == "sent" else None,
    )
