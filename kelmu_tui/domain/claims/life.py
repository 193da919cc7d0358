"""The life of a claim: its states, the commands on it, and what each makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kelmu_tui.domain.claims.catalogue import SOCIAL_ASSISTANCE, end_reasons
from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.days import latest_day


class Status(StrEnum):
    """States of a claim that Kela has; before that it is a draft of the user's own."""

    REGISTERED = "registered"
    IN_HANDLING = "in_handling"
    HEARING = "hearing"
    IN_FORCE = "in_force"
    REJECTED = "rejected"
    ENDED = "ended"
    CANCELLED = "cancelled"


OPEN: Final = frozenset({Status.REGISTERED, Status.IN_HANDLING, Status.HEARING, Status.IN_FORCE})
"""States in which something is still to come."""

IN_FILE: Final[Mapping[str, str]] = MappingProxyType(
    {
        Status.REGISTERED: "received",
        Status.IN_HANDLING: "received",
        Status.HEARING: "received",
        Status.IN_FORCE: "in_force",
        Status.REJECTED: "rejected",
        Status.ENDED: "ended",
    }
)
"""How a claim stands in the payee's file, which knows less of it; a cancelled one does not."""

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "claim-register": "register",
        "claim-change": "change",
        "claim-prolong": "prolong",
        "claim-end": "end",
        "claim-cancel": "cancel",
    }
)
"""The commands on claims: their name in the outbox, and on the wire."""
COMMANDS: Final = tuple(VERBS.values())


EVENTS: Final = (*COMMANDS, "in_handling", "hearing", "in_force", "rejected", "ended", "paid")
"""What happens to claims: the commands, and what Kela does."""


class Rejection(StrEnum):
    """Why Kela rejects a claim (assumption: no public page lists the reasons)."""

    NO_BENEFIT = "no_benefit"
    """The payee has no right to the benefit, or it is not in payment."""
    AFTER_DECISION = "after_decision"
    """The assistance was granted after Kela's decision."""
    NO_CARE = "no_care"
    """The payee is not in such care for the time."""
    EARLIER_CLAIM = "earlier_claim"
    """Another claim on the benefit comes first."""
    EMPLOYER = "employer"
    """The benefit goes to an employer who pays wages for the time."""
    PAYEE_HEARD = "payee_heard"
    """What the payee said when heard speaks against it."""


class ClaimRefusal(StrEnum):
    """Stable reasons besides the rules of the catalogue (whose ids are told instead) why a command is refused."""

    REGISTERED = "claim_registered"
    """The id is in use."""
    STATE = "claim_state"
    """The claim is not in a state that allows it."""
    LAST_DAY = "claim_last_day"
    """The new last day is not later (prolong), or does not lie within the claim (end)."""
    END_REASON = "claim_end_reason"
    """The reason is not of the catalogue."""
    PAYEE = "claim_payee"
    """Nobody has the identity code, or the user has not looked the payee up."""
    ACCOUNT = "claim_account"
    """The account is not one of the organisation's."""
    FIXED = "claim_fixed"
    """A change is about another payee or another basis, which makes it another claim."""


class ClaimRefused(ValueError):
    """A rule refuses a command on a claim; `rule` is a `ClaimRefusal` or the id of a rule of the catalogue."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Register:
    """Make a claim; there is none of this id yet."""

    content: Content


@dataclass(frozen=True, slots=True)
class Change:
    """Say something else, which is possible until Kela handles the claim; payee and basis stay."""

    content: Content


@dataclass(frozen=True, slots=True)
class Prolong:
    """Let the claim last until a later day.

    Until further notice it cannot be prolonged: its sum is one for the whole time and would become one a month. That
    is a claim of its own.
    """

    last: date


@dataclass(frozen=True, slots=True)
class End:
    """Tell that the ground has ended: last day and reason (`catalogue.end_reasons`)."""

    last: date
    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take the claim back before Kela handles it."""


Command = Register | Change | Prolong | End | Cancel


