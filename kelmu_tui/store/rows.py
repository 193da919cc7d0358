"""What the store hands out: plain frozen values for both faces, no wire models, no database rows.

Instants are UTC, days are Finnish calendar days, sums are `Decimal` euros, municipalities are three-digit codes and
organisations business IDs.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from kelmu_tui.domain.notices import Kind, Refusal, Status
from kelmu_tui.domain.organisations import Names, OrganisationType


class View(StrEnum):
    """The views of the inbox."""

    UNHANDLED = "unhandled"
    MINE = "mine"
    URGENT = "urgent"
    DUE_TODAY = "due_today"
    TRANSFERRED = "transferred"
    ALL = "all"


class Sort(StrEnum):
    """What a list is sorted by; ties are settled by day, arrival and id, so that every order is total."""

    DUE = "due"
    ARRIVED = "arrived"
    KIND = "kind"
    MUNICIPALITY = "municipality"
    CUSTOMER = "customer"


class Query(NamedTuple):
    """Which rows of the inbox, in which order.

    Args:
        text: words of the instant filter; each is the beginning of a word of the notice.
        user: id of the signed-in user, for the view of own notices.
        day: today in Finland, for the view of notices due today or earlier.
    """

    view: View
    text: str = ""
    sort: Sort = Sort.DUE
    descending: bool = False
    user: str = ""
    day: date = date.max


class Key(NamedTuple):
    """Place of a row in an order: the two sorted values and the id that settles ties. Opaque to the faces."""

    first: int | str
    second: int | str
    id: str


class NoticeLine(NamedTuple):
    """A notice as a list shows it, with the user's own pending commands applied.

    Attributes:
        customer: "Family, Given".
        pending: own commands have not come back from the backend yet.
        conflict: an own command was refused and the user has not acted on it.
    """

    id: str
    version: int
    kind: Kind
    subtype: str | None
    urgent: bool
    status: Status
    municipality: str
    arrived: datetime
    due: date
    customer: str
    non_disclosure: bool
    assignee: str | None
    assignee_name: str | None
    transferred_from: str | None
    pending: bool = False
    conflict: bool = False


class TraceLine(NamedTuple):
    """What is left of a notice given away; `state` is sent, opened or taken_back. No person, no content."""

    id: str
    version: int
    kind: Kind
    urgent: bool
    due: date
    at: datetime
    by: str
    from_municipality: str
    to_organisation: str
    to_municipality: str
    reason: str
    state: str
    pending: bool = False
    conflict: bool = False


class CustomerDetail(NamedTuple):
    """The person a notice is about; what non-disclosure hides is None."""

    identity_code: str
    family_name: str
    given_names: str
    language: str
    non_disclosure: bool
    home_municipality: str | None = None
    address: str | None = None
    telephone: str | None = None


class HouseholdDetail(NamedTuple):
    """Somebody in the customer's household; `relation` is spouse, child, parent or other."""

    name: str
    relation: str
    born: int | None = None


class ExpenseDetail(NamedTuple):
    """An expense applied for."""

    text: str
    amount: Decimal


class ContentDetail(NamedTuple):
    """What Kela tells; each kind has its own fields, the others are None or empty."""

    household: tuple[HouseholdDetail, ...] = ()
    interpreter_language: str | None = None
    reason: str | None = None
    consent: bool | None = None
    free_text: str | None = None
    kela_worker: str | None = None
    kela_worker_telephone: str | None = None
    expenses: tuple[ExpenseDetail, ...] = ()
    basic_decision_reference: str | None = None
    basic_decision_on: date | None = None
    calculation_from: date | None = None
    calculation_to: date | None = None
    attachments: int | None = None
    bank_account: str | None = None
    reduction_percent: int | None = None
    reduction_reason: str | None = None
    reduction_from: date | None = None
    reduction_to: date | None = None
    months_on_assistance: int | None = None
    unemployed_since: date | None = None
    registered_jobseeker: bool | None = None
    home_municipality_since: date | None = None


class NoteDetail(NamedTuple):
    """A worker's note; `pending` while it is on its way."""

    at: datetime
    by: str
    text: str
    pending: bool = False


class OriginDetail(NamedTuple):
    """Where a transferred notice came from."""

    organisation: str
    municipality: str
    at: datetime
    reason: str


class NoticeDetail(NamedTuple):
    """A notice whole; `data_at` is when the backend was last heard, None before the first time."""

    line: NoticeLine
    organisation: str
    created: datetime
    customer: CustomerDetail
    content: ContentDetail
    notes: tuple[NoteDetail, ...]
    origin: OriginDetail | None
    handled_at: datetime | None
    handled_by: str | None
    data_at: datetime | None


class AnnouncementLine(NamedTuple):
    """A service announcement; `kind` is break, disturbance or information."""

    id: str
    version: int
    kind: str
    starts: datetime
    ends: datetime | None
    title: Names
    text: Names


class Conflict(NamedTuple):
    """Why an own command was refused; `current` is the row as the backend has it now, as the wire's JSON."""

    at: datetime
    code: str
    rule: str | None
    current: dict[str, Any] | None


class CommandLine(NamedTuple):
    """An own command as the outbox shows it.

    Attributes:
        label: says what it was about without the replica.
        text: what the user wrote for it, whole; empty when nothing, or when it has arrived.
    """

    id: str
    organisation: str
    verb: str
    aggregate: str
    label: dict[str, Any]
    state: str
    created_at: datetime
    attempts: int
    due_at: datetime | None
    problem: dict[str, Any] | None
    conflict: Conflict | None
    text: str


class ActiveOrganisation(NamedTuple):
    """The organisation the user acts for; `municipalities` are the codes of its teams."""

    business_id: str
    name: Names
    type: OrganisationType
    county: str | None
    municipalities: tuple[str, ...]


class ActiveSession(NamedTuple):
    """Who works for whom, and what is open; `lease` is the newest lease id known.

    Attributes:
        supervisor: whether the user supervises the look-ups made for the organisation.
    """

    user_id: str
    user_name: str
    organisation: ActiveOrganisation
    capabilities: frozenset[str]
    device: str
    lease: str
    supervisor: bool = False


class Outcome(NamedTuple):
    """What became of a command on several notices.

    Attributes:
        commands: ids of the commands queued, in the order of `done`.
        done: ids of the notices they concern.
        refused: notices a rule refuses, with the reason; nothing was queued for them.
        arguments: the command's own input (municipality, reason, text), for repeating it.
    """

    verb: str
    commands: tuple[str, ...]
    done: tuple[str, ...]
    refused: tuple[tuple[str, Refusal], ...]
    arguments: tuple[tuple[str, str], ...] = ()
