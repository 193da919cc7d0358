"""A desk whose way to the backend leads to a log of look-ups that tests fill: the real client, answers of the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from textual.pilot import Pilot

from kelmu_tui.api.client import Client
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.screens.paged import PagedScreen
from kelmu_tui.screens.supervision import SupervisionScreen
from kelmu_tui.screens.supervision_ask import AskScreen
from kelmu_tui.store.rows import ActiveSession
from tests.api.test_client import answer, client, problem
from tests.screens.customers import LookUpOffice
from tests.screens.support import SESSION, press, settled, text_of
from tests.store.build import NOW, OWN
from tests.store.customer_lines import person
from tests.widgets.support import until

CODE = make_identity_code(person().born, "-", 921)
CHIEF = SESSION._replace(supervisor=True)
PAGE = 30


def own(number: int, **changes: Any) -> dict[str, Any]:
    """Return a look-up as its user gets it."""
    return {
        "id": f"l{number:03d}",
        "at": (NOW - timedelta(minutes=number)).isoformat(),
        "organisation": OWN,
        "customer": f"p{number}",
        "masked_code": f"******-*{number:03d}",
        "purpose": "social_work",
        "case_reference": f"S-{number}",
        "reason": None,
        "outcome": "done",
        "sections": ["payments"],
    } | changes


def audited(number: int, **changes: Any) -> dict[str, Any]:
    """Return a look-up as a supervisor gets it."""
    more = {
        "user": f"user-{number % 3}",
        "user_name": f"Käyttäjä {number % 3}",
        "mandate": "benefit_viewing_and_claims",
        "flags": ["unrelated"] if number % 5 == 0 else [],
        "request_id": f"req-{number}",
    }
    return own(number) | more | changes


class LogOffice(LookUpOffice):
    """An office whose backend has a log.

    Attributes:
        written: its look-ups, the newest first; pages of `PAGE`.
        requests: those that came.
        away: nobody answers.
        refused: status and code of a refusal.
    """

    def __init__(self, folder: Path, log: list[dict[str, Any]], **options: Any) -> None:
        super().__init__(folder, (), **options)
        self.written = log
        self.requests: list[httpx.Request] = []
        self.away = False
        self.refused: tuple[int, str] | None = None
        self._client = client(self._backend)

    def client(self) -> Client:
        """Return the client."""
        return self._client

    def _backend(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.away:
            raise httpx.ConnectError("away", request=request)
        if self.refused is not None:
            return problem(self.refused[0], code=self.refused[1])
        found = {"/v1/audit/samples": self._sample, "/v1/audit/extracts": self._extract}.get(request.url.path)
        body = found(json.loads(request.content)) if found is not None else self._page(request)
        return answer(content=json.dumps(body).encode())

    def _page(self, request: httpx.Request) -> dict[str, Any]:
        params = request.url.params
        rows = [
            row
            for row in self.written
            if all(params.get(name) in (None, row.get(name)) for name in ("user", "customer"))
            and (not params.get_list("flag") or set(params.get_list("flag")) & set(row["flags"]))
        ]
        start = int(params.get("cursor", "0"))
        following = str(start + PAGE) if len(rows) > start + PAGE else None
        return {"look_ups": rows[start : start + PAGE], "next": following}

    def _sample(self, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "seed": body.get("seed", 4711),
            "drawn_from": len(self.written),
            "look_ups": self.written[: body["size"]],
        }

    def _extract(self, body: dict[str, Any]) -> dict[str, Any]:
        rows = [row for row in self.written if row["customer"] == "p1"] if body else []
        return {"organisation": OWN, "made_at": NOW.isoformat(), "look_ups": rows}


@asynccontextmanager
async def logs(
    folder: Path,
    log: list[dict[str, Any]],
    size: tuple[int, int] = (80, 24),
    *,
    session: ActiveSession = SESSION,
    **options: Any,
) -> AsyncIterator[tuple[LogOffice, Pilot[Any]]]:
    """Run an office with a log; wait until its inbox is there."""
    app = LogOffice(folder, log, session=session, **options)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        await app._client.close()
        app.thread.close()


async def arrive(app: LogOffice, pilot: Pilot[Any], key: str) -> PagedScreen[Any]:
    """Go to the screen behind a key and wait for its rows."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, PagedScreen) and app.screen.ready, "the screen")
    await settled(pilot)
    screen = app.screen
    assert isinstance(screen, PagedScreen)
    return screen


TWO_SIZES = ((80, 24), (120, 40))
LOG = [audited(number) for number in range(11)]


def words(app: Any) -> str:
    """Return the screen as one line, without the frames of boxes."""
    return " ".join(text_of(app).replace("│", " ").split())


def dialog(app: LogOffice) -> AskScreen:
    """Return the box that asks, which has to be on top."""
    screen = app.screen_stack[-1]
    assert isinstance(screen, AskScreen)
    return screen


def bodies(app: LogOffice) -> list[dict[str, Any]]:
    """Return the bodies that were sent."""
    return [json.loads(request.content) for request in app.requests if request.content]


async def search(app: LogOffice, pilot: Any) -> SupervisionScreen:
    """Search everything, for monitoring."""
    if not isinstance(app.screen, SupervisionScreen):
        await arrive(app, pilot, "S")
    await press(pilot, "s", "enter", "enter")
    screen = app.screen_stack[-1]
    assert isinstance(screen, SupervisionScreen)
    return screen
