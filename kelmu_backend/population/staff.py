"""Organisations, agreements, personas and the workers who handled the older notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from kelmu_backend.population.lists import chance, given_names, surnames, table
from kelmu_backend.population.rows import Row, Worker
from kelmu_tui.domain.capabilities import NOTICES_INBOX, Agreement, Grant, MandateKind, capabilities
from kelmu_tui.domain.organisations import (
    Names,
    Organisation,
    OrganisationType,
    artificial_id,
    directory,
    municipal_authority,
)

SOCIAL_CARE: Final = "social_assistance_and_social_care"
"""The mandate that opens the inbox."""

_TEAM: Final = {
    OrganisationType.WELLBEING_COUNTY: 6,
    OrganisationType.HELSINKI: 6,
    OrganisationType.ALAND_MUNICIPALITY: 2,
    OrganisationType.MUNICIPALITY: 1,
}
_MANDATES_FROM: Final = date(2024, 1, 1)
_AGREEMENTS_FROM: Final = date(2023, 1, 1)


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody who works with Kelmu, as rows, and who may be named as handler of a notice.

    `workers` holds, by business ID, those whose mandates open the organisation's inbox.
    """

    organisations: tuple[Row, ...]
    agreements: tuple[Row, ...]
    users: tuple[Row, ...]
    grants: tuple[Row, ...]
    supervisors: tuple[Row, ...]
    workers: Mapping[str, tuple[Worker, ...]]


def demo_organisations() -> dict[str, Organisation]:
    """Return the joint authorities, the reception centre and the others that the directory does not hold, by key."""
    return {
        row["key"]: Organisation(
            artificial_id(row["series"], row["number"]),
            Names(row["fi"], row["sv"], row["en"]),
            OrganisationType(row["type"]),
            row.get("county"),
            tuple(row["members"]),
        )
        for row in table("personas")["organisation"]
    }


def find_organisation(key: str) -> Organisation:
    """Return the organisation that `personas.toml` calls `key`: `county:08`, `municipality:536` or an own key.

    Raises:
        KeyError: there is none.
    """
    kind, _, code = key.partition(":")
    if kind == "municipality":
        return municipal_authority(code)
    if kind == "county":
        for organisation in directory().values():
            if organisation.type is OrganisationType.WELLBEING_COUNTY and organisation.county == code:
                return organisation
        raise KeyError(key)
    return demo_organisations()[key]


def make_staff(seed: int, today: date) -> Staff:
    """Return organisations, users and grants as they stand on `today`."""
    organisations = {**directory(), **{o.business_id: o for o in demo_organisations().values()}}
    agreements = _agreements(organisations, today)
    users: list[Row] = []
    grants: list[Row] = []
    supervisors: list[Row] = []
    for persona in table("personas")["persona"]:
        users.append(_persona(persona))
        grants.extend(_grant(persona, row, today) for row in persona["grants"])
        supervisors.extend(
            {"user": persona["id"], "organisation": find_organisation(key).business_id}
            for key in persona.get("supervises", ())
        )
    workers = _persona_workers(users, grants, organisations, agreements, today)
    for organisation in organisations.values():
        if organisation.business_id not in agreements:
            continue  # nobody can have handled what nobody may see
        for user, given in _team(chance(f"team/{seed}/{organisation.business_id}"), organisation):
            users.append(user)
            grants.append(given)
            workers.setdefault(organisation.business_id, []).append(Worker(user["id"], user["name"]))
    return Staff(
        tuple(_organisation(o) for o in organisations.values()),
        tuple(agreements.values()),
        tuple(users),
        tuple(grants),
        tuple(supervisors),
        {business_id: tuple(team) for business_id, team in workers.items()},
    )


def _organisation(organisation: Organisation) -> Row:
    return {
        "business_id": organisation.business_id,
        "name_fi": organisation.name.fi,
        "name_sv": organisation.name.sv,
        "name_en": organisation.name.en,
        "type": organisation.type.value,
        "county": organisation.county,
        "municipalities": list(organisation.municipalities),
    }


