"""What a supervisor gets of the log of look-ups: answers that are of what was asked, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from kelmu_tui.api.contract import (
    AuditedLookUp,
    AuditedLookUps,
    AuditPurpose,
    Extract,
    LookUpFlag,
    Sample,
    SampleRequest,
)
from kelmu_tui.api.errors import BadAnswer


class AuditSearch(NamedTuple):
    """Which look-ups are searched, and why; without a user, a customer, days or flags there is no such limit.

    Attributes:
        since, until: first and last Finnish day.
        flags: one of them is enough.
    """

    purpose: AuditPurpose
    user: str | None = None
    customer: str | None = None
    since: date | None = None
    until: date | None = None
    flags: tuple[LookUpFlag, ...] = ()

    def params(self, cursor: str | None) -> dict[str, str | Sequence[str]]:
        """Return the parameters of `GET /v1/audit/look-ups`."""
        given = {
            "purpose": self.purpose.value,
            "user": self.user,
            "customer": self.customer,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "cursor": cursor,
        }
        found: dict[str, str | Sequence[str]] = {name: text for name, text in given.items() if text is not None}
        if self.flags:
            found["flag"] = [flag.value for flag in self.flags]
        return found


def check_page(page: AuditedLookUps, wanted: AuditSearch, organisation: str, request_id: str) -> AuditedLookUps:
    """Return a page of a search.

    Raises:
        BadAnswer: it holds look-ups that were not asked for.
    """
    for row in page.look_ups:
        if wanted.user not in (None, row.user) or wanted.customer not in (None, row.customer):
            raise BadAnswer("scope", request_id)
    _check(page.look_ups, organisation, request_id)
    return page


def check_sample(sample: Sample, wanted: SampleRequest, organisation: str, request_id: str) -> Sample:
    """Return a sample.

    Raises:
        BadAnswer: it is not the one that was asked for, or larger than what it was drawn from.
    """
    if wanted.seed not in (None, sample.seed):
        raise BadAnswer("scope", request_id)
    if len(sample.look_ups) > min(wanted.size, sample.drawn_from):
        raise BadAnswer("model", request_id)
    _check(sample.look_ups, organisation, request_id)
    return sample


def check_extract(extract: Extract, organisation: str, request_id: str) -> Extract:
    """Return an extract.

    Raises:
        BadAnswer: it is another organisation's, or about several customers.
    """
    customers = {row.customer for row in extract.look_ups}
    if extract.organisation != organisation or len(customers) > 1:
        raise BadAnswer("scope", request_id)
    _check(extract.look_ups, organisation, request_id)
    return extract


def _check(rows: Iterable[AuditedLookUp], organisation: str, request_id: str) -> None:
    ids = set[str]()
    for row in rows:
        if row.organisation != organisation:
            raise BadAnswer("scope", request_id)
        if row.id in ids:
            raise BadAnswer("model", request_id)
        ids.add(row.id)
