"""Somebody who may look customers up, and a backend that answers from lines, for the tests of services."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import PersonLine, SectionLine
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.database import Store
from tests.api.test_client import ndjson
from tests.services.signed_in import FIRST, MANDATE, NOW, organisation, session_text

WIDE = "benefit_viewing_and_claims"
END = {"line": "end", "server_time": NOW.isoformat()}


def grant(mandate: str, **changes: Any) -> dict[str, Any]:
    """Return a grant of a session."""
    return {
        "mandate": mandate,
        "kind": "mandate_to_act",
        "principal": FIRST,
        "employer": FIRST,
        "chain": [],
        "valid_from": "2026-01-01",
        "valid_to": None,
        **changes,
    }


def give(store: Store, *mandates: str, **changes: Any) -> None:
    """Let the session be one with these mandates."""
    grants = [grant(mandate) for mandate in mandates]
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa", **{"grants": grants} | changes))})


def at_work(profile: Profile, store: Store, *mandates: str, **changes: Any) -> Context:
    """Return the context of somebody with these mandates: inbox and customers by default."""
    give(store, *(mandates or (MANDATE, WIDE)), **changes)
    return activate(profile, store, FIRST, SeededIds(2), OPENERS)


def events(store: Store) -> list[dict[str, Any]]:
    """Return what was logged, in its order."""
    with store.read() as db:
        rows = db.execute("SELECT body FROM main.view_event ORDER BY number").fetchall()
    return [json.loads(body) for (body,) in rows]


class Token:
    """A token that is always good."""

    async def access_token(self) -> str:
        """Return it."""
        return "token"

    async def invalidate(self, token: str) -> None:
        """There is no other."""


def client(handler: Callable[[httpx.Request], httpx.Response]) -> Client:
    """Return a client whose backend is `handler`."""
    return Client("https://kelmu.test", Token(), "device-1", httpx.MockTransport(handler), ids=SeededIds(3))


def body(*lines: PersonLine | SectionLine | dict[str, Any]) -> bytes:
    """Return the body of an answer."""
    return ndjson(*(line if isinstance(line, dict) else line.model_dump(mode="json") for line in lines))


def streamed(*lines: PersonLine | SectionLine | dict[str, Any]) -> httpx.Response:
    """Return an answer."""
    return httpx.Response(200, content=body(*lines), headers={"content-type": "application/x-ndjson"})
