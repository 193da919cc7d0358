"""What a user may see of a customer: sections and fields, by mandates, organisation type, agreement and non-disclosure.

One pure function serves the backend, which sends nothing else, and the client, which says why something is missing.
The facts stand in `catalogue/customers.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP as CUSTOMER_LOOKUP
from kelmu_tui.domain.capabilities import Agreement, Allowed, Capabilities, Denied, Reason
from kelmu_tui.domain.organisations import Names, OrganisationType

MAX_CASE: Final = 60
MAX_REASON_TEXT: Final = 500
CASE_FORM: Final = r"^[\w./:() -]+$"
"""Form of a case reference: it travels in bodies, stands in the record and is read aloud on the telephone."""


class Section(StrEnum):
    """The data groups of a customer, in the order in which they are shown."""

    PENDING = "pending"
    DECISIONS = "decisions"
    PAYMENTS = "payments"
    CLAIMS = "claims"
    INSURANCE = "insurance"
    RECOVERY = "recovery"
    MEDICINE = "medicine"
    PASSED_ON = "passed_on"


class Hidden(StrEnum):
    """Why a section is not shown at all."""

    LAW = "law"
    """No mandate opens it for this type of organisation."""
    AGREEMENT = "agreement"
    """The organisation's agreement does not cover it, or there is none."""
    MANDATE = "mandate"
    """The user lacks the mandate."""


class SectionFacts(NamedTuple):
    """A section of the catalogue: the capability that opens it, and the source that its rows come from."""

    section: Section
    capability: str
    source: str


class MandateView(NamedTuple):
    """What a mandate shows within the sections it opens: these benefits (None for all), without these fields."""

    benefits: frozenset[str] | None
    hides: frozenset[str]


class Sight(NamedTuple):
    """What may be seen of one section.

    Attributes:
        hidden: why nothing may be seen, None when something may.
        benefits: ids of the benefits whose rows may be seen, None for all.
        fields: names of the fields of this section that stay away.
        denied: what would open it, when a mandate is missing.
    """

    hidden: Hidden | None
    benefits: frozenset[str] | None = None
    fields: frozenset[str] = frozenset()
    denied: Denied | None = None

    def shows(self, benefit: str | None) -> bool:
        """Tell whether rows of `benefit` may be seen; a row that is of no benefit may."""
        return self.hidden is None and (self.benefits is None or benefit is None or benefit in self.benefits)


class Purpose(NamedTuple):
    """A purpose of use; `household` tells that members of the household may be looked up with the customer.

    Attributes:
        reason: it says too little by itself, so a reason in words is asked.
    """

    id: str
    name: Names
    org_types: frozenset[OrganisationType]
    household: bool
    reason: bool
    law: str


@cache
def section_facts() -> Mapping[Section, SectionFacts]:
    """Return the facts of each section."""
    rows = catalogue.table("customers.toml")["section"]
    return MappingProxyType(
        {Section(row["id"]): SectionFacts(Section(row["id"]), row["capability"], row["source_system"]) for row in rows}
    )


@cache
def mandate_views() -> Mapping[str, MandateView]:
    """Return what each mandate shows, by its id."""
    found = {}
    for row in catalogue.table("customers.toml")["view"]:
        named = frozenset(row["benefits"]) | {
            benefit.id for benefit in benefits().values() if benefit.group in row["benefit_groups"]
        }
        found[row["mandate"]] = MandateView(named or None, frozenset(row["hides"]))
    return MappingProxyType(found)


@cache
def non_disclosure_hides() -> frozenset[str]:
    """Return the fields that are absent under a non-disclosure order."""
    return frozenset(catalogue.table("customers.toml")["non_disclosure"]["hides"])


@cache
def purposes() -> Mapping[str, Purpose]:
    """Return the purposes of use by id."""
    return MappingProxyType(
        {
            row["id"]: Purpose(
                row["id"],
                Names(row["fi"], row["sv"], row["en"]),
                frozenset(OrganisationType(name) for name in row["org_types"]),
                row["household"],
                row.get("reason", False),
                row["law"],
            )
            for row in catalogue.table("customers.toml")["purpose"]
        }
    )


def purposes_for(organisation_type: OrganisationType) -> tuple[Purpose, ...]:
    """Return the purposes that an organisation of this type may name."""
    return tuple(purpose for purpose in purposes().values() if organisation_type in purpose.org_types)


@cache
def file_kept() -> timedelta:
    """Return how long a fetched file may be shown."""
    return timedelta(hours=catalogue.table("customers.toml")["retention"]["file_hours"])


@cache
def looks_kept() -> timedelta:
    """Return how long it is known what a user saw last of a customer: as long as a customer stays followed."""
    return timedelta(days=catalogue.table("customers.toml")["retention"]["followed_days"])


def sight(opened: Capabilities, agreement: Agreement | None, section: Section) -> Sight:
    """Return what may be seen of `section`, whoever the customer is.

    Several mandates show together what each of them shows.
    """
    capability = section_facts()[section].capability
    verdict = opened.explain(capability)
    if isinstance(verdict, Denied):
        return Sight(_why(verdict), denied=verdict)
    if agreement is not None and agreement.content is not None and section.value not in agreement.content:
        return Sight(Hidden.AGREEMENT)
    assert isinstance(verdict, Allowed)
    shown = [mandate_views()[grant.mandate] for grant in opened.openers(capability) if grant.mandate in mandate_views()]
    return Sight(None, _benefits(shown), _away(shown, section.value))


def person_hides(opened: Capabilities) -> frozenset[str]:
    """Return the fields of the person that stay away for these mandates; the names are those after the dot."""
    shown = [
        mandate_views()[grant.mandate] for grant in opened.openers(CUSTOMER_LOOKUP) if grant.mandate in mandate_views()
    ]
    return _away(shown, "person")


def under_non_disclosure(section: str) -> frozenset[str]:
    """Return the fields of a section (or of `person`) that are absent when the customer has a non-disclosure order."""
    return _fields(non_disclosure_hides(), section)


def _why(verdict: Denied) -> Hidden:
    if verdict.reason is Reason.NO_AGREEMENT:
        return Hidden.AGREEMENT
    return Hidden.LAW if verdict.reason is Reason.ORGANISATION_TYPE else Hidden.MANDATE


def _benefits(shown: list[MandateView]) -> frozenset[str] | None:
    sets = [view.benefits for view in shown]
    if not sets:
        return frozenset()
    named = [one for one in sets if one is not None]
    return None if len(named) < len(sets) else frozenset().union(*named)


def _away(shown: list[MandateView], section: str) -> frozenset[str]:
    """Return the fields that every one of the mandates hides."""
    if not shown:
        return frozenset()
    return frozenset.intersection(*(_fields(view.hides, section) for view in shown))


def _fields(names: frozenset[str], section: str) -> frozenset[str]:
    return frozenset(name.removeprefix(f"{section}.") for name in names if name.startswith(f"{section}."))
