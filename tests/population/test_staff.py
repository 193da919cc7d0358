"""Organisations, agreements and personas: each persona opens and explains what it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from kelmu_backend.population import World
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.domain.capabilities import (
    NOTICE_TRANSFER,
    NOTICES_INBOX,
    Agreement,
    Allowed,
    Capabilities,
    Denied,
    Grant,
    MandateKind,
    Reason,
    capabilities,
)
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import is_business_id
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType, directory
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Hidden, Section, sight


def _grants(world: World, user: str) -> list[Grant]:
    return [
        Grant(
            row["mandate"],
            MandateKind(row["kind"]),
            row["principal"],
            row["employer"],
            tuple(row["chain"]),
            row["valid_from"],
            row["valid_to"],
        )
        for row in world.staff.grants
        if row["user"] == user
    ]


def _capabilities(world: World, user: str, key: str) -> Capabilities:
    business_id = find_organisation(key).business_id
    row = next(row for row in world.staff.organisations if row["business_id"] == business_id)
    organisation = Organisation(
        business_id,
        Names(row["name_fi"], row["name_sv"], row["name_en"]),
        OrganisationType(row["type"]),
        row["county"],
        tuple(row["municipalities"]),
    )
    return capabilities(_grants(world, user), organisation, _agreement(world, key), local_date(world.now))


def _agreement(world: World, key: str) -> Agreement | None:
    business_id = find_organisation(key).business_id
    signed = next((a for a in world.staff.agreements if a["organisation"] == business_id), None)
    if signed is None:
        return None
    content = None if signed["content"] is None else tuple(signed["content"])
    return Agreement(business_id, signed["valid_from"], signed["valid_to"], content)


def _hidden(world: World, user: str, key: str) -> dict[str, Hidden | None]:
    """Return for each section why the persona does not see it."""
    found, agreement = _capabilities(world, user, key), _agreement(world, key)
    return {section.value: sight(found, agreement, section).hidden for section in Section}


@pytest.mark.parametrize(
    ("user", "key"),
    [
        ("persona-county-worker", "county:08"),
        ("persona-county-colleague", "county:08"),
        ("persona-county-receiver", "county:05"),
        ("persona-helsinki-worker", "municipality:091"),
        ("persona-aland-worker", "municipality:478"),
        ("persona-aland-joint-authority", "municipality:170"),
        ("persona-aland-joint-authority", "municipality:060"),
        ("persona-joint-authority", "municipality:508"),
        ("persona-integration-services", "municipality:092"),
        ("persona-supervisor", "county:08"),
    ],
)
def test_inboxes_open(world: World, user: str, key: str) -> None:
    found = _capabilities(world, user, key)
    assert found.has(NOTICES_INBOX)
    assert found.has(NOTICE_TRANSFER)
    assert isinstance(found.explain(NOTICES_INBOX), Allowed)


@pytest.mark.parametrize(
    ("user", "key", "capability", "reason"),
    [
        ("persona-look-alike", "county:08", NOTICES_INBOX, Reason.LOOK_ALIKE),
        ("persona-wrong-kind", "county:08", NOTICES_INBOX, Reason.WRONG_KIND),
        ("persona-expired", "county:08", NOTICES_INBOX, Reason.EXPIRED),
        ("persona-no-mandate", "county:08", NOTICES_INBOX, Reason.NO_MANDATE),
        ("persona-no-agreement", "municipality:697", NOTICES_INBOX, Reason.NO_AGREEMENT),
        ("persona-foreign-employee", "municipality:508", "list_childcare_payments", Reason.FOREIGN_EMPLOYEE),
        ("persona-reception-centre", "reception:1", NOTICES_INBOX, Reason.ORGANISATION_TYPE),
        ("persona-joint-authority", "municipality:702", "list_childcare_payments", Reason.NO_AGREEMENT),
        ("persona-joint-authority", "municipality:177", "list_childcare_payments", Reason.NO_AGREEMENT),
        ("persona-joint-authority", "municipality:291", NOTICES_INBOX, Reason.NO_MANDATE),
    ],
)
def test_closed_doors_say_why(world: World, user: str, key: str, capability: str, reason: Reason) -> None:
    answer = _capabilities(world, user, key).explain(capability)
    assert isinstance(answer, Denied)
    assert answer.reason is reason


def test_the_other_personas_open_what_they_are_for(world: World) -> None:
    assert _capabilities(world, "persona-invoice-checker", "municipality:536").has("list_lms_invoice_persons_2025")
    assert not _capabilities(world, "persona-invoice-checker", "municipality:536").has(NOTICES_INBOX)
    county = _capabilities(world, "persona-county-invoices", "county:08")
    assert county.has("list_treatment_abroad_reimbursements")
    assert county.has("list_lms_300_days")
    assert _capabilities(world, "persona-reception-centre", "reception:1").has("pending_matters")


NARROW = {"pending": None, "decisions": None, "payments": None}
"""The sections that the narrow mandates show."""


@pytest.mark.parametrize(
    ("user", "key", "shown", "why"),
    [
        ("persona-county-worker", "county:08", dict.fromkeys(Section), None),
        ("persona-county-receiver", "county:05", dict.fromkeys(Section), None),
        (
            "persona-aland-worker",
            "municipality:478",
            {**NARROW, "claims": None, "insurance": None, "recovery": None},
            Hidden.AGREEMENT,
        ),
        ("persona-helsinki-integration", "municipality:091", NARROW, Hidden.MANDATE),
        ("persona-integration-services", "municipality:092", NARROW, Hidden.LAW),
        ("persona-reception-centre", "reception:1", {**NARROW, "insurance": None}, Hidden.LAW),
    ],
)
def test_sections_are_hidden_for_every_reason(
    world: World, user: str, key: str, shown: dict[str, None], why: Hidden | None
) -> None:
    assert _capabilities(world, user, key).has(CUSTOMER_LOOKUP)
    assert _hidden(world, user, key) == {section: why for section in Section if section not in shown} | shown


def test_joint_authority_workers_act_for_several_principals(world: World) -> None:
    for user in ("persona-joint-authority", "persona-aland-joint-authority"):
        grants = _grants(world, user)
        assert len({grant.principal for grant in grants}) >= 4
        for grant in grants:
            assert grant.kind is MandateKind.REPRESENTATION
            assert grant.chain == (grant.employer,)


def test_the_supervisor_supervises(world: World) -> None:
    county = find_organisation("county:08").business_id
    assert world.staff.supervisors == ({"user": "persona-supervisor", "organisation": county},)


def test_organisations_are_complete_and_ids_valid(world: World) -> None:
    rows = {row["business_id"]: row for row in world.staff.organisations}
    assert len(rows) == len(world.staff.organisations)
    assert directory().keys() <= rows.keys()
    assert all(is_business_id(business_id) for business_id in rows)
    assert {row["type"] for row in rows.values()} == {kind.value for kind in OrganisationType}
    for row in rows.values():
        assert row["name_fi"]
        assert row["name_sv"]
        assert row["name_en"]


def test_references_hold(world: World) -> None:
    staff = world.staff
    known = {row["business_id"] for row in staff.organisations}
    users = [row["id"] for row in staff.users]
    assert len(set(users)) == len(users)
    for row in staff.users:
        assert row["employer"] in known
        assert len(row["id"]) <= 40
    for grant in staff.grants:
        assert grant["user"] in users
        assert {grant["principal"], grant["employer"], *grant["chain"]} <= known
    assert {row["organisation"] for row in staff.agreements} < known


def test_names_of_personas_are_nobodys_namesake_in_the_team(world: World) -> None:
    def names(persona: bool) -> list[Any]:
        return [row["name"] for row in world.staff.users if row["persona"] is persona]

    assert len(names(True)) == len(set(names(True))) >= 15


def test_unknown_keys_are_refused() -> None:
    for key in ("county:99", "municipality:000", "joint:nowhere"):
        with pytest.raises(KeyError):
            find_organisation(key)
