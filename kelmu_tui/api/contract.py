"""The wire: every body that client and backend exchange, with its limits.

Requests forbid unknown fields, answers ignore them, so that an older client survives a newer backend. Foreign text
is cleaned when a model is built, on both sides. Instants are UTC, dates are Finnish calendar days, sums are
`Decimal` euros as strings. `docs/openapi.json` is generated from these models and the routes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from kelmu_tui.domain.capabilities import MandateKind
from kelmu_tui.domain.notices import MAX_NOTE, MAX_REASON, Kind, Status
from kelmu_tui.domain.organisations import Language, OrganisationType
from kelmu_tui.domain.text import clean, is_safe

API_VERSION: Final = "v1"
SCHEMA: Final = 1
"""Number of the command schema; the backend takes this one and the one before."""

HEADER_ORGANISATION: Final = "Kelmu-Organisation"
HEADER_IDEMPOTENCY: Final = "Idempotency-Key"
HEADER_VERSION: Final = "If-Match"
HEADER_REQUEST_ID: Final = "Kelmu-Request-Id"
HEADER_DEVICE: Final = "Kelmu-Device"
HEADER_LEASE: Final = "Kelmu-Lease"
HEADER_SCHEMA: Final = "Kelmu-Schema"

MAX_WAIT: Final = 25
"""Seconds that a long poll is held at the most."""


def _clean_line(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _clean_block(value: Any) -> Any:
    return clean(value, multiline=True) if isinstance(value, str) else value


def _safe_line(value: str) -> str:
    if not is_safe(value):
        raise ValueError("control characters are not allowed")
    return value


Line = Annotated[str, BeforeValidator(_clean_line), Field(max_length=300)]
"""One line of foreign text: control and bidirectional characters are replaced on entry."""
Block = Annotated[str, BeforeValidator(_clean_block), Field(max_length=4000)]
"""Foreign text of several lines, cleaned likewise."""
Identifier = Annotated[str, AfterValidator(_safe_line), Field(min_length=1, max_length=80)]
"""An identifier of ours: refused, not mended, when it holds anything strange."""
BusinessId = Annotated[str, Field(pattern=r"^[0-9]{7}-[0-9]$")]
MunicipalityCode = Annotated[str, Field(pattern=r"^[0-9]{3}$")]
Version = Annotated[int, Field(ge=1)]
Sequence = Annotated[int, Field(ge=0)]


class Request(BaseModel):
    """Base of what the client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of what the backend sends."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class LocalText(Answer):
    """A text in the three languages of the interface."""

    fi: Block
    sv: Block
    en: Block


# --- problems (RFC 9457) --------------------------------------------------------------------------------------------


class ProblemCode(StrEnum):
    """Stable codes of the problems the backend answers with; the client has a text for each."""

    UNAUTHENTICATED = "unauthenticated"
    MANDATE_MISSING = "mandate_missing"
    ORGANISATION_NOT_ALLOWED = "organisation_not_allowed"
    NOT_FOUND = "not_found"
    VERSION_CONFLICT = "version_conflict"
    RULE_REFUSED = "rule_refused"
    INVALID_REQUEST = "invalid_request"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    VERSION_REQUIRED = "version_required"
    COMMAND_EXPIRED = "command_expired"
    SCHEMA_UNKNOWN = "schema_unknown"
    TOO_MANY_REQUESTS = "too_many_requests"
    SERVICE_BREAK = "service_break"
    INTERNAL = "internal"


class Problem(Answer):
    """Problem details; `rule` names the `domain.notices.Refusal`, `current` the present row of a conflict."""

    type: str = "about:blank"
    title: str
    status: int
    code: ProblemCode
    detail: Line | None = None
    request_id: Identifier | None = None
    rule: str | None = None
    errors: list[str] = Field(default_factory=list)
    current: NoticeRow | TraceRow | None = None


# --- session --------------------------------------------------------------------------------------------------------


class UserInfo(Answer):
    """The signed-in user."""

    id: Identifier
    name: Line
    language: Language


class GrantInfo(Answer):
    """One mandate of the user; mirrors `domain.capabilities.Grant`."""

    mandate: Identifier
    kind: MandateKind
    principal: BusinessId
    employer: BusinessId
    chain: list[BusinessId] = Field(default_factory=list)
    valid_from: date
    valid_to: date | None = None


