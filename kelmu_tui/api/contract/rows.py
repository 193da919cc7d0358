"""What the feed carries: notices, traces of transferred ones, announcements, the customers whom a user follows, the
organisation's claims with its accounts, and receipts of documents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from kelmu_tui.api.contract.claims import AccountRow, ClaimRecord
from kelmu_tui.api.contract.common import (
    Answer,
    Block,
    BusinessId,
    Identifier,
    Line,
    LocalText,
    MunicipalityCode,
    Version,
)
from kelmu_tui.api.contract.documents import SendingRow
from kelmu_tui.domain.following import MAX_CHANGES, FollowEnd, What
from kelmu_tui.domain.notices import Kind, Status
from kelmu_tui.domain.sections import Section


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

    `transferred_from` is the sender's business ID while the transfer can still be taken back. From `expires_at` on it
    may not be shown any more and is gone from the record too.
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
    expires_at: AwareDatetime | None = None


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


class FollowChange(Answer):
    """That something happened, and about what: what it is in full, a look-up tells.

    Attributes:
        id: of this change; one that comes in the place of another has an id of its own.
        row: id of the row of the section.
        day: the day by which the section sorts the row.
    """

    id: Identifier
    at: AwareDatetime
    section: Section
    row: Identifier
    benefit: Identifier | None = None
    what: What
    day: date


class FollowRow(Answer):
    """A customer whom the user follows for a case.

    Attributes:
        name: family name, given names.
        until: when it ends by itself unless it is renewed.
        ended: why it has ended, None while it goes on; from `expires_at` on the row may not be shown any more.
        changes: the newest that the user may see, newest first.
    """

    table: Literal["follow"] = "follow"
    id: Identifier
    version: Version
    customer: Identifier
    name: Line
    masked_code: Line
    purpose: Identifier
    case_reference: Line | None = None
    since: AwareDatetime
    until: AwareDatetime
    ended: FollowEnd | None = None
    expires_at: AwareDatetime | None = None
    changes: Annotated[list[FollowChange], Field(max_length=MAX_CHANGES)] = Field(default_factory=list)


Row = Annotated[
    NoticeRow | TraceRow | AnnouncementRow | FollowRow | ClaimRecord | AccountRow | SendingRow,
    Field(discriminator="table"),
]
