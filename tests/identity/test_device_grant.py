"""The device grant by RFC 8628: every answer of the endpoints, in the order a client meets them."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from kelmu_backend.identity import codes, grants
from kelmu_backend.identity.ports import Caller
from kelmu_backend.identity.tables import device_grant, refresh_token
from tests.backend.conftest import database_url as record
from tests.backend.conftest import postgresql
from tests.identity.conftest import FORM, House

__all__ = ["postgresql", "record"]  # fixtures: these tests run on both engines


def test_authorization_has_all_fields_and_is_not_stored(house: House) -> None:
    answer = house.http.post("/oauth/device_authorization", data={"client_id": "kelmu-tui"})
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert body["expires_in"] == 300
    assert body["verification_uri"] == "http://kelmu.test/sign-in"
    complete = urlsplit(body["verification_uri_complete"])
    assert parse_qs(complete.query) == {"user_code": [body["user_code"]]}
    assert body["device_code"] not in body["verification_uri_complete"]


def test_user_codes_hold_40_bits_of_consonants() -> None:
    assert codes.LENGTH * math.log2(len(set(codes.ALPHABET))) >= 40
    made = {codes.new_user_code() for _ in range(200)}
    assert len(made) == 200
    assert set("".join(made)) == set(codes.ALPHABET)
    assert not set(codes.ALPHABET) & set("AEIOUY0123456789")


@pytest.mark.parametrize(
    "typed", ["BCDFG-HJKLM", "bcdfghjklm", " b c d f g h j k l m ", "BCDFG\u2013HJKLM", "bcdfg_hjklm"]
)
def test_typed_codes_are_normalised(typed: str) -> None:
    assert codes.normalise(typed) == "BCDFGHJKLM"
    assert codes.shown("BCDFGHJKLM") == "BCDFG-HJKLM"


@pytest.mark.parametrize("typed", ["", "BCDFG", "BCDFGHJKLMN", "ACDFGHJKLM", "1CDFGHJKLM", "BCDFG'HJKLM", "x" * 9999])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert codes.normalise(typed) is None


def test_poll_waits_then_yields_tokens_once_approved(house: House) -> None:
    begun = house.authorize()
    assert house.poll(begun["device_code"]) == (400, _error("authorization_pending"))
    house.clock.pass_by(seconds=begun["interval"])
    assert house.approve(begun["user_code"].lower().replace("-", " ")) == 204
    status, tokens = house.poll(begun["device_code"])
    assert status == 200
    assert tokens["token_type"] == "Bearer"
    assert 0 < tokens["expires_in"] <= 600
    assert len(tokens["refresh_token"]) == 43


def test_slow_down_raises_the_interval_for_good(house: House) -> None:
    begun = house.authorize()
    interval = begun["interval"]
    answers = []
    for pause in (0, interval - 0.6, interval, interval + 5, interval + 4, interval + 10):
        house.clock.pass_by(seconds=pause)
        answers.append(house.poll(begun["device_code"])[1]["error"])
    assert answers == [
        "authorization_pending",
        "slow_down",  # 0.6 s too early: interval + 5
        "slow_down",  # the old interval is not enough any more: interval + 10
        "slow_down",  # nor is the one in between: interval + 15
        "slow_down",
        "slow_down",
    ]
    house.clock.pass_by(seconds=interval + 25)
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"
    house.clock.pass_by(seconds=interval + 25)
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"


def test_demo_polls_each_second_and_a_real_server_each_five(house: House, real_house: House) -> None:
    assert house.authorize()["interval"] == 1
    assert real_house.authorize()["interval"] == 5


def test_refused_is_access_denied(house: House) -> None:
    begun = house.authorize()
    with house.database.write() as connection:
        grant = connection.execute(select(device_grant.c.id)).scalar_one()
        caller = Caller("192.0.2.9")
        assert grants.decide(connection, grant, "aino", caller, house.clock.now(), approve=False) is None
    assert house.poll(begun["device_code"]) == (400, _error("access_denied"))
    assert house.approve(begun["user_code"]) == 410
    assert ("aino", "sign_in.refused", "done") in house.audit()


@pytest.mark.parametrize("approved", [False, True])
def test_expired_also_when_it_was_approved(house: House, approved: bool) -> None:
    begun = house.authorize()
    if approved:
        assert house.approve(begun["user_code"]) == 204
    house.clock.pass_by(seconds=begun["expires_in"])
    assert house.poll(begun["device_code"]) == (400, _error("expired_token"))
    assert house.approve(begun["user_code"]) == 410


def test_expired_grants_are_forgotten_in_the_end(house: House) -> None:
    old = house.authorize()
    house.clock.pass_by(hours=2)
    house.authorize()
    with house.database.read() as connection:
        assert len(connection.execute(select(device_grant.c.id)).all()) == 1
    assert house.poll(old["device_code"])[1]["error"] == "invalid_grant"


def test_lost_answer_is_repeated_until_its_tokens_were_used(house: House) -> None:
    begun = house.authorize()
    house.approve(begun["user_code"])
    first = house.poll(begun["device_code"])[1]
    again = house.poll(begun["device_code"])[1]
    assert again["refresh_token"] == first["refresh_token"]
    assert house.refresh(first["refresh_token"])[0] == 200
    # From here on a poll can only come from a copy of the device code: the session ends.
    assert house.poll(begun["device_code"]) == (400, _error("invalid_grant"))
    assert house.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"
    assert house.audit()[-1] == ("aino", "session.ended", "replay")


def test_a_used_user_code_approves_nothing(house: House) -> None:
    begun = house.authorize()
    assert house.approve(begun["user_code"]) == 204
    assert house.approve(begun["user_code"], "hostile") == 410
    house.poll(begun["device_code"])
    assert house.approve(begun["user_code"], "hostile") == 410


def test_one_address_cannot_fill_the_table(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MAX_PER_ADDRESS", 2)
    house.authorize()
    house.authorize()
    answer = house.http.post("/oauth/device_authorization", data={"client_id": "kelmu-tui"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    house.clock.pass_by(minutes=5)
    house.authorize()


def test_no_code_or_token_is_stored_in_clear(house: House) -> None:
    begun = house.authorize()
    house.approve(begun["user_code"])
    tokens = house.poll(begun["device_code"])[1]
    code = begun["user_code"].replace("-", "")
    needles = (begun["device_code"], begun["user_code"], code, tokens["refresh_token"], tokens["access_token"])
    with house.database.read() as connection:
        rows = [*connection.execute(select(device_grant)), *connection.execute(select(refresh_token))]
    assert len(rows) == 2
    assert not any(needle in str(row) for needle in needles for row in rows)
    # An unkeyed digest of the code would be tried out in minutes by whoever reads the table.
    assert not any(codes.digest(code) in str(row) for row in rows)


def test_metadata_names_what_is_served(house: House) -> None:
    document = house.http.get("/.well-known/oauth-authorization-server").json()
    assert document["issuer"] == "http://kelmu.test"
    for name in ("device_authorization_endpoint", "token_endpoint", "revocation_endpoint"):
        assert house.http.post(document[name], content=b"", headers=FORM).json()["error"] == "invalid_request"
    published = house.http.get(document["jwks_uri"]).json()["keys"]
    assert [(key["kty"], key["crv"], key["alg"], key["use"]) for key in published] == [("EC", "P-256", "ES256", "sig")]
    assert not any("d" in key for key in published)


def _error(name: str) -> dict[str, Any]:
    described = {
        "authorization_pending": "nobody has approved the sign-in yet",
        "access_denied": "the sign-in was refused",
        "expired_token": "the code has expired",
        "invalid_grant": "the device code isn't valid",
    }
    return {"error": name, "error_description": described[name]}
