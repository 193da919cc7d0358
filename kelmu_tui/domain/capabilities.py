"""From mandates to capabilities: what a user may do for an organisation, and why not.

One pure function serves the client (menus, actions) and the backend (every route). The facts are in
`catalogue/mandates.toml`; what depends on an organisation's agreement comes in with the agreement.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType

NOTICES_INBOX: Final = "notices_inbox"
NOTICE_TRANSFER: Final = "notice_transfer"
PAYMENT_CLAIMS_REGISTER: Final = "payment_claims_register"
CUSTOMER_LOOKUP: Final = "customer_lookup"
DOCUMENTS_SEND: Final = "documents_send"


class MandateKind(StrEnum):
    """How a mandate was given: to a person for the own organisation, or through an organisation that received it."""

    MANDATE_TO_ACT = "mandate_to_act"
    REPRESENTATION = "representation_mandate"


class Mandate(NamedTuple):
    """A mandate of the catalogue: what it `opens`, for which organisation types."""

    id: str
    name: Names
    opens: frozenset[str]
    org_types: frozenset[OrganisationType]
    claims_for: frozenset[OrganisationType]


class Grant(NamedTuple):
    """One mandate as granted to a user.

    Attributes:
        mandate: id in the catalogue; an unknown id (the Incomes Register's look-alike) opens nothing.
        principal: business ID of the organisation acted for.
        chain: business IDs of the organisations between principal and user, in order; empty when direct. The last
            one employs the user.
        employer: business ID of the user's employer.
        valid_to: last day of validity, None without end.
    """

    mandate: str
    kind: MandateKind
    principal: str
    employer: str
    chain: tuple[str, ...]
    valid_from: date
    valid_to: date | None = None


class Agreement(NamedTuple):
    """The organisation's agreement on the use of Kelmu; without a valid one a mandate opens nothing.

    Attributes:
        content: ids of the sections of a customer that it covers, None for all that the law allows.
    """

    organisation: str
    valid_from: date
    valid_to: date | None = None
    content: tuple[str, ...] | None = None


class Reason(StrEnum):
    """Why a capability is denied; the first that applies in this order is told."""

    NO_AGREEMENT = "no_agreement"
    ORGANISATION_TYPE = "organisation_type"
    LOOK_ALIKE = "incomes_register_benefit_viewing"
    WRONG_KIND = "representation_instead_of_mandate"
    FOREIGN_EMPLOYEE = "mandate_given_to_foreign_employee"
    EXPIRED = "mandate_expired"
    NO_MANDATE = "no_mandate"


class Allowed(NamedTuple):
    """The capability is open through `grant`."""

    grant: Grant


class Denied(NamedTuple):
    """The capability is closed; `mandates` (ids) would open it for this organisation type."""

    reason: Reason
    mandates: tuple[str, ...]


LOOK_ALIKE: Final = "incomes_register_benefit_viewing"
"""Id of the Incomes Register's mandate of nearly the same name, picked by mistake again and again."""


def _valid(valid_from: date, valid_to: date | None, on: date) -> bool:
    return valid_from <= on and (valid_to is None or on <= valid_to)


@cache
def mandates() -> Mapping[str, Mandate]:
    """Return the mandates of the catalogue by id."""
    found = {}
    for row in catalogue.table("mandates.toml")["mandate"]:
        types = frozenset(OrganisationType(name) for name in row["org_types"])
        found[row["id"]] = Mandate(
            row["id"],
            Names(row["fi"], row["sv"], row["en"]),
            frozenset(row["opens"]),
            types,
            frozenset(OrganisationType(name) for name in row.get("claims_allowed_for", ())),
        )
    return MappingProxyType(found)


def opens_for(mandate: Mandate, organisation_type: OrganisationType) -> frozenset[str]:
    """Return the capabilities that `mandate` opens in an organisation of `organisation_type`."""
    if organisation_type not in mandate.org_types:
        return frozenset()
    if organisation_type in mandate.claims_for:
        return mandate.opens
    return mandate.opens - {PAYMENT_CLAIMS_REGISTER}


@cache
def all_capabilities() -> frozenset[str]:
    """Return every capability that some mandate opens."""
    return frozenset(name for mandate in mandates().values() for name in mandate.opens)


class Capabilities:
    """What one user may do for one organisation on one day; ask `has` or `explain`."""

    def __init__(
        self, grants: Iterable[Grant], organisation: Organisation, agreement: Agreement | None, on: date
    ) -> None:
        self.organisation = organisation
        self._on = on
        self._agreement = agreement is not None and _valid(agreement.valid_from, agreement.valid_to, on)
        self._grants = [grant for grant in grants if grant.principal == organisation.business_id]
        self._open: dict[str, list[Grant]] = {}
        if self._agreement:
            for grant in self._grants:
                if self._obstacle(grant) is None:
                    for name in opens_for(mandates()[grant.mandate], organisation.type):
                        self._open.setdefault(name, []).append(grant)

    def _obstacle(self, grant: Grant) -> Reason | None:
        """Say why a grant of the catalogue's mandate does not work, None when it does."""
        if grant.mandate not in mandates():
            return Reason.LOOK_ALIKE
        own_matter = grant.employer == grant.principal
        if own_matter and grant.kind is MandateKind.REPRESENTATION:
            return Reason.WRONG_KIND
        if not own_matter and (grant.kind is MandateKind.MANDATE_TO_ACT or grant.chain[-1:] != (grant.employer,)):
            # A municipality mandates the joint authority, and that one its own staff; never past it.
            return Reason.FOREIGN_EMPLOYEE
        if not _valid(grant.valid_from, grant.valid_to, self._on):
            return Reason.EXPIRED
        return None

    @property
    def names(self) -> frozenset[str]:
        """The open capabilities."""
        return frozenset(self._open)

    def has(self, capability: str) -> bool:
        """Tell whether `capability` is open."""
        return capability in self._open

    def openers(self, capability: str) -> tuple[Grant, ...]:
        """Return every grant that opens `capability`: what each shows may differ."""
        return tuple(self._open.get(capability, ()))

    def explain(self, capability: str) -> Allowed | Denied:
        """Say through which grant `capability` is open, or why it is closed and what would open it."""
        if capability in self._open:
            return Allowed(self._open[capability][0])
        kind = self.organisation.type
        openers = tuple(m.id for m in mandates().values() if capability in opens_for(m, kind))
        if not self._agreement:
            return Denied(Reason.NO_AGREEMENT, openers)
        if not openers:
            return Denied(Reason.ORGANISATION_TYPE, ())
        obstacles = {
            self._obstacle(grant) for grant in self._grants if grant.mandate in openers or grant.mandate == LOOK_ALIKE
        }
        for reason in Reason:
            if reason in obstacles:
                return Denied(reason, openers)
        return Denied(Reason.NO_MANDATE, openers)


def capabilities(
    grants: Iterable[Grant], organisation: Organisation, agreement: Agreement | None, on: date
) -> Capabilities:
    """Return what the holder of `grants` may do for `organisation` under `agreement` on the day `on`."""
    return Capabilities(grants, organisation, agreement, on)
