"""Saving commands on claims: what the rules allow goes into the outbox, and what was not sent yet comes back.

Whether a claim says what it may is judged before, by whoever calls (`services.claims`); here are its states alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.life import (
    OPEN,
    Cancel,
    ClaimState,
    Command,
    Register,
    allows,
    decide,
)
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.claim_typing import texts
from kelmu_tui.store import claim_content, claim_drafts, claims, endings, outbox
from kelmu_tui.store.claim_drafts import Owner
from kelmu_tui.store.claim_rows import ClaimDraft, ClaimLine
from kelmu_tui.store.claims import Frame, Known
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.store.rows import ActiveSession

REGISTER: Final = "claim-register"
CHANGE: Final = "claim-change"
CANCEL: Final = "claim-cancel"
_UNSENT: Final = frozenset({State.QUEUED, State.BLOCKED, State.UNDELIVERABLE})
_SENT: Final = frozenset({State.QUEUED, State.SENDING, State.ACKNOWLEDGED, State.SETTLED})
Make = Callable[[ClaimState], Command]


class NotOpen(ValueError):
    """There is no such claim, or it is over."""


class Giver:
    """Saves commands of one user for one organisation."""

    def __init__(
        self, store: Store, session: ActiveSession, clock: Clock, ids: Ids, frame: Callable[[], Frame]
    ) -> None:
        self._store = store
        self._session = session
        self._clock = clock
        self._ids = ids
        self._frame = frame
        self._owner = Owner(session.user_id, session.organisation.business_id)

    def register(self, content: Content, *, name: str, non_disclosure: bool, draft: str | None) -> str:
        """Make a claim of its draft; return the id of the command."""
        decide(None, Register(content), self._frame().day)
        label = self._label(name, non_disclosure, mask(content.payee), content)
        claim = self._ids.new()
        with self._store.write() as db:
            payload = claim_content.to_payload(content) | self._take_draft(db, draft)
            command = self._append(db, claim, REGISTER, payload, label, 0)
            self._store.changed("command", "conflict", "claim", "claim_draft", keys=(claim,))
        return command

    def decided(self, id: str, make: Make) -> tuple[Command, ClaimState, ClaimState]:  # noqa: A002
        """Return a command on a claim, the claim as it is shown, and what the command makes of it.

        Raises:
            NotOpen: there is no such claim, or it is over.
            ClaimRefused: its state does not allow it.
        """
        with self._store.read() as db:
            command, after, known = self._decided(db, id, make)
        return command, known.state, after

    def give(self, ids: Sequence[str], verb: str, make: Make, draft: str | None) -> list[str]:
        """Save a command on each of these claims, or none; return their ids.

        Raises:
            NotOpen, ClaimRefused: as `decided`; nothing is saved.
        """
        given = []
        with self._store.write() as db:
            # Judged in the transaction that saves them, and all before the first is saved.
            judged = [(id_, *self._decided(db, id_, make)) for id_ in ids]
            typed = self._take_draft(db, draft)
            for id_, command, after, known in judged:
                line = known.line
                payload = claim_content.command_payload(command) | typed
                said = replace(after.content, last=after.until)
                label = self._label(line.name, line.non_disclosure, line.masked_code, said)
                given.append(self._append(db, id_, verb, payload, label, line.version))
            self._store.changed("command", "conflict", "claim", "claim_draft", keys=ids)
        return given

    def keep(
        self,
        draft: str | None,
        claim: str | None,
        payee: str,
        name: str,
        values: Mapping[str, str],
        base: Mapping[str, str] | None,
    ) -> str:
        """Keep a draft, in the place of one or as a new one; return its id. It is written only when it differs."""
        id_, now, organisation = draft or self._ids.new(), self._clock.now(), self._owner.organisation
        with self._store.read() as db:
            before = claim_drafts.find(db, self._owner, id_, now)
            said = before.base if before is not None else None
            if base is not None or said is None:
                said = dict(base) if base is not None else self._said(db, claim)
        kept = ClaimDraft(id_, claim, payee, name, dict(values), now, said)
        if before is not None and before._replace(at=now) == kept:
            return id_
        with self._store.write() as db:
            ended = claim_drafts.end_refused(db, organisation, id_, now)
            claim_drafts.save(db, self._owner, kept)
            claim_drafts.sweep(db, now)
            self._store.changed("claim_draft", *(("command", "conflict") if ended else ()), keys=(id_,))
        return id_

    def _said(self, db: Any, claim: str | None) -> dict[str, str] | None:
        """Return the texts of a claim as it is now, None without one."""
        known = None if claim is None else claims.known(db, self._frame(), claim)
        return None if known is None else texts(known.state.content)

    def take_back(self, commands: Iterable[str]) -> int:
        """Undo commands, the last first; return for how many that worked."""
        done: list[str] = []
        with self._store.write() as db:
            for id_ in reversed(list(dict.fromkeys(commands))):
                command = outbox.command(db, id_)
                if command is not None and command.organisation == self._owner.organisation:
                    done += [command.aggregate] if self._take_back(db, command) else []
            if done:
                self._store.changed("command", "conflict", "claim", "claim_draft", keys=done)
        return len(done)

    def mend(self, id: str) -> str | None:  # noqa: A002
        """Return the id of a draft with what a refused registration or change says, None when it is neither."""
        with self._store.write() as db:
            command = outbox.command(db, id)
            if command is None or command.state is not State.REFUSED or command.verb not in (REGISTER, CHANGE):
                return None
            if command.verb == REGISTER:
                return command.aggregate
            draft = self._ids.new()
            kept = ClaimDraft(
                draft,
                command.aggregate,
                str(command.payload["payee"]),
                str(command.label.get("customer", "")),
                claim_content.typed(command.payload),
                self._clock.now(),
                command.payload.get("base"),
            )
            claim_drafts.save(db, self._owner, kept)
            endings.discard(db, id, self._clock.now(), ended="redone")
            self._store.changed("command", "conflict", "claim", "claim_draft", keys=(command.aggregate,))
        return draft

    # --- inside ------------------------------------------------------------------------------------------------------

    def _decided(self, db: Any, id: str, make: Make) -> tuple[Command, ClaimState, Known]:  # noqa: A002
        known = claims.known(db, self._frame(), id)
        if known is None or known.state.status not in OPEN:
            raise NotOpen
        command = make(known.state)
        return command, decide(known.state, command, self._frame().day), known

    def _take_back(self, db: Any, command: outbox.Command) -> bool:
        behind = self._behind(db, command)
        if command.state in _UNSENT and command.body is None:
            if command.verb != REGISTER and behind:
                return False  # dropping it would pull the ground from under those
            for one in (*reversed(behind), command):
                endings.discard(db, one.id, self._clock.now())
            self._restore(db, command)
            return True
        if command.verb != REGISTER or command.state not in _SENT:
            return False
        known = claims.known(db, self._frame(), command.aggregate)
        if known is None or not allows(known.state.status, Cancel):
            return False
        self._append(db, command.aggregate, CANCEL, {}, command.label, known.line.version)
        return True

    def _behind(self, db: Any, command: outbox.Command) -> list[outbox.Command]:
        pending = outbox.pending(db, command.organisation, [command.aggregate])
        return [one for one in pending if one.number > command.number]

    def _restore(self, db: Any, command: outbox.Command) -> None:
        """Make a draft again of what a command says that was never sent: nothing that was typed is lost."""
        if command.verb not in (REGISTER, CHANGE) or (command.verb == CHANGE and "typed" not in command.payload):
            return
        kept = ClaimDraft(
            str(command.payload.get("draft") or self._ids.new()),
            command.aggregate if command.verb == CHANGE else None,
            str(command.payload["payee"]),
            str(command.label.get("customer", "")),
            claim_content.typed(command.payload),
            self._clock.now(),
            command.payload.get("base"),
        )
        claim_drafts.save(db, self._owner, kept)

    def _take_draft(self, db: Any, draft: str | None) -> dict[str, Any]:
        """Drop a draft and return what a payload keeps of it: neither goes on the wire."""
        if draft is None:
            return {}
        now = self._clock.now()
        found = claim_drafts.find(db, self._owner, draft, now)
        found = found or claim_drafts.refused(db, self._owner.organisation, draft)
        claim_drafts.drop(db, self._owner, draft)
        claim_drafts.end_refused(db, self._owner.organisation, draft, now)
        return {} if found is None else {"draft": draft, "typed": found.values, "base": found.base}

    def _label(self, name: str, non_disclosure: bool, masked: str, said: Content | ClaimLine) -> dict[str, Any]:
        return {
            "customer": name,
            "masked_code": masked,
            "non_disclosure": non_disclosure,
            "benefit": said.benefit,
            "first": claim_content.text(said.first),
            "last": claim_content.text(said.last),
            "amount": claim_content.text(said.amount),
            "by": self._session.user_name,
        }

    def _append(
        self, db: Any, claim: str, verb: str, payload: Mapping[str, Any], label: Mapping[str, Any], version: int
    ) -> str:
        session = self._session
        draft = Draft(session.user_id, self._owner.organisation, claim, verb, payload, label, version, session.lease)
        return outbox.append(db, draft, id=self._ids.new(), now=self._clock.now())
