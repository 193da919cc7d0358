"""Rules of Kela's notices: what a notice is, what may be done to it, and what it is afterwards.

`decide` is the single judge. The backend calls it inside the write transaction, the client calls it to show the
user's own pending commands on top of the replica; so the screen and the record can never disagree on a rule.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """The six kinds of notices (`notices.toml`)."""

    SOCIAL_WORK_NEED = "social_work_need"
    APPLICATION = "supplementary_or_preventive_application"
    REDUCED_BASIC_AMOUNT = "reduced_basic_amount"
    UNEMPLOYED_UNDER_25 = "unemployed_under_25_4_months"
    UNEMPLOYED_25_PLUS = "unemployed_25_plus_12_months"
    IMMIGRANT = "immigrant_2_months"


class Status(StrEnum):
    """Where a notice stands with the organisation that holds it."""

    NEW = "new"
    OPENED = "opened"
    IN_PROGRESS = "in_progress"
    HANDLED = "handled"
    TRANSFERRED = "transferred"


class NeedReason(StrEnum):
    """Why a Kela worker sees a need of social work (`notices.toml`, field `reason`)."""

    HOUSING = "housing"
    SUBSISTENCE = "subsistence"
    SUBSTANCE_ABUSE = "substance_abuse"
    MENTAL_HEALTH = "mental_health"
    FUNCTIONAL_ABILITY = "functional_ability"
    CHILDS_SITUATION = "childs_situation"
    VIOLENCE = "violence"
    OTHER = "other"


class ReductionReason(StrEnum):
    """Why a basic amount was reduced (`notices.toml`, field `reduction_reason`)."""

    NOT_REGISTERED = "not_registered_as_jobseeker"
    PRIMARY_BENEFIT = "primary_benefit_not_applied_for"
    REFUSED_WORK = "refused_work_or_service"
    INTEGRATION_PLAN = "integration_plan_neglected"


OPEN_STATUSES: Final = frozenset({Status.NEW, Status.OPENED, Status.IN_PROGRESS})
"""A notice in one of these still waits for work."""

MAX_REASON: Final = 500
MAX_NOTE: Final = 1000
"""Characters of a transfer's reason and of a note: a few lines, not a case file."""


class Actor(NamedTuple):
    """Who gives a command: the user and the organisation acted for (business ID)."""

    user: str
    name: str
    organisation: str


class NoticeState(NamedTuple):
    """The part of a notice that commands change.

    Attributes:
        organisation: business ID of the organisation that holds the notice now.
        municipality: three-digit code of the municipality whose team it is for.
        assignee: user id of the worker who took it, None when nobody has.
        notes: number of notes written to it.
        transferred_from: business ID of the sender while its transfer can still be taken back, else None.
    """

    kind: Kind
    status: Status
    organisation: str
    municipality: str
    version: int
    assignee: str | None = None
    assignee_name: str | None = None
    handled_at: datetime | None = None
    handled_by: str | None = None
    notes: int = 0
    transferred_from: str | None = None


class _Bare:
    """A command without arguments: all of one kind are equal. A dataclass of nothing takes longest to make."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Take(_Bare):
    """Make the notice mine and start working on it."""


class Release(_Bare):
    """Give a notice that I took back to the team."""


class Open(_Bare):
    """The content was read for the first time."""


class Handle(_Bare):
    """The work is done."""


class Reopen(_Bare):
    """The work was not done after all."""


class AddNote(NamedTuple):
    """Write a short note for the team; never leaves the organisation."""

    text: str


class Transfer(NamedTuple):
    """Move a misdirected notice to `municipality` (code), held by `organisation` (business ID)."""

    organisation: str
    municipality: str
    reason: str


class TakeBack(_Bare):
    """Undo an own transfer that the receiver has not opened."""


Command = Take | Release | Open | Handle | Reopen | AddNote | Transfer | TakeBack

COMMANDS: Final[dict[str, type[Command]]] = {
    "take": Take,
    "release": Release,
    "open": Open,
    "handle": Handle,
    "reopen": Reopen,
    "note": AddNote,
    "transfer": Transfer,
    "take-back": TakeBack,
}
"""Verbs as they stand in URLs, in the outbox and in the audit log."""

COMMUTES: Final = frozenset({"open", "note"})
"""Verbs that mean the same on any version: reading and adding a note never fight with a colleague's change."""


