"""A zoo of access tokens: only ours, for this API, within its time, of a living session, opens anything."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import update

from kelmu_backend.identity import keys, tokens
from kelmu_backend.identity.tables import token_family
from tests.identity.conftest import House


def _verify(house: House, token: str) -> tokens.Principal:
    return tokens.verify_access_token(house.config, house.database, token, house.clock.now())


def _refused(house: House, token: str) -> str:
    with pytest.raises(tokens.InvalidToken) as failure:
        _verify(house, token)
    assert token == "" or token not in str(failure.value)
    return failure.value.reason


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return _open(header), _open(claims)


def _open(part: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return content


def _close(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _signed(house: House, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, keys.ring(house.config).signing(house.clock.now()).key, algorithms=["ES256"])


def test_a_good_token_names_user_session_and_device(house: House) -> None:
    answer = house.http.post(
        "/oauth/device_authorization", data={"client_id": "kelmu-tui"}, headers={"Kelmu-Device": "device-1"}
    ).json()
    house.approve(answer["user_code"])
    held = house.poll(answer["device_code"])[1]
    header, claims = _parts(held["access_token"])
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
    assert claims["iss"] == "http://kelmu.test"
    assert claims["aud"] == "http://kelmu.test/v1"
    assert claims["exp"] - claims["iat"] == held["expires_in"] == 600
    principal = _verify(house, held["access_token"])
    assert principal == tokens.Principal(user="aino", session=claims["sid"], device="device-1")
    with house.database.read() as connection:
        inside = tokens.authenticate(house.config, connection, held["access_token"], house.clock.now())
    assert inside == principal


def test_every_token_has_its_own_number(house: House) -> None:
    held = house.sign_in()
    other = house.refresh(held["refresh_token"])[1]
    assert _parts(held["access_token"])[1]["jti"] != _parts(other["access_token"])[1]["jti"]


CHANGES: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], object], str]] = {
    "other issuer": (lambda _, claims: claims.update(iss="http://evil.test"), "wrong issuer"),
    "other audience": (lambda _, claims: claims.update(aud="http://kelmu.test/other"), "wrong audience"),
    "several audiences": (lambda _, claims: claims.update(aud=["http://kelmu.test/v1", "x"]), "wrong audience"),
    "no audience": (lambda _, claims: claims.pop("aud"), "wrong audience"),
    "id token": (lambda header, _: header.update(typ="JWT"), "wrong type"),
    "logout token": (lambda header, _: header.update(typ="logout+jwt"), "wrong type"),
    "no type": (lambda header, _: header.pop("typ"), "wrong type"),
    "expired": (lambda _, claims: claims.update(exp=claims["iat"]), "expired"),
    "from the future": (lambda _, claims: claims.update(iat=claims["iat"] + 6), "issued in the future"),
    "no expiry": (lambda _, claims: claims.pop("exp"), "no time of issue or expiry"),
    "boolean expiry": (lambda _, claims: claims.update(exp=True), "no time of issue or expiry"),
    "expiry as text": (lambda _, claims: claims.update(exp="2999999999"), "no time of issue or expiry"),
    "endless": (lambda _, claims: claims.update(exp=10**30), "time out of range"),
    "no subject": (lambda _, claims: claims.pop("sub"), "no subject or session"),
    "subject as a number": (lambda _, claims: claims.update(sub=1), "no subject or session"),
    "no session": (lambda _, claims: claims.pop("sid"), "no subject or session"),
    "session of nobody": (lambda _, claims: claims.update(sid="0" * 32), "session ended"),
    "other user's session": (lambda _, claims: claims.update(sub="hostile"), "session ended"),
    "unknown key": (lambda header, _: header.update(kid="unknown"), "unknown key"),
    "no key id": (lambda header, _: header.pop("kid"), "unknown key"),
    "key from elsewhere": (lambda header, _: header.update(jku="http://evil.test/jwks"), "unexpected header"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_zoo_of_well_signed_tokens(house: House, name: str) -> None:
    change, reason = CHANGES[name]
    header, claims = _parts(house.sign_in()["access_token"])
    assert _verify(house, _signed(house, header, claims)).user == "aino"
    change(header, claims)
    assert _refused(house, _signed(house, header, claims)) == reason


def test_zoo_of_badly_signed_tokens(house: House) -> None:
    good = house.sign_in()["access_token"]
    header, claims = _parts(good)
    head, body, signature = good.split(".")
    public = keys.ring(house.config).signing(house.clock.now()).key.as_pem(private=False)
    stranger = ECKey.generate_key("P-256")
    secret = OctKey.import_key(base64.urlsafe_b64encode(public))
    zoo = {
        "none": f"{_close({**header, 'alg': 'none'})}.{body}.",
        "None": f"{_close({**header, 'alg': 'None'})}.{body}.",
        "HS256 with the public key": jwt.encode({**header, "alg": "HS256"}, claims, secret, algorithms=["HS256"]),
        "stranger": jwt.encode(header, claims, stranger, algorithms=["ES256"]),
        "stranger's key inside": jwt.encode(
            {**header, "jwk": stranger.as_dict(private=False)}, claims, stranger, algorithms=["ES256"]
        ),
        "changed claims": f"{head}.{_close({**claims, 'sub': 'hostile'})}.{signature}",
        "empty signature": f"{head}.{body}.",
        "zero signature": f"{head}.{body}.{base64.urlsafe_b64encode(bytes(64)).decode().rstrip('=')}",
        "cut": good[:-10],
        "critical header": f"{_close({**header, 'crit': ['exp']})}.{body}.{signature}",
        "five parts": f"{good}.x.y",
        "no token": "",
        "dots": "..",
        "not ASCII": "ä.ö.å",
        "list as claims": f"{head}.{base64.urlsafe_b64encode(b'[]').decode()}.{signature}",
    }
    for name, token in zoo.items():
        assert _refused(house, token) == "not signed by us", name
    assert _refused(house, good + "a" * 5000) == "too long"


def test_a_token_expires_to_the_second(house: House) -> None:
    token = house.sign_in()["access_token"]
    house.clock.pass_by(seconds=599)
    assert _verify(house, token).user == "aino"
    house.clock.pass_by(seconds=1)
    assert _refused(house, token) == "expired"


def test_an_ended_session_is_refused_at_the_next_call_though_its_token_is_remembered(house: House) -> None:
    token = house.sign_in()["access_token"]
    assert _verify(house, token).user == "aino"
    with house.database.write() as connection:
        connection.execute(update(token_family).values(ended=house.clock.now(), end_reason="administrator"))
    assert _refused(house, token) == "session ended"


def test_remembered_tokens_do_not_survive_their_key(house: House) -> None:
    token = house.sign_in()["access_token"]
    assert _verify(house, token).user == "aino"
    for path in (house.config.secret_folder / keys.FOLDER).glob("signing-*"):
        path.unlink()
    assert _refused(house, token) == "unknown key"


def test_memory_of_checked_tokens_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED", 3)
    held = house.sign_in()
    for _ in range(6):
        held = house.refresh(held["refresh_token"])[1]
        _verify(house, held["access_token"])
    assert len(tokens._memory_of(keys.ring(house.config), house.config)) == 3
