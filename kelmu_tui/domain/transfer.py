"""Where a notice may go: the holders that the law and the catalogue allow.

Five kinds belong to who organises social care (county, Helsinki, Åland municipality); immigrant notices belong to
the municipality since 2025 (`notices.toml`, `recipients`).
"""

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from kelmu_tui.domain.notices import Kind
from kelmu_tui.domain.organisations import (
    HELSINKI,
    Organisation,
    OrganisationType,
    municipal_authority,
    municipalities,
    social_care_organiser,
)

IMMIGRANTS_TO_MUNICIPALITIES: Final = date(2025, 1, 1)
"""First day on which immigrant notices go to municipalities (`notices.toml`, note of `immigrant_2_months`)."""


class Rule(StrEnum):
    """What a transfer means for who holds the notice."""

    WITHIN_COUNTY = "within_county"
    TO_OTHER_COUNTY = "to_other_county"
    TO_HELSINKI_OR_ALAND = "to_helsinki_or_aland"
    TO_OTHER_MUNICIPALITY = "to_other_municipality"


class Target(NamedTuple):
    """A legal target: the municipality (code), who would hold the notice there, and the rule that allows it."""

    municipality: str
    organisation: Organisation
    rule: Rule


def recipient(kind: Kind, municipality: str, on: date) -> Organisation | None:
    """Return who receives a notice of `kind` for a municipality (code) on a day; None when nobody does.

    Raises:
        KeyError: there is no such municipality.
    """
    if kind is Kind.IMMIGRANT and on >= IMMIGRANTS_TO_MUNICIPALITIES:
        holder = municipal_authority(municipality)
        # Åland runs integration under its own law: the catalogue names only mainland municipalities and Helsinki.
        return None if holder.type is OrganisationType.ALAND_MUNICIPALITY else holder
    return social_care_organiser(municipality)


def transfer_options(kind: Kind, organisation: str, municipality: str, on: date) -> tuple[Target, ...]:
    """Return the legal targets of a notice of `kind` held by `organisation` (business ID) for `municipality` (code).

    The own place is not among them. Targets inside the own organisation come first, then the others by name.
    """
    return _options(kind, organisation, municipality, on >= IMMIGRANTS_TO_MUNICIPALITIES)


@cache
def _options(kind: Kind, organisation: str, municipality: str, since_2025: bool) -> tuple[Target, ...]:
    on = IMMIGRANTS_TO_MUNICIPALITIES if since_2025 else date(2024, 12, 31)
    targets = []
    for code in municipalities():
        holder = recipient(kind, code, on)
        if holder is not None and code != municipality:
            targets.append(Target(code, holder, _rule(organisation, holder, code)))
    names = municipalities()
    targets.sort(key=lambda t: (t.organisation.business_id != organisation, names[t.municipality].name.fi))
    return tuple(targets)


def _rule(organisation: str, holder: Organisation, code: str) -> Rule:
    if holder.business_id == organisation:
        return Rule.WITHIN_COUNTY
    if code == HELSINKI or holder.type is OrganisationType.ALAND_MUNICIPALITY:
        return Rule.TO_HELSINKI_OR_ALAND
    if holder.type is OrganisationType.MUNICIPALITY:
        return Rule.TO_OTHER_MUNICIPALITY
    return Rule.TO_OTHER_COUNTY


def find_target(kind: Kind, organisation: str, municipality: str, to: str, on: date) -> Target | None:
    """Return the legal target with municipality code `to`, None when the rules do not allow it."""
    return next((t for t in transfer_options(kind, organisation, municipality, on) if t.municipality == to), None)
