"""Municipalities, counties and the organisations that receive notices.

Municipalities and counties are Statistics Finland's classification (`municipalities.csv`, `wellbeing_counties.csv`).
Business IDs of public bodies stand there only where a source gave them; the others are artificial and computed from
the code, with bodies from the series 98 and 99 that has never been issued (assumption of ours, `_artificial_id`).
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from kelmu_tui.domain import catalogue

HELSINKI_COUNTY: Final = "90"
ALAND_COUNTY: Final = "91"
"""Pseudo codes of the statistics: Helsinki organises its own services, Åland has no county."""

HELSINKI: Final = "091"


class OrganisationType(StrEnum):
    """Kinds of organisations that may use Kelmu (`mandates.toml`)."""

    WELLBEING_COUNTY = "wellbeing_county"
    HELSINKI = "helsinki"
    ALAND_MUNICIPALITY = "aland_municipality"
    ALAND_JOINT_AUTHORITY = "aland_joint_authority"
    MUNICIPALITY = "municipality"
    MUNICIPAL_JOINT_AUTHORITY = "municipal_joint_authority"
    EMPLOYMENT_AREA = "employment_area"
    RECEPTION_CENTRE = "reception_centre"
    OTHER_AUTHORITY = "other_authority"


class Language(StrEnum):
    """Languages of the interface and of service."""

    FI = "fi"
    SV = "sv"
    EN = "en"


class Names(NamedTuple):
    """One name in the three languages of the interface."""

    fi: str
    sv: str
    en: str

    def get(self, language: str) -> str:
        """Return the name in `language`, in Finnish when it is none of the three."""
        return {"sv": self.sv, "en": self.en}.get(language, self.fi)


class Municipality(NamedTuple):
    """A municipality: three-digit code, county code (90 Helsinki, 91 Åland), language as the statistics code it."""

    code: str
    name: Names
    county: str
    language: int


class County(NamedTuple):
    """A wellbeing services county, or the pseudo county of Helsinki or Åland."""

    code: str
    name: Names
    short_name: Names
    business_id: str | None


class Organisation(NamedTuple):
    """An organisation that acts in Kelmu.

    Attributes:
        municipalities: codes of the municipalities whose notices or material it may hold.
        county: code of its county, None for those outside.
    """

    business_id: str
    name: Names
    type: OrganisationType
    county: str | None
    municipalities: tuple[str, ...]


def check_digit(body: str) -> int | None:
    """Return the check digit of a seven-digit business ID body, None when the body is never issued."""
    remainder = sum(int(digit) * weight for digit, weight in zip(body, (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    if remainder == 1:
        return None
    return 0 if remainder == 0 else 11 - remainder


def artificial_id(series: str, number: int) -> str:
    """Return a valid business ID of our own from a two-digit `series` (70–99) and a `number` below 1000."""
    for variant in range(10):
        body = f"{series}{number:04d}{variant}"
        digit = check_digit(body)
        if digit is not None:
            return f"{body}-{digit}"
    raise AssertionError("ten bodies in a row cannot all lack a check digit")


@cache
def municipalities() -> Mapping[str, Municipality]:
    """Return the 308 municipalities of 2025 and 2026 by code."""
    return MappingProxyType(
        {
            row["code"]: Municipality(
                row["code"],
                Names(row["name_fi"], row["name_sv"], row["name_en"]),
                row["wellbeing_county_code"],
                int(row["language"]),
            )
            for row in catalogue.rows("municipalities.csv")
        }
    )


@cache
def counties() -> Mapping[str, County]:
    """Return the 21 counties and the pseudo counties of Helsinki and Åland by code."""
    return MappingProxyType(
        {
            row["code"]: County(
                row["code"],
                Names(row["name_fi"], row["name_sv"], row["name_en"]),
                Names(row["short_name_fi"], row["short_name_sv"], row["name_en"]),
                row["business_id"] or None,
            )
            for row in catalogue.rows("wellbeing_counties.csv")
        }
    )


@cache
def directory() -> Mapping[str, Organisation]:
    """Return the public organisations that can hold notices or material, by business ID.

    These are the 21 counties, Helsinki, the 16 municipalities of Åland and the 291 others. Joint authorities,
    reception centres and employment areas act through mandates and are known to the backend alone.
    """
    found: dict[str, Organisation] = {}
    by_county: dict[str, list[str]] = {}
    for municipality in municipalities().values():
        by_county.setdefault(municipality.county, []).append(municipality.code)
    for county in counties().values():
        if county.code in (HELSINKI_COUNTY, ALAND_COUNTY):
            continue
        business_id = county.business_id or artificial_id("99", int(county.code))
        found[business_id] = Organisation(
            business_id, county.name, OrganisationType.WELLBEING_COUNTY, county.code, tuple(by_county[county.code])
        )
    for municipality in municipalities().values():
        organisation = _municipal_organisation(municipality)
        found[organisation.business_id] = organisation
    return MappingProxyType(found)


def _municipal_organisation(municipality: Municipality) -> Organisation:
    if municipality.code == HELSINKI:
        county = counties()[HELSINKI_COUNTY]
        business_id = county.business_id or artificial_id("98", int(HELSINKI))
        return Organisation(business_id, county.name, OrganisationType.HELSINKI, county.code, (HELSINKI,))
    kind = OrganisationType.ALAND_MUNICIPALITY if municipality.county == ALAND_COUNTY else OrganisationType.MUNICIPALITY
    return Organisation(
        artificial_id("98", int(municipality.code)), municipality.name, kind, municipality.county, (municipality.code,)
    )


@cache
def _holders() -> Mapping[tuple[OrganisationType, str], Organisation]:
    return {(o.type, code): o for o in directory().values() for code in o.municipalities}


def social_care_organiser(municipality: str) -> Organisation:
    """Return who organises social care in a municipality (code): its county, Helsinki or the Åland municipality.

    Raises:
        KeyError: there is no such municipality.
    """
    if municipality not in municipalities():
        raise KeyError(municipality)
    for kind in (OrganisationType.WELLBEING_COUNTY, OrganisationType.HELSINKI, OrganisationType.ALAND_MUNICIPALITY):
        holder = _holders().get((kind, municipality))
        if holder is not None:
            return holder
    raise AssertionError("every municipality has an organiser")


def municipal_authority(municipality: str) -> Organisation:
    """Return the municipality (code) itself as an organisation: Helsinki and Åland municipalities are their own.

    Raises:
        KeyError: there is no such municipality.
    """
    if municipality not in municipalities():
        raise KeyError(municipality)
    for kind in (OrganisationType.MUNICIPALITY, OrganisationType.HELSINKI, OrganisationType.ALAND_MUNICIPALITY):
        holder = _holders().get((kind, municipality))
        if holder is not None:
            return holder
    raise AssertionError("every municipality is an organisation")
