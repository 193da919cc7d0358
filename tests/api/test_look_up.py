"""A look-up's answer, whole and in every way it can be wrong: nothing but `api.errors` may come out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import CustomerQuery, LookUps, PersonLine, QueryEnd, SectionLine
from kelmu_tui.api.errors import ApiError, BadAnswer, ProblemAnswer, SignInNeeded, Unreachable
from kelmu_tui.domain.sections import Section
from tests.api.test_client import ORGANISATION, answer, client, ndjson, problem
from tests.store.customer_lines import (
    CODE,
    PAYMENTS,
    PENDING,
    head,
    hidden,
    matters,
    payment,
    payments,
    pending,
    person,
)

QUERY = CustomerQuery(
    identity_code=CODE, purpose="supplementary_social_assistance", case_reference="1/26", sections=[PENDING, PAYMENTS]
)
END = {"line": "end", "server_time": "2026-11-20T08:00:00Z"}
KIND = "application/x-ndjson"
NEEDLE = "Salainentie"


def wire(line: PersonLine | SectionLine, **changes: Any) -> dict[str, Any]:
    return line.model_dump(mode="json", exclude_none=True) | changes


HEAD = wire(head())
MATTERS = wire(matters(pending("a1")))
MONEY = wire(payments(payment("m1")))


async def look_up(http: Client, query: CustomerQuery = QUERY) -> tuple[list[Any], ApiError | None]:
    """Return the lines that came, and the error that ended them."""
    lines: list[Any] = []
    try:
        async for line in http.look_up(ORGANISATION, query):
            lines.append(line)  # noqa: PERF401 - what came before an error stands
    except ApiError as error:
        return lines, error
    finally:
        await http.close()
    return lines, None


def streaming(*lines: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: answer(content=ndjson(*lines), kind=KIND)


async def test_the_question_travels_in_the_body_and_the_lines_come_in_any_order() -> None:
    seen: list[httpx.Request] = []

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(content=ndjson(HEAD, MONEY, MATTERS, END), kind=KIND)

    lines, error = await look_up(client(backend))
    assert error is None
    assert [type(line) for line in lines] == [PersonLine, SectionLine, SectionLine, QueryEnd]
    assert lines[0].person == person()
    assert [line.section for line in lines[1:3]] == [PAYMENTS, PENDING]
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://kelmu.test/v1/customer-queries")
    assert json.loads(request.content) == {
        "identity_code": CODE,
        "purpose": "supplementary_social_assistance",
        "case_reference": "1/26",
        "sections": ["pending", "payments"],
    }
    assert request.headers["kelmu-organisation"] == ORGANISATION
    assert CODE not in str(request.url) + str(request.headers)


async def test_text_of_others_is_cleaned() -> None:
    evil = HEAD | {"person": HEAD["person"] | {"family_name": "Virt\x1b[2Janen\u202e"}}
    lines, error = await look_up(client(streaming(evil, MONEY, MATTERS, END)))
    assert error is None
    assert lines[0].person.family_name == "Virt\ufffd[2Janen\ufffd"


@pytest.mark.parametrize(
    ("lines", "why", "came"),
    [
        ([], "cut", 0),
        ([HEAD], "cut", 1),
        ([HEAD, MONEY, MATTERS], "cut", 3),
        ([HEAD, MONEY, END], "cut", 2),
        ([END], "order", 0),
        ([MONEY, HEAD], "order", 0),
        ([HEAD, HEAD], "order", 1),
        ([HEAD, MONEY, MONEY], "order", 2),
        ([HEAD, wire(hidden(Section.RECOVERY))], "order", 1),
        ([HEAD, MONEY, MATTERS, END, END], "order", 4),
        ([HEAD, MONEY, MATTERS, END, MONEY], "order", 4),
        ([wire(head(who=person(identity_code="010190A900R")))], "scope", 0),
        (["{"], "json", 0),
        (["[]"], "model", 0),
        ([{"line": "other"}], "model", 0),
        ([HEAD, MONEY | {"state": "odd"}], "model", 1),
        ([HEAD, MONEY | {"state": "none"}], "model", 1),
        ([HEAD, MONEY | {"state": "hidden"}], "model", 1),
        ([HEAD, MONEY | {"state": "hidden", "hidden": "law"}], "model", 1),
        ([HEAD, MONEY | {"hidden": "law"}], "model", 1),
        ([HEAD, MONEY | {"pending": MATTERS["pending"]}], "model", 1),
        ([HEAD, MONEY | {"payments": MONEY["payments"] * 2}], "model", 1),
        ([HEAD, MONEY | {"payments": [MONEY["payments"][0] | {"net": 0.1 + 0.2}]}], "model", 1),
        ([HEAD | {"expires_at": "2026-11-20T08:00:00"}], "model", 0),
        ([HEAD | {"case_reference": "1\u0000"}], "model", 0),
    ],
)
async def test_an_answer_that_is_not_whole_or_not_ours(lines: list[Any], why: str, came: int) -> None:
    found, error = await look_up(client(streaming(*lines)))
    assert isinstance(error, BadAnswer)
    assert (error.why, len(found)) == (why, came)
    assert NEEDLE not in repr(error) + str(error.__cause__) + str(error.__context__)


async def test_a_customer_asked_for_by_id_is_that_customer() -> None:
    asked = CustomerQuery(customer="p1", purpose="social_work", sections=[])
    assert (await look_up(client(streaming(HEAD, END)), asked))[1] is None
    _, error = await look_up(client(streaming(wire(head(who=person("p2"))), END)), asked)
    assert isinstance(error, BadAnswer)
    assert error.why == "scope"


async def test_somebody_whose_code_has_changed_is_found_by_the_old_one() -> None:
    line = wire(head(who=person(identity_code="010190A900R", earlier_codes=[CODE])))
    assert (await look_up(client(streaming(line, MONEY, MATTERS, END))))[1] is None


class Cut(httpx.AsyncByteStream):
    """A body that breaks off in the middle of a line, in one way or another."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ndjson(HEAD, MONEY)
        yield ndjson(MATTERS)[:20]
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, BadAnswer),
        (httpx.ReadError("cut"), Unreachable),
        (httpx.ReadTimeout("slow"), Unreachable),
        (httpx.RemoteProtocolError("early"), BadAnswer),
    ],
)
async def test_what_came_before_the_line_was_cut_stands(error: Exception | None, kind: type[ApiError]) -> None:
    backend = lambda _: httpx.Response(200, stream=Cut(error), headers={"content-type": KIND})  # noqa: E731
    lines, told = await look_up(client(backend))
    assert [type(line) for line in lines] == [PersonLine, SectionLine]
    assert isinstance(told, kind)
    assert told.retryable


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (lambda: problem(404, code="not_found"), ProblemAnswer, "not_found"),
        (lambda: problem(403, code="mandate_missing"), ProblemAnswer, "mandate_missing"),
        (lambda: problem(422, code="reason_needed", rule="unrelated"), ProblemAnswer, "reason_needed"),
        (lambda: problem(422, code="customer_code_invalid", rule="check"), ProblemAnswer, "customer_code_invalid"),
        (lambda: problem(429, code="lookups_spent"), ProblemAnswer, "lookups_spent"),
        (lambda: problem(401, code="unauthenticated"), SignInNeeded, "unauthenticated"),
        (lambda: answer(200, b"<html>", "text/html"), BadAnswer, "bad_answer"),
        (lambda: answer(200, ndjson(HEAD), "application/json"), BadAnswer, "bad_answer"),
        (lambda: answer(302, b"", KIND), BadAnswer, "bad_answer"),
    ],
)
async def test_a_refusal_is_what_it_says(
    response: Callable[[], httpx.Response], kind: type[ApiError], code: str
) -> None:
    lines, error = await look_up(client(lambda _: response()))
    assert lines == []
    assert isinstance(error, kind)
    assert error.code == code


async def test_own_look_ups_are_read_page_by_page() -> None:
    seen: list[httpx.Request] = []
    row = {
        "id": "l1",
        "at": "2026-11-20T08:00:00Z",
        "organisation": ORGANISATION,
        "purpose": "social_work",
        "outcome": "done",
        "sections": ["payments"],
    }

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(content=json.dumps({"look_ups": [row], "next": "c2"}).encode())

    http = client(backend)
    page = await http.look_ups(ORGANISATION)
    assert isinstance(page, LookUps)
    assert (page.look_ups[0].sections, page.next) == ([PAYMENTS], "c2")
    await http.look_ups(ORGANISATION, page.next)
    await http.close()
    assert [str(request.url) for request in seen] == [
        "https://kelmu.test/v1/look-ups",
        "https://kelmu.test/v1/look-ups?cursor=c2",
    ]
