"""What supervisors ask and get over the wire: questions whole, answers refused that are not of the question."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx
import pytest

from kelmu_tui.api.audit import AuditSearch
from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import AuditPurpose, ExtractRequest, LookUpFlag, SampleRequest
from kelmu_tui.api.errors import BadAnswer, ProblemAnswer, SignInNeeded, Unreachable
from tests.api.test_client import ORGANISATION, answer, client, problem

DAYS: dict[str, Any] = {"since": date(2026, 11, 1), "until": date(2026, 11, 30)}
CODE = "010190-900A"
SEARCH = AuditSearch(AuditPurpose.MONITORING)
SAMPLE = SampleRequest(purpose=AuditPurpose.SUSPICION, size=2, seed=7, **DAYS)
EXTRACT = ExtractRequest(purpose=AuditPurpose.CUSTOMER_REQUEST, case_reference="P-7", identity_code=CODE)
ASK: tuple[Callable[[Client], Awaitable[Any]], ...] = (
    lambda http: http.audited(ORGANISATION, SEARCH),
    lambda http: http.sample(ORGANISATION, SAMPLE),
    lambda http: http.extract(ORGANISATION, EXTRACT),
)


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"l{number}",
        "at": "2026-11-20T08:00:00Z",
        "organisation": ORGANISATION,
        "customer": "p1",
        "masked_code": "******-*900",
        "outcome": "done",
        "user": "u1",
        "flags": ["self"],
    } | changes


def sample(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"seed": 7, "drawn_from": 9, "look_ups": list(rows)} | changes


def extract(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"organisation": ORGANISATION, "made_at": "2026-11-20T08:00:00Z", "look_ups": list(rows)} | changes


def answering(body: object, seen: list[httpx.Request] | None = None) -> Client:
    def backend(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return answer(content=json.dumps(body).encode())

    return client(backend)


async def test_a_search_travels_as_parameters_without_what_is_not_wanted() -> None:
    seen: list[httpx.Request] = []
    http = answering({"look_ups": [row(1, user="u2")], "next": "c1"}, seen)
    wanted = AuditSearch(
        AuditPurpose.MONITORING, user="u2", since=date(2026, 11, 1), flags=(LookUpFlag.SELF, LookUpFlag.PAUSED)
    )
    page = await http.audited(ORGANISATION, wanted, "c0")
    await http.close()
    assert (page.next, page.look_ups[0].flags) == ("c1", [LookUpFlag.SELF])
    assert seen[0].url.path == "/v1/audit/look-ups"
    assert seen[0].url.params.multi_items() == [
        ("purpose", "monitoring"),
        ("user", "u2"),
        ("since", "2026-11-01"),
        ("cursor", "c0"),
        ("flag", "self"),
        ("flag", "paused"),
    ]
    assert seen[0].headers["Kelmu-Organisation"] == ORGANISATION


async def test_sample_and_extract_travel_in_the_body() -> None:
    seen: list[httpx.Request] = []
    http = answering(sample(row(1), row(2)), seen)
    drawn = await http.sample(ORGANISATION, SAMPLE)
    await http.close()
    assert (drawn.seed, drawn.drawn_from, len(drawn.look_ups)) == (7, 9, 2)
    http = answering(extract(row(1)), seen)
    await http.extract(ORGANISATION, EXTRACT)
    await http.close()
    assert [request.url.path for request in seen] == ["/v1/audit/samples", "/v1/audit/extracts"]
    assert json.loads(seen[0].content) == {
        "purpose": "suspicion",
        "size": 2,
        "seed": 7,
        "since": "2026-11-01",
        "until": "2026-11-30",
        "flags": [],
    }
    assert json.loads(seen[1].content) == {
        "purpose": "customer_request",
        "case_reference": "P-7",
        "identity_code": CODE,
    }
    assert CODE not in str(seen[1].url) + str(seen[1].headers)
    assert seen[1].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("wanted", "rows", "why"),
    [
        (SEARCH, [row(1, organisation="9900099-9")], "scope"),
        (SEARCH, [row(1), row(1)], "model"),
        (AuditSearch(AuditPurpose.MONITORING, user="u2"), [row(1)], "scope"),
        (AuditSearch(AuditPurpose.MONITORING, customer="p2"), [row(1)], "scope"),
        (SEARCH, [row(1, flags=["odd"])], "model"),
    ],
)
async def test_look_ups_that_were_not_asked_for_are_refused(
    wanted: AuditSearch, rows: list[dict[str, Any]], why: str
) -> None:
    http = answering({"look_ups": rows, "next": None})
    with pytest.raises(BadAnswer) as failed:
        await http.audited(ORGANISATION, wanted)
    await http.close()
    assert failed.value.why == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (sample(row(1), seed=8), "scope"),
        (sample(row(1), row(2), row(3)), "model"),
        (sample(row(1), row(2), drawn_from=1), "model"),
        (sample(row(1, organisation="9900099-9")), "scope"),
        (sample(row(1), row(1)), "model"),
    ],
)
async def test_a_sample_that_is_another_one_is_refused(body: dict[str, Any], why: str) -> None:
    http = answering(body)
    with pytest.raises(BadAnswer) as failed:
        await http.sample(ORGANISATION, SAMPLE)
    await http.close()
    assert failed.value.why == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (extract(row(1), organisation="9900099-9"), "scope"),
        (extract(row(1), row(2, customer="p2")), "scope"),
        (extract(row(1, organisation="9900099-9")), "scope"),
        (extract(row(1), row(1)), "model"),
        (extract(made_at="today"), "model"),
    ],
)
async def test_an_extract_of_others_is_refused(body: dict[str, Any], why: str) -> None:
    http = answering(body)
    with pytest.raises(BadAnswer) as failed:
        await http.extract(ORGANISATION, EXTRACT)
    await http.close()
    assert failed.value.why == why


@pytest.mark.parametrize("ask", ASK)
async def test_refusals_and_silence_are_errors_of_ours(ask: Callable[[Client], Awaitable[Any]]) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    for backend, error in (
        (lambda _: problem(403, code="mandate_missing"), ProblemAnswer),
        (lambda _: problem(401, code="unauthenticated"), SignInNeeded),
        (lambda _: answer(content=b"<html>", kind="text/html"), BadAnswer),
        (lambda _: answer(content=b"{"), BadAnswer),
        (away, Unreachable),
    ):
        http = client(backend)
        with pytest.raises(error) as failed:
            await ask(http)
        await http.close()
        assert CODE not in str(failed.value)
