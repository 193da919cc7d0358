"""Who the user is, for whom they may act and what that opens."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from kelmu_tui.api.contract.common import Answer, BusinessId, Identifier, Line, LocalText, MunicipalityCode
from kelmu_tui.api.contract.rows import AnnouncementRow
from kelmu_tui.domain.capabilities import MandateKind
from kelmu_tui.domain.organisations import Language, OrganisationType


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
    """An organisation the user has any grant for, with what it opens and what the agreement says.

    Attributes:
        agreement_content: sections of a customer that the agreement covers, None for all that the law allows.
    """

    business_id: BusinessId
    name: LocalText
    type: OrganisationType
    county: str | None = None
    municipalities: list[MunicipalityCode] = Field(default_factory=list)
    agreement_from: date | None = None
    agreement_to: date | None = None
    agreement_content: list[str] | None = None
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