@dataclass(frozen=True, slots=True)
class ClaimState:
    """The part of a claim that commands change.

    Attributes:
        ended_on: the last day that was told with the reason; at least until it has passed the claim is in force.
    """

    status: Status
    content: Content
    version: int
    end_reason: str | None = None
    ended_on: date | None = None

    @property
    def until(self) -> date | None:
        """The last day: the one that was told with the end, else that of the claim; None until further notice.

        The end leaves the content as it is: a sum that is claimed a month stays one a month.
        """
        return self.content.last if self.ended_on is None else self.ended_on


_ALLOWED: Final[Mapping[type[Command], frozenset[Status]]] = MappingProxyType(
    {
        Change: frozenset({Status.REGISTERED}),
        Prolong: frozenset({Status.IN_HANDLING, Status.HEARING, Status.IN_FORCE}),
        End: frozenset({Status.IN_FORCE}),
        Cancel: frozenset({Status.REGISTERED}),
    }
)


def allows(status: Status, command: type[Command]) -> bool:
    """Tell whether a claim in `status` allows a kind of command."""
    return status in _ALLOWED.get(command, frozenset())


def can_last_longer(last: date | None, ended_on: date | None) -> bool:
    """Tell whether a claim can be prolonged as far as its days are concerned.

    One until further notice lasts anyway. Where the end was told, the ground has ended: what begins again is a claim
    of its own.
    """
    return last is not None and ended_on is None


def decide(state: ClaimState | None, command: Command, today: date) -> ClaimState:
    """Return a claim after a command; `state` is None while there is no claim of the id.

    This judges states and days alone. What a claim says is judged by `rules.check`, on the record as in the form: of
    `Register` and `Change` the content, of `Prolong` the content with the new last day.

    Args:
        today: a claim that is ended with a last day still to come stays in force until then (`settled`).

    Raises:
        ClaimRefused: with the first reason in the order of `ClaimRefusal`.
    """
    if isinstance(command, Register):
        if state is not None:
            raise ClaimRefused(ClaimRefusal.REGISTERED)
        return ClaimState(Status.REGISTERED, command.content, 1)
    if state is None or not allows(state.status, type(command)):
        raise ClaimRefused(ClaimRefusal.STATE)
    after = replace(state, version=state.version + 1)
    match command:
        case Change(content):
            return replace(after, content=_changed(state.content, content))
        case Prolong(last):
            return replace(after, content=_prolonged(state, last))
        case End(last, reason):
            return settled(_ended(after, last, reason, today), today)
        case Cancel():
            return replace(after, status=Status.CANCELLED)


def settled(state: ClaimState, today: date) -> ClaimState:
    """Return a claim as it is on a day: one in force whose last day has passed has ended. The version stays.

    A claim on assistance is on a benefit that is awaited, which is granted and paid for time that has passed: Kela
    says when it is over.
    """
    last = state.until
    if ends_by_itself(state.status, state.content.basis) and last is not None and last < today:
        return replace(state, status=Status.ENDED)
    return state


def ends_by_itself(status: str, basis: str) -> bool:
    """Tell whether a claim ends with its last day."""
    return status == Status.IN_FORCE and basis != SOCIAL_ASSISTANCE


def _changed(content: Content, changed: Content) -> Content:
    if (content.payee, content.basis) != (changed.payee, changed.basis):
        raise ClaimRefused(ClaimRefusal.FIXED)
    return changed


def _prolonged(state: ClaimState, last: date) -> Content:
    before = state.content.last
    if not can_last_longer(before, state.ended_on) or (before is not None and last <= before):
        raise ClaimRefused(ClaimRefusal.LAST_DAY)
    return replace(state.content, last=last)


def _ended(state: ClaimState, last: date, reason: str, today: date) -> ClaimState:
    # What was told once can only come sooner: what goes on after it is a claim of its own.
    latest = state.until or latest_day(today)
    if not state.content.first <= last <= latest:
        raise ClaimRefused(ClaimRefusal.LAST_DAY)
    if reason not in end_reasons():
        raise ClaimRefused(ClaimRefusal.END_REASON)
    return replace(state, end_reason=reason, ended_on=last)
