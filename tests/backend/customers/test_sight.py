"""No combination of mandates, type, agreement and non-disclosure order lets a hidden value into an answer's bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Any

import pytest
from sqlalchemy import insert, update

from kelmu_backend.customers.reading import MODELS
from kelmu_backend.database import tables
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType
from kelmu_tui.domain.sections import Section
from tests.backend.conftest import World, grant, organisation_row, refusal

from .marked import FIELDS, Marked, away_of_person, catalogue, marked_rows, openers, seen
from .support import REASON, Register, code, lines

CODE = code()
CONTENTS: tuple[tuple[str, ...] | None, ...] = (None, (), ("pending", "payments"), tuple(Section))
USER = "nobody"

MANDATES = [row["id"] for row in catalogue("mandates.toml")["mandate"]]
SHOWING = [row["mandate"] for row in catalogue("customers.toml")["view"]]
OTHERS = [name for name in MANDATES if name not in SHOWING]


def _subsets() -> Iterator[tuple[str, ...]]:
    """Give every subset of the mandates that show anything, each without the other mandates and with them all."""
    for size in range(len(SHOWING) + 1):
        for chosen in combinations(SHOWING, size):
            yield chosen
            yield (*chosen, *OTHERS)


def _benefits() -> list[str]:
    """Return a benefit of each group, and those that a mandate names."""
    first = {benefit.group: benefit.id for benefit in reversed(list(benefits().values()))}
    named = {name for view in catalogue("customers.toml")["view"] for name in view["benefits"]}
    return sorted({*first.values(), *named})


def _purpose(kind: OrganisationType) -> str:
    return str(next(row["id"] for row in catalogue("customers.toml")["purpose"] if kind.value in row["org_types"]))


def test_the_other_mandates_open_nothing_of_a_customer() -> None:
    """So that one subset of them stands for all, and their whole for the rest."""
    capabilities = {"customer_lookup", *(row["capability"] for row in catalogue("customers.toml")["section"])}
    for row in catalogue("mandates.toml")["mandate"]:
        assert bool(capabilities & set(row["opens"])) == (row["id"] in SHOWING), row["id"]


def test_the_marked_rows_have_every_field_of_the_contract() -> None:
    assert {section: set(fields) for section, fields in FIELDS.items()} == {
        section: set(model.model_fields) for section, model in MODELS.items()
    }
    for row in marked_rows(["sickness_allowance"]):
        MODELS[row.section].model_validate_json(json.dumps(row.body))


def _house(world: World, kind: OrganisationType) -> Organisation:
    organisation = Organisation("7700001-1", Names("x", "x", "x"), kind, None, ("837",))
    with world.database.write() as connection:
        connection.execute(insert(tables.organisation), organisation_row(organisation))
        connection.execute(
            insert(tables.agreement), {"organisation": organisation.business_id, "valid_from": world.clock.now().date()}
        )
    return organisation


@pytest.mark.parametrize("kind", OrganisationType)
async def test_everything_visible_and_nothing_hidden_is_in_the_bytes(
    register: Register, kind: OrganisationType
) -> None:
    register.add("p1", CODE, noticed=False, municipality="091", given_names="Ida")
    rows = list(marked_rows(_benefits()))
    for row in rows:
        register.rows("p1", row.section, row.body)
    organisation = _house(register.world, kind)
    answered = 0
    for order, held in product((False, True), _subsets()):
        register.change("p1", non_disclosure=order)
        register.grant(USER, *(grant(name, organisation) for name in held))
        for content in CONTENTS:
            with register.world.database.write() as connection:
                agreement = update(tables.agreement).where(tables.agreement.c.organisation == organisation.business_id)
                connection.execute(agreement.values(content=None if content is None else list(content)))
            answer = await register.ask(CODE, USER, organisation, purpose=_purpose(kind), reason=REASON)
            if not openers(held, kind.value, "customer_lookup"):
                assert refusal(answer)[0] == 403
                assert not any(mark.value in answer.text for row in rows for mark in row.marks)
                continue
            answered += 1
            _check(answer, rows, kind.value, held, content, order=order)
    assert bool(answered) == any(kind.value in _types(name) for name in SHOWING)


def _types(mandate: str) -> Sequence[str]:
    types: Sequence[str] = next(
        row["org_types"] for row in catalogue("mandates.toml")["mandate"] if row["id"] == mandate
    )
    return types


def _check(
    answer: Any, rows: list[Marked], kind: str, held: Sequence[str], content: Sequence[str] | None, *, order: bool
) -> None:
    first, sections = lines(answer)
    person = json.loads(answer.text.splitlines()[0])["person"]
    away = away_of_person(held, kind, order=order)
    assert set(first.hidden_fields) == away
    assert {"address", "telephone", "home_municipality"} - person.keys() == away
    assert ("Katu-p1" in answer.text, "0400-p1" in answer.text) == ("address" not in away, "telephone" not in away)
    sent = {line["section"]: line for line in map(json.loads, answer.text.splitlines()) if line["line"] == "section"}
    assert set(sections) == set(Section)
    for section, line in sections.items():
        found = seen(held, kind, content, section, order=order)
        assert line.hidden == found.hidden
        assert (line.state == "hidden") == (found.hidden is not None)
        expected = [row for row in rows if row.section is section and _shows(found.hidden, found.benefits, row)]
        assert {row["id"] for row in sent[section.value][section.value]} == {row.body["id"] for row in expected}
        if found.hidden is None:
            assert line.narrowed == (found.benefits is not None)
            assert set(line.hidden_fields) == found.away
            for one in sent[section.value][section.value]:
                assert one.keys() == FIELDS[section].keys() - found.away
        if found.hidden == "mandate":
            assert set(line.mandates) == set(openers(MANDATES, kind, _capability(section)))
        for row in rows:
            if row.section is section:
                shown = row in expected
                for mark in row.marks:
                    visible = shown and mark.field not in found.away and mark.field in FIELDS[section]
                    assert (mark.value in answer.text) == visible, mark


def _shows(hidden: str | None, covered: frozenset[str] | None, row: Marked) -> bool:
    return hidden is None and (covered is None or row.benefit is None or row.benefit in covered)


def _capability(section: Section) -> str:
    facts = {row["id"]: row["capability"] for row in catalogue("customers.toml")["section"]}
    return str(facts[section.value])
