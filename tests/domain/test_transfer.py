"""Where a notice may go: every legal place once, no other, each with the right rule."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from kelmu_tui.domain.notices import Kind
from kelmu_tui.domain.organisations import (
    ALAND_COUNTY,
    HELSINKI,
    HELSINKI_COUNTY,
    Organisation,
    OrganisationType,
    counties,
    municipal_authority,
    municipalities,
    social_care_organiser,
)
from kelmu_tui.domain.transfer import IMMIGRANTS_TO_MUNICIPALITIES, Rule, find_target, recipient, transfer_options

ON = date(2026, 11, 24)
BEFORE = date(2024, 12, 31)
SOCIAL_CARE = [kind for kind in Kind if kind is not Kind.IMMIGRANT]
ALAND = {code for code, place in municipalities().items() if place.county == ALAND_COUNTY}
SENDERS = ["837", "853", HELSINKI, "478", "536", "049", "890", "170"]
"""Tampere, Turku, Helsinki, Mariehamn, Nokia, Espoo, Utsjoki, Jomala."""


def _holder(kind: Kind, code: str, on: date = ON) -> Organisation:
    found = recipient(kind, code, on)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", SOCIAL_CARE)
@pytest.mark.parametrize("code", SENDERS)
def test_social_care_reaches_everywhere_but_here(kind: Kind, code: str) -> None:
    holder = _holder(kind, code)
    targets = transfer_options(kind, holder.business_id, code, ON)
    assert Counter(target.municipality for target in targets) == Counter(set(municipalities()) - {code})
    for target in targets:
        assert target.organisation == social_care_organiser(target.municipality)
        place = municipalities()[target.municipality]
        if target.organisation.business_id == holder.business_id:
            assert target.rule is Rule.WITHIN_COUNTY
            assert place.county == municipalities()[code].county
        elif place.county in (HELSINKI_COUNTY, ALAND_COUNTY):
            assert target.rule is Rule.TO_HELSINKI_OR_ALAND
        else:
            assert target.rule is Rule.TO_OTHER_COUNTY
    reached = {municipalities()[target.municipality].county for target in targets}
    assert reached >= set(counties()) - {municipalities()[code].county}


@pytest.mark.parametrize("code", [code for code in SENDERS if code not in ALAND])
def test_immigrants_go_from_municipality_to_municipality(code: str) -> None:
    holder = _holder(Kind.IMMIGRANT, code)
    targets = transfer_options(Kind.IMMIGRANT, holder.business_id, code, ON)
    assert {target.municipality for target in targets} == set(municipalities()) - ALAND - {code}
    for target in targets:
        assert target.organisation == municipal_authority(target.municipality)
        assert target.organisation.type in (OrganisationType.MUNICIPALITY, OrganisationType.HELSINKI)
        expected = Rule.TO_HELSINKI_OR_ALAND if target.municipality == HELSINKI else Rule.TO_OTHER_MUNICIPALITY
        assert target.rule is expected


def test_immigrants_before_the_reform() -> None:
    assert _holder(Kind.IMMIGRANT, "837", BEFORE).type is OrganisationType.WELLBEING_COUNTY
    assert _holder(Kind.IMMIGRANT, "478", BEFORE).type is OrganisationType.ALAND_MUNICIPALITY
    assert _holder(Kind.IMMIGRANT, "837", IMMIGRANTS_TO_MUNICIPALITIES).type is OrganisationType.MUNICIPALITY
    assert recipient(Kind.IMMIGRANT, "478", IMMIGRANTS_TO_MUNICIPALITIES) is None


@pytest.mark.parametrize("kind", Kind)
def test_recipients_are_those_of_the_catalogue(kind: Kind) -> None:
    types = {found.type for code in municipalities() if (found := recipient(kind, code, ON)) is not None}
    if kind is Kind.IMMIGRANT:
        assert types == {OrganisationType.MUNICIPALITY, OrganisationType.HELSINKI}
    else:
        assert types == {
            OrganisationType.WELLBEING_COUNTY,
            OrganisationType.HELSINKI,
            OrganisationType.ALAND_MUNICIPALITY,
        }


@pytest.mark.parametrize("kind", Kind)
def test_the_way_there_leads_back(kind: Kind) -> None:
    here = "837"
    holder = _holder(kind, here)
    for target in transfer_options(kind, holder.business_id, here, ON):
        back = find_target(kind, target.organisation.business_id, target.municipality, here, ON)
        assert back is not None
        assert back.organisation == holder
        assert (back.rule is Rule.WITHIN_COUNTY) is (target.rule is Rule.WITHIN_COUNTY)


@pytest.mark.parametrize("kind", SOCIAL_CARE)
def test_own_places_come_first_then_names(kind: Kind) -> None:
    holder = _holder(kind, "837")
    targets = transfer_options(kind, holder.business_id, "837", ON)
    own = [target.rule is Rule.WITHIN_COUNTY for target in targets]
    assert own == sorted(own, reverse=True)
    assert sum(own) == len(holder.municipalities) - 1
    for group in (targets[: sum(own)], targets[sum(own) :]):
        names = [municipalities()[target.municipality].name.fi for target in group]
        assert all(earlier < later for earlier, later in pairwise(names))


@pytest.mark.parametrize(
    ("kind", "code", "to"),
    [
        (Kind.APPLICATION, "837", "837"),
        (Kind.APPLICATION, "837", "000"),
        (Kind.APPLICATION, "837", "588"),
        (Kind.APPLICATION, "837", ""),
        (Kind.IMMIGRANT, "837", "478"),
        (Kind.IMMIGRANT, "837", "837"),
    ],
)
def test_illegal_targets(kind: Kind, code: str, to: str) -> None:
    assert find_target(kind, _holder(kind, code).business_id, code, to, ON) is None


def test_unknown_municipalities_have_no_recipient() -> None:
    for kind in Kind:
        with pytest.raises(KeyError):
            recipient(kind, "588", ON)
