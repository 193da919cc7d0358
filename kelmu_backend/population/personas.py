"""Personas who are customers themselves: whoever looks themselves up has to say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from kelmu_backend.population.lists import chance, table
from kelmu_backend.population.people import Member, Person, PersonMaker
from kelmu_tui.domain.identifiers import parse_identity_code


def persona_codes() -> tuple[str, ...]:
    """Return the identity codes of the personas who are customers."""
    return tuple(row["customer"]["identity_code"] for row in _customers())


def make_personas(seed: int, today: date) -> tuple[Person, ...]:
    """Return these personas as customers, whose names, codes and households are those of `personas.toml`."""
    maker = PersonMaker(chance(f"personas/{seed}"), today)
    return tuple(_person(maker, row, today) for row in _customers())


def _customers() -> list[Mapping[str, Any]]:
    return [row for row in table("personas")["persona"] if "customer" in row]


def _person(maker: PersonMaker, row: Mapping[str, Any], today: date) -> Person:
    customer = row["customer"]
    code = parse_identity_code(customer["identity_code"], today=today)
    given, _, family = row["name"].rpartition(" ")
    while (neighbour := maker.person(customer["municipality"], settled=True)).language != row["language"]:
        pass  # the address is in the language of the customer
    return replace(
        neighbour,
        identity_code=code.value,
        family_name=family,
        given_names=given,
        sex="m" if int(code.value[7:10]) % 2 else "f",
        born=code.born,
        non_disclosure=False,
        household=tuple(Member(**member) for member in customer["household"]),
    )