class OrganisationInfo(Answer):
    """An organisation the user has any grant for, with what it opens and what the agreement says."""

    business_id: BusinessId
    name: LocalText
    type: OrganisationType
    county: str | None = None
    municipalities: list[MunicipalityCode] = Field(default_factory=list)
    agreement_from: date | None = None
    agreement_to: date | None = None
    capabilities: list[str] = Field(default_factory=list)
    grants: list[GrantInfo] = Field(default_factory=list)
    supervisor: bool = False


class Lease(Answer):
    """Until when data may be shown without a connection, and the id that commands carry."""

    id: Identifier
    until: AwareDatetime


class SessionInfo(Answer):
    """Answer of `GET /v1/session`."""

    user: UserInfo
    organisations: list[OrganisationInfo]
    announcements: list[AnnouncementRow] = Field(default_factory=list)
    lease: Lease
    server_time: AwareDatetime
    demo: bool = False


class Health(Answer):
    """Answer of `GET /v1/health`; a backend that cannot reach its record answers 503 instead."""

    status: Literal["ok"]


# --- rows of the feed -----------------------------------------------------------------------------------------------


class Customer(Answer):
    """The person a notice is about. Address, telephone and home municipality are absent under non-disclosure."""

    identity_code: Identifier
    family_name: Line
    given_names: Line
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    non_disclosure: bool = False
    home_municipality: MunicipalityCode | None = None
    address: Line | None = None
    telephone: Line | None = None


class HouseholdMember(Answer):
    """Somebody who lives in the customer's household."""

    name: Line
    relation: Literal["spouse", "child", "parent", "other"]
    born: int | None = None


class Expense(Answer):
    """An expense the customer applies for."""

    text: Line
    amount: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


class NoticeContent(Answer):
    """What Kela tells: the fields of `notices.toml`, each present only for the kinds that have it."""

    household: list[HouseholdMember] = Field(default_factory=list)
    interpreter_language: str | None = None
    reason: str | None = None
    consent: bool | None = None
    free_text: Block | None = None
    kela_worker: Line | None = None
    kela_worker_telephone: Line | None = None
    expenses: list[Expense] = Field(default_factory=list)
    basic_decision_reference: Line | None = None
    basic_decision_on: date | None = None
    calculation_from: date | None = None
    calculation_to: date | None = None
    attachments: int | None = None
    bank_account: Line | None = None
    reduction_percent: Literal[20, 40, 50] | None = None
    reduction_reason: str | None = None
    reduction_from: date | None = None
    reduction_to: date | None = None
    months_on_assistance: int | None = None
    unemployed_since: date | None = None
    registered_jobseeker: bool | None = None
    home_municipality_since: date | None = None


class Note(Answer):
    """A worker's note."""

    at: AwareDatetime
    by: Line
    text: Block


class TransferOrigin(Answer):
    """Where a transferred notice came from."""

    organisation: BusinessId
    municipality: MunicipalityCode
    at: AwareDatetime
    reason: Block


class NoticeRow(Answer):
    """A notice as its holder sees it.

    `transferred_from` is the sender's business ID while the transfer can still be taken back.
    """

    table: Literal["notice"] = "notice"
    id: Identifier
    version: Version
    kind: Kind
    subtype: str | None = None
    urgent: bool
    status: Status
    organisation: BusinessId
    municipality: MunicipalityCode
    created: AwareDatetime
    arrived: AwareDatetime
    due: date
    customer: Customer
    content: NoticeContent
    assignee: Identifier | None = None
    assignee_name: Line | None = None
    handled_at: AwareDatetime | None = None
    handled_by: Line | None = None
    notes: list[Note] = Field(default_factory=list)
    origin: TransferOrigin | None = None
    transferred_from: BusinessId | None = None


class TraceRow(Answer):
    """What a sender keeps of a notice given away: no content, no person.

    `version` is that of the notice when the trace was last written; a take-back names it in `If-Match`.
    """

    table: Literal["trace"] = "trace"
    id: Identifier
    """The notice's id: a sender has one trace of a notice, the newest."""
    version: Version
    kind: Kind
    urgent: bool
    due: date
    at: AwareDatetime
    by: Line
    from_municipality: MunicipalityCode
    to_organisation: BusinessId
    to_municipality: MunicipalityCode
    reason: Block
    state: Literal["sent", "opened", "taken_back"]


class AnnouncementKind(StrEnum):
    """Kinds of service announcements."""

    BREAK = "break"
    DISTURBANCE = "disturbance"
    INFORMATION = "information"