def verb(command: Command) -> str:
    """Return the verb under which `command` stands in `COMMANDS`."""
    return next(name for name, kind in COMMANDS.items() if isinstance(command, kind))


class Refusal(StrEnum):
    """Stable reasons why a rule refuses a command."""

    ALREADY_TAKEN = "already_taken"
    NOT_TAKEN = "not_taken"
    ALREADY_HANDLED = "already_handled"
    NOT_HANDLED = "not_handled"
    TRANSFERRED = "transferred"
    NOT_TRANSFERRED = "not_transferred"
    ALREADY_OPENED = "already_opened"
    SAME_RECIPIENT = "same_recipient"
    ILLEGAL_TARGET = "illegal_target"
    REASON_MISSING = "reason_missing"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_MISSING = "text_missing"


class Refused(ValueError):
    """A rule refuses a command; `reason` is stable and translated by the faces."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


def decide(state: NoticeState, command: Command, actor: Actor, now: datetime) -> NoticeState:
    """Apply `command` of `actor` to `state` at `now` (UTC) and return the new state.

    The version grows by one only when something changed. Whether a transfer's target is legal for the notice is the
    question of `transfer.transfer_options`; here stands only what concerns every transfer.

    Raises:
        Refused: a rule forbids it; nothing has changed.
    """
    changed = _judge(state, command, actor, now)
    return state if changed == state else changed._replace(version=state.version + 1)


def _judge(state: NoticeState, command: Command, actor: Actor, now: datetime) -> NoticeState:
    if isinstance(command, TakeBack):
        return _take_back(state, actor)
    if state.organisation != actor.organisation:
        raise Refused(Refusal.TRANSFERRED)
    match command:
        case Take():
            return _take(state, actor)
        case Release():
            if state.assignee is None:
                raise Refused(Refusal.NOT_TAKEN)
            return _still_open(state)._replace(status=Status.OPENED, assignee=None, assignee_name=None)
        case Open():
            opened = Status.OPENED if state.status is Status.NEW else state.status
            return state._replace(status=opened, transferred_from=None)
        case Handle():
            return _still_open(state)._replace(
                status=Status.HANDLED,
                handled_at=now,
                handled_by=actor.name,
                transferred_from=None,
            )
        case Reopen():
            if state.status is not Status.HANDLED:
                raise Refused(Refusal.NOT_HANDLED)
            status = Status.OPENED if state.assignee is None else Status.IN_PROGRESS
            return state._replace(status=status, handled_at=None, handled_by=None)
        case AddNote(text):
            _check_text(text, MAX_NOTE, Refusal.TEXT_MISSING)
            return state._replace(notes=state.notes + 1)
        case Transfer():
            return _transfer(state, command)


def _still_open(state: NoticeState) -> NoticeState:
    if state.status is Status.HANDLED:
        raise Refused(Refusal.ALREADY_HANDLED)
    return state


def _take(state: NoticeState, actor: Actor) -> NoticeState:
    _still_open(state)
    if state.assignee not in (None, actor.user):
        raise Refused(Refusal.ALREADY_TAKEN)
    return state._replace(
        status=Status.IN_PROGRESS,
        assignee=actor.user,
        assignee_name=actor.name,
        transferred_from=None,
    )


def _transfer(state: NoticeState, command: Transfer) -> NoticeState:
    _check_text(command.reason, MAX_REASON, Refusal.REASON_MISSING)
    _still_open(state)
    if (command.organisation, command.municipality) == (state.organisation, state.municipality):
        raise Refused(Refusal.SAME_RECIPIENT)
    leaves = command.organisation != state.organisation
    return state._replace(
        status=Status.NEW,
        organisation=command.organisation,
        municipality=command.municipality,
        assignee=None,
        assignee_name=None,
        notes=0 if leaves else state.notes,
        transferred_from=state.organisation if leaves else None,
    )


def _take_back(state: NoticeState, actor: Actor) -> NoticeState:
    if state.organisation == actor.organisation:
        raise Refused(Refusal.NOT_TRANSFERRED)
    if state.transferred_from != actor.organisation:
        raise Refused(Refusal.ALREADY_OPENED)
    return state._replace(status=Status.OPENED, organisation=actor.organisation, transferred_from=None)


def _check_text(text: str, limit: int, missing: Refusal) -> None:
    if not text.strip():
        raise Refused(missing)
    if len(text) > limit:
        raise Refused(Refusal.TEXT_TOO_LONG)
