"""The demo's stand-in for the web page, and its absence anywhere else."""

from __future__ import annotations

import pytest

from kelmu_tui.api.contract import PersonaList
from tests.identity.conftest import HOSTILE, House


def test_personas_are_those_of_the_population_and_nobody_else(house: House) -> None:
    listed = PersonaList.model_validate(house.http.get("/v1/demo/personas").json()).personas
    assert [(each.id, each.name, each.organisation) for each in listed] == [
        ("hostile", HOSTILE, "Birkalands välfärdsområde"),  # has a mandate, so comes before those without any
        ("aino", "Aino Virtanen", "Pirkanmaan hyvinvointialue"),
    ]
    assert listed[0].title.sv == "socialarbetare"


@pytest.mark.parametrize("persona", ["real", "nobody"])
def test_only_a_persona_can_approve(house: House, persona: str) -> None:
    begun = house.authorize()
    assert house.approve(begun["user_code"], persona) == 404
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"


@pytest.mark.parametrize(
    "body",
    [{}, {"user_code": "x"}, {"user_code": "x" * 21, "persona": "aino"}, {"user_code": "x", "persona": "a", "more": 1}],
)
def test_bodies_are_checked(house: House, body: dict[str, object]) -> None:
    answer = house.http.post("/v1/demo/approve", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_problems_never_repeat_the_code(house: House) -> None:
    begun = house.authorize()
    house.approve(begun["user_code"])
    answer = house.http.post("/v1/demo/approve", json={"user_code": begun["user_code"], "persona": "aino"})
    assert answer.json()["errors"] == ["approval: used"]
    assert begun["user_code"] not in answer.text


def test_a_real_server_has_no_such_routes(real_house: House) -> None:
    begun = real_house.authorize()
    assert real_house.http.get("/v1/demo/personas").status_code == 404
    assert real_house.approve(begun["user_code"]) == 404
