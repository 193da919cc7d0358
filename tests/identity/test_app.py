"""Sign-in inside the whole backend: a token of the device grant opens the API, and nothing does after sign-out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kelmu_backend.app import create_app
from kelmu_backend.database.engine import Database
from kelmu_tui.api.contract import SessionInfo
from tests.identity.conftest import House, build


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[House]:
    """Give the whole backend, its loops standing still."""
    prepared = build(tmp_path)
    prepared.close()
    config = replace(prepared.config, background=False)
    app = create_app(config)
    whole = House(config, prepared.clock, Database(config.database_url), app, asyncio.Runner())
    life = app.router.lifespan_context(app)

    async def start() -> None:
        await life.__aenter__()

    async def stop() -> None:
        await life.__aexit__(None, None, None)

    whole.runner.run(start())
    yield whole
    whole.runner.run(stop())
    whole.close()


def test_a_token_opens_the_session_until_sign_out(backend: House) -> None:
    held = backend.sign_in()
    bearer = {"Authorization": f"Bearer {held['access_token']}"}
    answer = backend.http.get("/v1/session", headers=bearer)
    assert answer.status_code == 200, answer.text
    assert SessionInfo.model_validate(answer.json()).user.id == "aino"
    assert backend.http.get("/v1/session").status_code == 401
    form = {"client_id": "kelmu-tui", "token": held["refresh_token"]}
    assert backend.http.post("/oauth/revoke", data=form).status_code == 200
    refused = backend.http.get("/v1/session", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


def test_the_api_description_holds_the_endpoints_and_not_the_pages(backend: House) -> None:
    paths = backend.app.openapi()["paths"]
    assert {"/oauth/token", "/oauth/device_authorization", "/oauth/revoke", "/v1/demo/approve"} <= set(paths)
    assert not [path for path in paths if path.startswith("/sign-in")]
