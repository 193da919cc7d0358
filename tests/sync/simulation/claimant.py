"""What a user does with payment claims at a terminal: through the service with its rules, or past them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.claims.life import COMMANDS, ClaimRefused, Status
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.services.claims import Claims, NotOpen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import SessionProblem
from kelmu_tui.store import claim_content, outbox
from kelmu_tui.store.claim_rows import DRAFT, ClaimFile, ClaimLine
from kelmu_tui.store.errors import NotShown
from kelmu_tui.store.outbox import Draft
from tests.sync.simulation import claims
from tests.sync.simulation.claims import ACCOUNTS, GIVEN_NAME, GROUNDS, PAYEES
from tests.sync.simulation.terminal import Terminal

ACTS: Final = ("begin", *("register",) * 3, *("give",) * 5, "undo", "mend")
_FITS: Final[Mapping[str, frozenset[str]]] = {
    "change": frozenset({Status.REGISTERED.value}),
    "cancel": frozenset({Status.REGISTERED.value}),
    "prolong": frozenset({Status.IN_HANDLING.value, Status.HEARING.value, Status.IN_FORCE.value}),
    "end": frozenset({Status.IN_FORCE.value}),
}
_REASON: Final = "assistance_situation_ended"


class Known(NamedTuple):
    """A command on a claim as the ledger has it."""

    id: str
    aggregate: str
    verb: str


class Looked(NamedTuple):
    """What a look at claims has brought: the list, and one of them whole."""

    lines: tuple[ClaimLine, ...]
    file: ClaimFile | None


class Claimant:
    """A user who makes claims.

    Attributes:
        given: what each command said when it was saved, by key.
        looked: what the last look has brought; None when nothing was shown.
    """

    def __init__(self, user: str, organisation: str, account: str, seed: int) -> None:
        self.user = user
        self.given: dict[str, str] = {}
        self.looked: Looked | None = None
        self._organisation = organisation
        self._account = account
        self._dice = random.Random(f"claims-{seed}-{user}")

    def act(self, terminal: Terminal, lease: str) -> list[Known]:
        """Do something with claims; return the commands that the ledger has since."""
        service = terminal.claims()
        if service is not None and self._dice.random() < 0.8:
            try:
                self._serve(service, terminal, self._dice.choice(ACTS))
            except (NotShown, SessionProblem):
                terminal.forget_inbox()  # the lease is over, or another terminal has signed out
            except (NotAllowed, NotOpen, ClaimRefused):
                pass
        elif terminal.store.organisation is not None:
            self._past(terminal, lease)
        return self.learn(terminal)

    def learn(self, terminal: Terminal) -> list[Known]:
        """Return the commands on claims that the user has not known of, in local order."""
        with terminal.store.read() as db:
            found = db.execute(
                "SELECT id, aggregate, verb, payload FROM main.command WHERE verb GLOB 'claim-*' ORDER BY number"
            ).fetchall()
        new = [(Known(*row), payload) for *row, payload in found if row[0] not in self.given]
        self.given |= {known.id: payload for known, payload in new}
        return [known for known, _ in new]

    def look(self, terminal: Terminal) -> bool:
        """Read the list and one of it as a screen does; False when nothing may be shown."""
        self.looked = None
        service = terminal.claims()
        if service is None:
            return True
        try:
            lines = service.lines()
            service.log_list(len(lines))
            whole = [one for one in lines if one.status != DRAFT]
            file = service.open(self._dice.choice(whole).id) if whole else None
        except (NotShown, SessionProblem):
            terminal.forget_inbox()
            return False
        except NotAllowed:
            return True
        self.looked = Looked(lines, file)
        return True

    # --- with the rules ----------------------------------------------------------------------------------------------

    def _serve(self, service: Claims, terminal: Terminal, act: str) -> None:
        dice, today = self._dice, local_date(terminal.store.clock.now())
        if act == "begin":
            self._begin(service, today)
        elif act == "register":
            self._register(service, terminal, today)
        elif act == "undo":
            keys = self._keys(terminal, "'queued', 'sending', 'acknowledged', 'settled', 'blocked', 'undeliverable'")
            if keys:
                service.take_back(keys[-dice.randrange(1, 3) :])
        elif act == "mend":
            self._mend(service, terminal)
        else:
            self._give(service)

    def _begin(self, service: Claims, today: date) -> str:
        content = claims.content(self._dice, today, self._account)
        name = f"{PAYEES[content.payee]}, {GIVEN_NAME}"
        return service.save_draft(
            None, claim=None, payee=content.payee, name=name, values={"grounds": GROUNDS, "amount": "12,50"}
        )

    def _register(self, service: Claims, terminal: Terminal, today: date) -> None:
        dice = self._dice
        content = claims.content(dice, today, self._account)
        draft = None
        if dice.random() < 0.7:
            begun = self._drafts(terminal)
            draft = dice.choice(begun) if begun and dice.random() < 0.7 else self._begin(service, today)
        name = f"{PAYEES[content.payee]}, {GIVEN_NAME}"
        service.register(content, name=name, non_disclosure=False, draft=draft)

    def _give(self, service: Claims) -> None:
        dice = self._dice
        lines = [one for one in service.lines() if one.status != DRAFT]
        fitting = {act: found for act in _FITS if (found := [one for one in lines if one.status in _FITS[act]])}
        if not lines or not fitting:
            return
        act = dice.choice(list(fitting))
        line = dice.choice(fitting[act] if dice.random() < 0.9 else lines)
        if act == "cancel":
            service.cancel([line.id])
        elif act == "end" and line.first is not None:
            service.end([line.id], line.first + timedelta(days=dice.randrange(1, 20)), _REASON)
        elif act == "prolong" and line.last is not None:
            service.prolong([line.id], line.last + timedelta(days=dice.choice((0, 10, 20))))
        elif act == "change":
            self._change(service, line.id)

    def _change(self, service: Claims, id: str) -> None:  # noqa: A002
        file = service.open(id)
        if file is None:
            return
        draft = None
        if self._dice.random() < 0.5:
            draft = service.save_draft(
                None, claim=id, payee=file.content.payee, name=file.line.name, values={"grounds": GROUNDS}
            )
        amount = (file.content.amount or Decimal(0)) + Decimal(self._dice.randrange(1, 9))
        service.change(id, replace(file.content, amount=amount), draft)

    def _mend(self, service: Claims, terminal: Terminal) -> None:
        refused = self._keys(terminal, "'refused'")
        if refused:
            draft = service.mend(self._dice.choice(refused))
            if draft is not None and self._dice.random() < 0.5:
                service.drop_draft(draft)

    # --- past the rules ----------------------------------------------------------------------------------------------

    def _past(self, terminal: Terminal, lease: str) -> None:
        """Save a command that no rule has looked at, as a program with a mistake would."""
        dice, now = self._dice, terminal.store.clock.now()
        with terminal.store.read() as db:
            rows = db.execute(
                "SELECT r.id, r.version, r.name FROM replica.claim AS r JOIN replica.scope AS s"
                " ON s.generation = r.generation ORDER BY r.id"
            ).fetchall()
            held = db.execute("SELECT 1 FROM replica.scope WHERE name GLOB 'claims:*'").fetchone()
        if held is None:
            return
        verb = dice.choice(COMMANDS)
        id_, version, name = terminal.ids.new(), 0, f"{PAYEES['010190-9112']}, {GIVEN_NAME}"
        if rows and (verb != "register" or dice.random() < 0.2):
            id_, version, name = dice.choice(rows)
        elif verb != "register":
            return
        content = claims.content(dice, local_date(now), self._account)
        day = content.first + timedelta(days=dice.randrange(150))
        payload: dict[str, Any] = {}
        if verb in ("register", "change"):
            payload = claim_content.to_payload(content)
        elif verb in ("prolong", "end"):
            payload = {"last": day.isoformat(), "reason": _REASON}
        label = {"customer": name, "by": self.user}
        draft = Draft(self.user, self._organisation, id_, f"claim-{verb}", payload, label, version, lease)
        with terminal.store.write() as db:
            outbox.append(db, draft, id=terminal.ids.new(), now=now)

    # --- inside ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _keys(terminal: Terminal, states: str) -> list[str]:
        with terminal.store.read() as db:
            return [
                row[0]
                for row in db.execute(
                    f"SELECT id FROM main.command WHERE verb GLOB 'claim-*' AND state IN ({states}) ORDER BY number"
                )
            ]

    @staticmethod
    def _drafts(terminal: Terminal) -> list[str]:
        with terminal.store.read() as db:
            return [row[0] for row in db.execute("SELECT id FROM main.claim_draft WHERE claim IS NULL ORDER BY id")]


def accounts(organisations: Iterable[str]) -> dict[str, str]:
    """Return the account of each organisation."""
    return dict(zip(sorted(set(organisations)), ACCOUNTS, strict=False))


def said(payload: str) -> dict[str, Any]:
    """Return what a command says."""
    return dict(json.loads(payload))
