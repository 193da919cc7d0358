"""The log of look-ups, as the backend has it: one's own, and for supervisors search, samples and extracts.

Nothing of it is kept on this machine. The backend logs who reads it and for what purpose; without a connection there
is nothing to be shown. Kept apart from what offline commands import: this module pulls in the wire models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from kelmu_tui.api.audit import AuditSearch as AuditSearch
from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import AuditedLookUp, AuditPurpose, ExtractRequest, LookUpFlag, LookUps, SampleRequest
from kelmu_tui.domain.identifiers import IdentityCode
from kelmu_tui.platform.clock import Clock
from kelmu_tui.services.known import NotSupervisor
from kelmu_tui.store.rows import ActiveSession

Wanted = AuditSearch | SampleRequest | ExtractRequest
USUAL_SAMPLE: Final = 20
"""Look-ups in a sample when nothing else is said."""

USUAL_DAYS: Final = 30
"""Days before today that a sample is drawn from when nothing else is said."""


class Kind(StrEnum):
    """What a supervisor does with the log."""

    SEARCH = "search"
    SAMPLE = "sample"
    EXTRACT = "extract"


@dataclass(frozen=True, slots=True)
class Found:
    """What a supervisor got.

    Attributes:
        wanted: what was asked; an extract's never holds an identity code.
        at: when it was made.
        rows: the newest first in a search, else the oldest.
        next: continues a search.
        seed, drawn_from: of a sample: what draws it again, and out of how many.
        whom: masked code of an extract.
        cut: rows were left out that had come.
    """

    wanted: Wanted
    at: datetime
    rows: tuple[AuditedLookUp, ...]
    next: str | None = None
    seed: int | None = None
    drawn_from: int | None = None
    whom: str | None = None
    cut: bool = False

    @property
    def whole(self) -> bool:
        """Whether there is nothing beyond these rows."""
        return self.next is None and not self.cut

    @property
    def kind(self) -> Kind:
        """Whether it was searched, drawn or extracted."""
        return kind_of(self.wanted)

    @property
    def again(self) -> Wanted | None:
        """What gives the same once more; None for an extract of somebody of whom nothing came."""
        if isinstance(self.wanted, SampleRequest):
            return self.wanted.model_copy(update={"seed": self.seed})
        if isinstance(self.wanted, ExtractRequest) and self.wanted.customer is None:
            return None
        return self.wanted

    def first(self, count: int) -> Found:
        """Return the same with `count` rows at the most."""
        if len(self.rows) <= count:
            return self
        return replace(self, rows=self.rows[:count], cut=True)


class LookUpLog:
    """The log for one user at work for one organisation.

    Every method raises `ApiError` when the backend refuses, is out of reach, or gives no usable answer.
    """

    def __init__(self, session: ActiveSession, client: Callable[[], Client], clock: Clock) -> None:
        """Read through what `client` gives, which raises `Unreachable` where there is no connection."""
        self._session = session
        self._client = client
        self._clock = clock

    async def own(self, cursor: str | None = None) -> LookUps:
        """Return the user's own look-ups, the newest first."""
        return await self._client().look_ups(self._session.organisation.business_id, cursor)

    async def find(self, wanted: Wanted, whom: str | None = None) -> Found:
        """Search, draw or extract.

        Args:
            whom: masked code of an extract.

        Raises:
            NotSupervisor: the user does not supervise the organisation's look-ups; nothing is asked.
        """
        if not self._session.supervisor:
            raise NotSupervisor
        organisation, client = self._session.organisation.business_id, self._client()
        match wanted:
            case AuditSearch():
                page = await client.audited(organisation, wanted)
                return Found(wanted, self._clock.now(), tuple(page.look_ups), page.next)
            case SampleRequest():
                drawn = await client.sample(organisation, wanted)
                return Found(
                    wanted, self._clock.now(), tuple(drawn.look_ups), seed=drawn.seed, drawn_from=drawn.drawn_from
                )
            case ExtractRequest():
                made = await client.extract(organisation, wanted)
                customer = made.look_ups[0].customer if made.look_ups else wanted.customer
                shown = wanted.model_copy(update={"identity_code": None, "customer": customer})
                return Found(shown, made.made_at, tuple(made.look_ups), whom=whom or _masked(made.look_ups))

    async def more(self, found: Found) -> Found:
        """Return a search with its next page.

        Raises:
            NotSupervisor: as `find`.
        """
        if not self._session.supervisor:
            raise NotSupervisor
        if not isinstance(found.wanted, AuditSearch) or found.next is None:
            return found
        page = await self._client().audited(self._session.organisation.business_id, found.wanted, found.next)
        following = None if page.next == found.next else page.next
        return replace(found, rows=(*found.rows, *page.look_ups), next=following)


def kind_of(wanted: Wanted) -> Kind:
    """Return what is wanted."""
    if isinstance(wanted, AuditSearch):
        return Kind.SEARCH
    return Kind.SAMPLE if isinstance(wanted, SampleRequest) else Kind.EXTRACT


def _masked(rows: Sequence[AuditedLookUp]) -> str | None:
    return next((row.masked_code for row in rows if row.masked_code), None)


def sample_request(
    purpose: AuditPurpose,
    case_reference: str | None,
    size: int | None,
    seed: int | None,
    since: date,
    until: date,
    flags: Sequence[LookUpFlag] = (),
) -> SampleRequest:
    """Return the request for a sample; without a size it is of the usual one."""
    return SampleRequest(
        purpose=purpose,
        case_reference=case_reference,
        size=size or USUAL_SAMPLE,
        seed=seed,
        since=since,
        until=until,
        flags=list(flags),
    )


def extract_request(purpose: AuditPurpose, case_reference: str | None, who: IdentityCode | str) -> ExtractRequest:
    """Return the request for an extract of a customer, who is named by an identity code or an id."""
    code, customer = (who.value, None) if isinstance(who, IdentityCode) else (None, who)
    return ExtractRequest(purpose=purpose, case_reference=case_reference, identity_code=code, customer=customer)
