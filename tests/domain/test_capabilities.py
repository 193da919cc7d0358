"""Mandates to capabilities, against a second reading of the catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import combinations

import pytest

from kelmu_tui.domain.capabilities import (
    LOOK_ALIKE,
    NOTICE_TRANSFER,
    NOTICES_INBOX,
    PAYMENT_CLAIMS_REGISTER,
    Agreement,
    Allowed,
    Capabilities,
    Denied,
    Grant,
    MandateKind,
    Reason,
    all_capabilities,
    capabilities,
    mandates,
)
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType

ON = date(2026, 11, 24)
OWN = "9900001-8"
JOINT = "9900002-6"
OTHER = "9900003-4"
AGREEMENTS = {
    "valid": Agreement(OWN, date(2023, 1, 1)),
    "last day": Agreement(OWN, date(2023, 1, 1), ON),
    "ended": Agreement(OWN, date(2023, 1, 1), ON - timedelta(days=1)),
    "to come": Agreement(OWN, ON + timedelta(days=1)),
    "none": None,
}
WORKING = frozenset({"valid", "last day"})


@cache
def _catalogue() -> dict[str, dict[str, list[str]]]:
    text = (files("kelmu_tui.domain.catalogue") / "mandates.toml").read_text(encoding="utf-8")
    return {row["id"]: row for row in tomllib.loads(text)["mandate"]}


def _expected(ids: tuple[str, ...], kind: OrganisationType) -> frozenset[str]:
    """Say what the catalogue opens for `ids`, in words of its own file."""
    opened = set()
    for row in (_catalogue()[name] for name in ids):
        if kind.value in row["org_types"]:
            claims = kind.value in row.get("claims_allowed_for", [])
            opened |= {name for name in row["opens"] if name != PAYMENT_CLAIMS_REGISTER or claims}
    return frozenset(opened)


def _subsets() -> Iterator[tuple[str, ...]]:
    for size in range(len(_catalogue()) + 1):
        yield from combinations(_catalogue(), size)


def _organisation(kind: OrganisationType) -> Organisation:
    return Organisation(OWN, Names("a", "b", "c"), kind, "08", ("837",))


def _grant(mandate: str) -> Grant:
    return Grant(mandate, MandateKind.MANDATE_TO_ACT, OWN, OWN, (), date(2024, 1, 1))


def _ask(grants: list[Grant], kind: OrganisationType, agreement: str = "valid") -> Capabilities:
    return capabilities(grants, _organisation(kind), AGREEMENTS[agreement], ON)


def _check_agreement_of_answers(found: Capabilities) -> None:
    """`explain`, `has` and `names` tell the same."""
    for name in sorted(all_capabilities()):
        answer = found.explain(name)
        assert isinstance(answer, Allowed) is found.has(name) is (name in found.names)
        if isinstance(answer, Denied):
            for opener in answer.mandates:
                row = _catalogue()[opener]
                assert name in row["opens"]
                assert found.organisation.type.value in row["org_types"]


def test_the_catalogue_has_eight_mandates_and_nine_types() -> None:
    assert len(_catalogue()) == len(mandates()) == 8
    assert len(OrganisationType) == 9
    assert sum(1 for _ in _subsets()) == 2**8
    assert all_capabilities() == {name for row in _catalogue().values() for name in row["opens"]}


@pytest.mark.parametrize("agreement", AGREEMENTS)
@pytest.mark.parametrize("kind", OrganisationType)
def test_every_subset_opens_what_the_catalogue_says(kind: OrganisationType, agreement: str) -> None:
    for ids in _subsets():
        found = _ask([_grant(name) for name in ids], kind, agreement)
        assert found.names == (_expected(ids, kind) if agreement in WORKING else frozenset())


@pytest.mark.parametrize("kind", OrganisationType)
def test_explanations_agree_for_every_subset(kind: OrganisationType) -> None:
    for ids in _subsets():
        _check_agreement_of_answers(_ask([_grant(name) for name in ids], kind))


@pytest.mark.parametrize("kind", OrganisationType)
def test_a_useless_grant_beside_the_others_changes_nothing(kind: OrganisationType) -> None:
    for ids in _subsets():
        grants = [_grant(name) for name in ids]
        useless = [
            _grant(LOOK_ALIKE),
            *(_grant(name)._replace(kind=MandateKind.REPRESENTATION) for name in _catalogue()),
            *(_grant(name)._replace(employer=JOINT) for name in _catalogue()),
            *(_grant(name)._replace(valid_to=ON - timedelta(days=1)) for name in _catalogue()),
            *(_grant(name)._replace(principal=OTHER, employer=OTHER) for name in _catalogue()),
        ]
        found = _ask(useless + grants, kind)
        assert found.names == _expected(ids, kind)


@pytest.mark.parametrize("kind", OrganisationType)
@pytest.mark.parametrize("mandate", [*_catalogue(), LOOK_ALIKE])
@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_each_way_to_go_wrong_has_its_reason(kind: OrganisationType, mandate: str, agreement: str) -> None:
    right = _grant(mandate)
    ways = {
        Reason.WRONG_KIND: right._replace(kind=MandateKind.REPRESENTATION),
        Reason.FOREIGN_EMPLOYEE: right._replace(employer=JOINT),
        Reason.EXPIRED: right._replace(valid_to=ON - timedelta(days=1)),
    }
    for reason, grant in ways.items():
        found = _ask([grant], kind, agreement)
        assert found.names == frozenset()
        _check_agreement_of_answers(found)
        for name in sorted(all_capabilities()):
            answer = found.explain(name)
            assert isinstance(answer, Denied)
            assert answer.reason is _reason(found, name, grant, reason, agreement)


def _reason(found: Capabilities, name: str, grant: Grant, wrong: Reason, agreement: str) -> Reason:
    """Work out from the catalogue what has to be told, in the order of importance."""
    kind = found.organisation.type
    openers = [m for m in _catalogue() if name in _expected((m,), kind)]
    if agreement not in WORKING:
        return Reason.NO_AGREEMENT
    if not openers:
        return Reason.ORGANISATION_TYPE
    if grant.mandate == LOOK_ALIKE:
        return Reason.LOOK_ALIKE
    return wrong if grant.mandate in openers else Reason.NO_MANDATE


def _represented(**changes: object) -> Grant:
    grant = Grant(
        "social_assistance_and_social_care",
        MandateKind.REPRESENTATION,
        OWN,
        JOINT,
        (JOINT,),
        date(2024, 1, 1),
    )
    return grant._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [OrganisationType.ALAND_MUNICIPALITY, OrganisationType.MUNICIPALITY])
def test_a_chain_opens_the_principals_inbox(kind: OrganisationType) -> None:
    for chain in ((JOINT,), (OTHER, JOINT)):
        found = _ask([_represented(chain=chain)], kind)
        assert found.has(NOTICES_INBOX)
        assert found.has(NOTICE_TRANSFER)
        _check_agreement_of_answers(found)


@pytest.mark.parametrize(
    "changes",
    [{"chain": ()}, {"chain": (OTHER,)}, {"chain": (JOINT, OTHER)}, {"kind": MandateKind.MANDATE_TO_ACT}],
)
def test_a_broken_chain_opens_nothing(changes: dict[str, object]) -> None:
    found = _ask([_represented(**changes)], OrganisationType.MUNICIPALITY)
    assert found.names == frozenset()
    answer = found.explain(NOTICES_INBOX)
    assert isinstance(answer, Denied)
    assert answer.reason is Reason.FOREIGN_EMPLOYEE


def test_validity_counts_its_first_and_last_day() -> None:
    grant = _grant("social_assistance_and_social_care")._replace(valid_from=ON, valid_to=ON + timedelta(days=2))
    county = _organisation(OrganisationType.WELLBEING_COUNTY)
    open_on = [
        capabilities([grant], county, AGREEMENTS["valid"], ON + timedelta(days=n)).has(NOTICES_INBOX)
        for n in range(-1, 4)
    ]
    assert open_on == [False, True, True, True, False]


def test_the_explanation_names_the_grant_that_opens() -> None:
    grants = [_grant("benefit_viewing_and_claims"), _grant("social_assistance_and_social_care")]
    answer = _ask(grants, OrganisationType.WELLBEING_COUNTY).explain(NOTICES_INBOX)
    assert answer == Allowed(grants[1])


def test_claims_belong_to_social_care_alone() -> None:
    able = {
        kind
        for kind in OrganisationType
        if _ask([_grant("benefit_viewing_and_claims")], kind).has(PAYMENT_CLAIMS_REGISTER)
    }
    assert able == {
        OrganisationType.WELLBEING_COUNTY,
        OrganisationType.HELSINKI,
        OrganisationType.ALAND_MUNICIPALITY,
        OrganisationType.ALAND_JOINT_AUTHORITY,
    }


def test_an_unknown_capability_is_of_no_organisation() -> None:
    answer = _ask([_grant(name) for name in _catalogue()], OrganisationType.HELSINKI).explain("print_money")
    assert answer == Denied(Reason.ORGANISATION_TYPE, ())


def test_grants_for_others_do_not_count() -> None:
    grant = _grant("social_assistance_and_social_care")._replace(principal=OTHER, employer=OTHER)
    answer = _ask([grant], OrganisationType.WELLBEING_COUNTY).explain(NOTICES_INBOX)
    assert isinstance(answer, Denied)
    assert answer.reason is Reason.NO_MANDATE
    assert answer.mandates == ("social_assistance_and_social_care",)