def _agreements(organisations: Mapping[str, Organisation], today: date) -> dict[str, Row]:
    lists = table("personas")["agreements"]
    missing = {find_organisation(key).business_id for key in lists["missing"]}
    ended = {find_organisation(key).business_id for key in lists["ended"]}
    content = {find_organisation(key).business_id: sections for key, sections in lists["content"].items()}
    return {
        business_id: {
            "organisation": business_id,
            "valid_from": _AGREEMENTS_FROM,
            "valid_to": today - timedelta(days=30) if business_id in ended else None,
            "content": content.get(business_id),
        }
        for business_id in organisations
        if business_id not in missing
    }


def _persona(row: Mapping[str, Any]) -> Row:
    return {
        "id": row["id"],
        "name": row["name"],
        "identity_code": row["customer"]["identity_code"] if "customer" in row else None,
        "language": row["language"],
        "employer": find_organisation(row["employer"]).business_id,
        "persona": True,
        "title_fi": row["fi"],
        "title_sv": row["sv"],
        "title_en": row["en"],
        "grant_revision": 1,
    }


def _grant(persona: Mapping[str, Any], row: Mapping[str, Any], today: date) -> Row:
    through = [find_organisation(key).business_id for key in row.get("through", ())]
    kind = MandateKind.REPRESENTATION if through else MandateKind(row.get("kind", MandateKind.MANDATE_TO_ACT))
    return {
        "user": persona["id"],
        "mandate": row["mandate"],
        "kind": kind.value,
        "principal": find_organisation(row.get("for", persona["employer"])).business_id,
        "employer": find_organisation(persona["employer"]).business_id,
        "chain": through,
        "valid_from": _MANDATES_FROM,
        "valid_to": today - timedelta(days=14) if row.get("ended") else None,
    }


def _persona_workers(
    users: list[Row],
    grants: list[Row],
    organisations: Mapping[str, Organisation],
    agreements: Mapping[str, Row],
    today: date,
) -> dict[str, list[Worker]]:
    """Find by the rules of the domain which personas can have handled notices, and for whom."""
    names = {user["id"]: user["name"] for user in users}
    workers: dict[str, list[Worker]] = {}
    for user, name in names.items():
        own = [_domain_grant(row) for row in grants if row["user"] == user]
        for principal in dict.fromkeys(grant.principal for grant in own):
            signed = agreements.get(principal)
            agreement = Agreement(principal, signed["valid_from"], signed["valid_to"]) if signed else None
            if capabilities(own, organisations[principal], agreement, today).has(NOTICES_INBOX):
                workers.setdefault(principal, []).append(Worker(user, name))
    return workers


def _domain_grant(row: Row) -> Grant:
    return Grant(
        row["mandate"],
        MandateKind(row["kind"]),
        row["principal"],
        row["employer"],
        tuple(row["chain"]),
        row["valid_from"],
        row["valid_to"],
    )


def _team(random: Random, organisation: Organisation) -> list[tuple[Row, Row]]:
    """Return the workers of an organisation that receives notices, each with the mandate that opens the inbox."""
    language = "sv" if organisation.type is OrganisationType.ALAND_MUNICIPALITY else "fi"
    found = []
    for number in range(1, _TEAM.get(organisation.type, 0) + 1):
        given = random.choice(given_names(language, random.choice("ffm"), random.randrange(1965, 2000)))
        user: Row = {
            "id": f"worker-{organisation.business_id}-{number}",
            "name": f"{given} {surnames()[language].draw(random)}",
            "identity_code": None,
            "language": language,
            "employer": organisation.business_id,
            "persona": False,
            "title_fi": "Sosiaaliohjaaja",
            "title_sv": "Socialhandledare",
            "title_en": "Social counsellor",
            "grant_revision": 1,
        }
        grant: Row = {
            "user": user["id"],
            "mandate": SOCIAL_CARE,
            "kind": MandateKind.MANDATE_TO_ACT.value,
            "principal": organisation.business_id,
            "employer": organisation.business_id,
            "chain": [],
            "valid_from": _MANDATES_FROM,
            "valid_to": None,
        }
        found.append((user, grant))
    return found
