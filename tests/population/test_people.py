"""Nobody in the population exists, everybody in it is possible, and some have difficult names."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from kelmu_backend.population import World
from kelmu_backend.population.lists import chance, inhabitants, odd_names, surnames, table
from kelmu_backend.population.people import Codes, Person, PersonMaker, make_people
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import parse_identity_code
from kelmu_tui.domain.organisations import ALAND_COUNTY, municipalities
from kelmu_tui.domain.text import clean


def test_identity_codes_are_valid_artificial_and_unique(world: World) -> None:
    today = local_date(world.now)
    for person in world.people:
        code = parse_identity_code(person.identity_code, today=today)
        assert code.born == person.born
        individual = int(person.identity_code[7:10])
        assert 900 <= individual <= 999
        assert (individual % 2 == 1) is (person.sex == "m")
    assert len({person.identity_code for person in world.people}) == len(world.people)


def test_all_signs_of_the_living_occur(world: World) -> None:
    assert {person.identity_code[6] for person in world.people} == set("-YXWVUABCDEF")


def test_everybody_is_of_age(world: World) -> None:
    today = local_date(world.now)
    assert all(18 <= (today - person.born).days / 365.25 < 93 for person in world.people)


def test_everybody_lives_somewhere(world: World) -> None:
    places = municipalities()
    assert all(person.municipality in places for person in world.people)
    assert len({person.municipality for person in world.people}) > 200
    assert not [p for p in world.people if p.arrived and places[p.municipality].county == ALAND_COUNTY]


def test_languages_follow_the_municipality(world: World) -> None:
    def part(language: int) -> float:
        people = [
            p for p in world.people if p.arrived is None and municipalities()[p.municipality].language == language
        ]
        return sum(p.language == "sv" for p in people) / len(people)

    assert part(0) < 0.03
    assert 0.08 < part(1) < 0.25
    assert 0.45 < part(3) < 0.8
    assert part(2) > 0.85
    assert Counter(person.language for person in world.people).keys() == {
        "fi", "sv", "se", "ru", "uk", "ar", "so", "vi", "et", "en",
    }  # fmt: skip


def test_difficult_names_occur(world: World) -> None:
    names = [(person.family_name, person.given_names) for person in world.people]
    assert ("", "Maryam") in names
    assert any(len(family) > 70 for family, _ in names)
    assert any(len(family) == 1 and len(given) == 1 for family, given in names)
    letters = {letter for family, given in names for letter in family + given}
    assert set("áčđŋŧåäöÅÖ’'-ễ") <= letters
    assert any("-" in family for family, _ in names)
    # Nothing the text type would change may be in a name: what one searches for is what is stored.
    assert [name for pair in names for name in pair if clean(name) != name] == []


def test_households_make_sense(world: World) -> None:
    year = local_date(world.now).year
    for person in world.people:
        for member in person.household:
            assert member.name.strip()
            assert member.relation in {"spouse", "child", "parent", "other"}
            if member.relation == "child":
                assert person.born.year + 18 < member.born <= year
            if member.relation == "parent":
                assert member.born < person.born.year - 18


def test_telephones_reach_nobody(world: World) -> None:
    assert all((person.telephone or "").startswith("000 ") for person in world.people)


def test_makers_with_other_numbers_never_make_the_same_person() -> None:
    day = date(2026, 11, 24)
    made = make_people(1, 300, day)
    other = PersonMaker(chance("x"), day, Codes(range(980, 1000)))
    live = [other.person("837") for _ in range(300)]
    assert not {p.identity_code for p in made} & {p.identity_code for p in live}


def test_unusual_ages_of_the_lists() -> None:
    maker = PersonMaker(chance("y"), date(2026, 11, 24))
    people = [maker.person("890", young=True) for _ in range(40)]
    assert all(17 < (date(2026, 11, 24) - p.born).days / 365.25 < 25 for p in people)
    assert any(person.language == "se" for person in people)


def test_served_language_and_full_name() -> None:
    maker = PersonMaker(chance("z"), date(2026, 11, 24))
    people: list[Person] = [maker.person("478") for _ in range(30)]
    assert {person.served_in for person in people} <= {"fi", "sv"}
    assert all(person.full_name == f"{person.given_names} {person.family_name}".strip() for person in people)


@pytest.mark.parametrize("language", ["fi", "sv", "se", "ru", "so", "ar", "vi", "et", "en", "uk"])
def test_lists_have_weights_and_no_twins(language: str) -> None:
    source = surnames()[language]
    assert len(set(source.values)) == len(source.values)
    steps = [b - a for a, b in zip((0.0, *source.cumulated), source.cumulated, strict=False)]
    assert min(steps) > 0


def test_lists_cover_the_country() -> None:
    assert inhabitants().keys() == municipalities().keys()
    assert set(table("streets")["post_prefixes"]) == {place.county for place in municipalities().values()}
    assert len(surnames()["fi"].values) > 250
    assert len(odd_names()) > 10
