"""The map of Finland: counts, languages, who organises what, and business IDs."""

from __future__ import annotations

from collections import Counter

import pytest

from kelmu_tui.domain.identifiers import is_business_id
from kelmu_tui.domain.organisations import (
    ALAND_COUNTY,
    HELSINKI,
    HELSINKI_COUNTY,
    Names,
    OrganisationType,
    artificial_id,
    check_digit,
    counties,
    directory,
    municipal_authority,
    municipalities,
    social_care_organiser,
)


def test_counts() -> None:
    assert len(municipalities()) == 308
    assert len(counties()) == 23
    assert len(set(counties()) - {HELSINKI_COUNTY, ALAND_COUNTY}) == 21
    assert Counter(place.language for place in municipalities().values()) == {0: 259, 1: 18, 2: 16, 3: 15}
    assert sum(place.county == ALAND_COUNTY for place in municipalities().values()) == 16
    assert Counter(organisation.type for organisation in directory().values()) == {
        OrganisationType.WELLBEING_COUNTY: 21,
        OrganisationType.HELSINKI: 1,
        OrganisationType.ALAND_MUNICIPALITY: 16,
        OrganisationType.MUNICIPALITY: 291,
    }


def test_codes_and_names() -> None:
    for code, place in municipalities().items():
        assert place.code == code
        assert len(code) == 3
        assert code.isdecimal()
        assert place.county in counties()
        for name in (place.name.fi, place.name.sv, place.name.en):
            assert name == name.strip() != ""
    assert len({place.name.fi for place in municipalities().values()}) == 308
    # Gone since 2025, and the two that old address lists still carry.
    assert not {"Pertunmaa", "Honkajoki", "Valtimo"} & {place.name.fi for place in municipalities().values()}


def test_business_ids_are_valid_and_unique() -> None:
    assert all(is_business_id(business_id) for business_id in directory())
    assert all(organisation.business_id == key for key, organisation in directory().items())
    assert len(directory()) == 329
    real = {"0201256-6", "3221347-3"}
    assert real <= directory().keys()
    assert all(business_id[0] in "789" for business_id in directory().keys() - real)


@pytest.mark.parametrize("code", sorted(municipalities()))
def test_every_municipality_has_an_organiser_and_an_authority(code: str) -> None:
    place = municipalities()[code]
    organiser, authority = social_care_organiser(code), municipal_authority(code)
    assert code in organiser.municipalities
    assert authority.municipalities == (code,)
    match place.county:
        case "90":
            assert organiser is authority
            assert organiser.type is OrganisationType.HELSINKI
            assert code == HELSINKI
        case "91":
            assert organiser is authority
            assert organiser.type is OrganisationType.ALAND_MUNICIPALITY
        case county:
            assert organiser.type is OrganisationType.WELLBEING_COUNTY
            assert organiser.county == county
            assert authority.type is OrganisationType.MUNICIPALITY


def test_counties_hold_exactly_their_municipalities() -> None:
    for organisation in directory().values():
        if organisation.type is OrganisationType.WELLBEING_COUNTY:
            own = {code for code, place in municipalities().items() if place.county == organisation.county}
            assert set(organisation.municipalities) == own
            assert len(organisation.municipalities) == len(own)


@pytest.mark.parametrize("code", ["000", "588", "", "91", "0911"])
def test_unknown_municipalities_are_refused(code: str) -> None:
    for ask in (social_care_organiser, municipal_authority):
        with pytest.raises(KeyError):
            ask(code)


def test_names_fall_back_to_finnish() -> None:
    names = Names("Turku", "Åbo", "Turku (en)")
    assert [names.get(language) for language in ("fi", "sv", "en", "de", "")] == [
        "Turku",
        "Åbo",
        "Turku (en)",
        "Turku",
        "Turku",
    ]


def test_check_digits() -> None:
    assert check_digit("9900001") == 8
    assert check_digit("9900005") == 0
    assert check_digit("9900000") is None
    assert check_digit("9900019") is None


@pytest.mark.parametrize("series", ["70", "88", "95", "96", "97", "98", "99"])
def test_artificial_ids(series: str) -> None:
    made = [artificial_id(series, number) for number in range(1000)]
    assert len(set(made)) == 1000
    assert all(is_business_id(text) and text.startswith(series) for text in made)
