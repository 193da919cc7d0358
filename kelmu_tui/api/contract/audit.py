"""The log of look-ups for supervisors: search, random samples, and a customer's extract of who looked.

A supervisor sees the look-ups made for the own organisation, and says for what purpose; that is logged in turn.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from kelmu_tui.api.contract.common import Answer, BusinessId, Identifier, Line, Request
from kelmu_tui.api.contract.customers import CaseReference, IdentityCodeText, LookUpRow

MAX_SAMPLE: Final = 200
"""Look-ups in one sample at the most."""

Seed = Annotated[int, Field(ge=0, le=2**53 - 1)]


class AuditPurpose(StrEnum):
    """Why a supervisor reads the log."""

    MONITORING = "monitoring"
    """Regular own control, without a reason to suspect anybody."""
    SUSPICION = "suspicion"
    """Something gave a reason to look closer."""
    CUSTOMER_REQUEST = "customer_request"
    """A customer asks who has looked."""


class LookUpFlag(StrEnum):
    """What a supervisor should see of a look-up."""

    SELF = "self"
    """The user's own data."""
    FAMILY_NAME = "family_name"
    """Somebody of the user's family name."""
    UNRELATED = "unrelated"
    """No notice in the organisation's inbox is about the person."""
    SEQUENCE = "sequence"
    """Neighbouring codes were tried shortly before."""
    PAUSED = "paused"
    """The last of so many codes in a row that nobody has: look-ups paused from then on."""


class AuditedLookUp(LookUpRow):
    """A look-up of anybody in the organisation.

    Attributes:
        user_name: absent when the user is no longer known.
        mandate: by which the user might look.
    """

    user: Identifier
    user_name: Line | None = None
    mandate: Identifier | None = None
    flags: list[LookUpFlag] = Field(default_factory=list)
    request_id: Identifier | None = None


class AuditedLookUps(Answer):
    """Answer of `GET /v1/audit/look-ups`: the newest first; `next` continues."""

    look_ups: list[AuditedLookUp]
    next: str | None = None


class SampleRequest(Request):
    """Body of `POST /v1/audit/samples`: `size` look-ups by chance out of those of some days.

    Attributes:
        seed: the same one draws the same sample as long as the log of these days is the same; the backend chooses one
            when there is none.
        since, until: first and last Finnish day.
        flags: only look-ups with one of them; empty for all.
    """

    purpose: AuditPurpose
    case_reference: CaseReference | None = None
    size: Annotated[int, Field(ge=1, le=MAX_SAMPLE)]
    seed: Seed | None = None
    since: date
    until: date
    flags: list[LookUpFlag] = Field(default_factory=list)


class Sample(Answer):
    """A random sample in the order of time: `seed` draws it again, `drawn_from` is how many there were."""

    seed: Seed
    drawn_from: Annotated[int, Field(ge=0)]
    look_ups: list[AuditedLookUp]


class ExtractRequest(Request):
    """Body of `POST /v1/audit/extracts`: who looked at a customer, named by a code (present or earlier) or an id."""

    purpose: AuditPurpose
    case_reference: CaseReference | None = None
    identity_code: IdentityCodeText | None = None
    customer: Identifier | None = None


class Extract(Answer):
    """Every look-up of a customer for the own organisation, the oldest first; none also when nobody has the code."""

    organisation: BusinessId
    made_at: AwareDatetime
    look_ups: list[AuditedLookUp]
