"""Requests that the OAuth endpoints refuse, each with the error that RFC 6749 has for it."""

from __future__ import annotations

import pytest

from tests.identity.conftest import DEVICE_GRANT, FORM, House


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"client_id": "kelmu-tui"}, 400, "invalid_request"),
        ({"client_id": "other", "grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_request"),
        ({"client_id": "kelmu-tui", "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "kelmu-tui", "grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"client_id": "kelmu-tui", "grant_type": DEVICE_GRANT}, 400, "invalid_request"),
        ({"client_id": "kelmu-tui", "grant_type": DEVICE_GRANT, "device_code": ""}, 400, "invalid_request"),
        ({"client_id": "kelmu-tui", "grant_type": DEVICE_GRANT, "device_code": "unknown"}, 400, "invalid_grant"),
        ({"client_id": "kelmu-tui", "grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"client_id": "kelmu-tui", "grant_type": "refresh_token", "refresh_token": "ä€\0"}, 400, "invalid_grant"),
        (
            {"client_id": "kelmu-tui", "grant_type": "refresh_token", "refresh_token": "x", "scope": "admin"},
            400,
            "invalid_scope",
        ),
    ],
)
def test_token_endpoint_errors(house: House, fields: dict[str, str], status: int, error: str) -> None:
    answer = house.http.post("/oauth/token", data=fields, headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"client_id=kelmu-tui&client_id=kelmu-tui&grant_type=refresh_token", FORM),
        (b"client_id=%ff%fe&grant_type=refresh_token", FORM),
        (b"\xff\xfe", FORM),
        (b"&".join(b"f%d=1" % number for number in range(50)), FORM),
        (b"client_id=kelmu-tui&token=" + b"x" * 20_000, FORM),
        (b'{"client_id": "kelmu-tui"}', {"Content-Type": "application/json"}),
        (b"client_id=kelmu-tui", {}),
    ],
)
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/device_authorization", "/oauth/revoke"])
def test_bodies_that_are_no_form(house: House, path: str, content: bytes, headers: dict[str, str]) -> None:
    answer = house.http.post(path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_client_with_a_secret_is_no_client_of_ours(house: House) -> None:
    answer = house.http.post("/oauth/token", data={"client_id": "kelmu-tui"}, auth=("kelmu-tui", "secret"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == "Basic"


@pytest.mark.parametrize("device", ["a b", "x" * 61, "a/b"])
def test_a_strange_device_number_is_refused(house: House, device: str) -> None:
    form = {"client_id": "kelmu-tui"}
    answer = house.http.post("/oauth/device_authorization", data=form, headers={"Kelmu-Device": device})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