class AnnouncementRow(Answer):
    """A service announcement: planned break, disturbance or information."""

    table: Literal["announcement"] = "announcement"
    id: Identifier
    version: Version
    kind: AnnouncementKind
    starts: AwareDatetime
    ends: AwareDatetime | None = None
    title: LocalText
    text: LocalText


Row = Annotated[NoticeRow | TraceRow | AnnouncementRow, Field(discriminator="table")]


# --- pull -----------------------------------------------------------------------------------------------------------


class Change(Answer):
    """One entry of the feed: `up` carries the row as of now, `rm` only its id and last version in the scope."""

    scope: Identifier
    id: Identifier
    version: Version
    op: Literal["up", "rm"]
    row: Row | None = None


class Changes(Answer):
    """Answer of `GET /v1/changes`, read in one database snapshot.

    Args:
        kind: `reset` when the cursor is missing, of another epoch, too old or ahead: the client starts new fills.
        cursor: opaque, signed; holds epoch, sequence, organisation and the scopes known after this answer.
        seq: all entries up to here are in this answer or were in earlier ones; a page never splits a sequence.
        more: another page follows; nothing becomes visible before the last one.
        head: newest sequence of the feed.
        granted: all scopes the session may see now.
        added: granted scopes that the cursor did not know; they have to be filled from the snapshot.
        revoked: scopes of the cursor that are no longer granted; they have to be purged.
    """

    kind: Literal["delta", "reset"]
    epoch: Identifier
    cursor: str
    seq: Sequence
    more: bool = False
    head: Sequence
    changes: list[Change] = Field(default_factory=list)
    granted: list[Identifier]
    added: list[Identifier] = Field(default_factory=list)
    revoked: list[Identifier] = Field(default_factory=list)
    session_revision: int
    lease: Lease
    server_time: AwareDatetime


class SnapshotStart(Answer):
    """First line of `GET /v1/snapshot?scope=…&after=…` (NDJSON): whose rows follow."""

    line: Literal["start"] = "start"
    epoch: Identifier
    scope: Identifier
    count: int
    head: Sequence


class SnapshotRow(Answer):
    """A row of the scope; rows come ordered by `id`, so the last id seen resumes an interrupted stream."""

    line: Literal["row"] = "row"
    row: Row


class SnapshotEnd(Answer):
    """Last line: the scope is complete once the client's checkpoint has reached `head`."""

    line: Literal["end"] = "end"
    head: Sequence


# --- push -----------------------------------------------------------------------------------------------------------


class EmptyBody(Request):
    """Body of commands without input: take, release, open, handle, reopen, take-back."""


class NoteBody(Request):
    """Body of `POST /v1/notices/{id}/note`."""

    text: Annotated[str, BeforeValidator(_clean_block), Field(min_length=1, max_length=MAX_NOTE)]


class TransferBody(Request):
    """Body of `POST /v1/notices/{id}/transfer`."""

    municipality: MunicipalityCode
    reason: Annotated[str, BeforeValidator(_clean_block), Field(min_length=1, max_length=MAX_REASON)]


class CommandResult(Answer):
    """Answer of an applied command: where in the feed its effect stands."""

    seq: Sequence
    version: Version
    epoch: Identifier


# --- sign-in --------------------------------------------------------------------------------------------------------


class DeviceAuthorization(Answer):
    """Answer of the device authorization endpoint (RFC 8628, 3.2)."""

    device_code: str
    user_code: Line
    verification_uri: Line
    verification_uri_complete: Line | None = None
    expires_in: int
    interval: int = 5


class Tokens(Answer):
    """Answer of the token endpoint (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str | None = None
    scope: str = ""


class OAuthError(Answer):
    """Error of the authorization server (RFC 6749, 5.2; RFC 8628, 3.5)."""

    error: str
    error_description: Line | None = None


class Persona(Answer):
    """Demo mode: a made-up worker one can sign in as."""

    id: Identifier
    name: Line
    title: LocalText
    organisation: Line
    language: Language


class PersonaList(Answer):
    """Answer of `GET /v1/demo/personas`."""

    personas: list[Persona]


class DemoApproval(Request):
    """Body of `POST /v1/demo/approve`: the terminal's persona picker stands in for the web page."""

    user_code: str = Field(max_length=20)
    persona: Identifier


Problem.model_rebuild()
SessionInfo.model_rebuild()
