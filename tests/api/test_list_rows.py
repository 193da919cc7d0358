"""The stream of a list's rows, whole and in every way it can be wrong: nothing but `api.errors` may come out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from kelmu_tui.api import lists
from kelmu_tui.api.client import Client
from kelmu_tui.api.contract import ListEnd, ListStart, ListStop, ProblemCode
from kelmu_tui.api.errors import ApiError, BadAnswer, ProblemAnswer, SignInNeeded, Unreachable
from kelmu_tui.api.lists import ListBatch, RowsWanted
from tests.api.test_client import ORGANISATION, answer, client, ndjson, problem
from tests.store.list_rows import INVOICED, LIST, PERIOD, invoiced, row

KIND = "application/x-ndjson"
NEEDLE = "Salainentie"
WANTED = RowsWanted(LIST, PERIOD, 1)
START: dict[str, Any] = {
    "line": "start",
    "list_id": LIST,
    "period": PERIOD,
    "version": 1,
    "rows": 3,
    "published_at": "2026-11-05T04:00:00Z",
    "fetched_at": "2026-11-23T08:00:00Z",
    "expires_at": "2027-02-21T08:00:00Z",
}
END = {"line": "end", "next": None}
STOP = {"line": "stop", "code": "list_republished"}


def line(number: int, **changes: Any) -> dict[str, Any]:
    return {"line": "row", "row": row(number, **changes)}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "BATCH", 2)


async def read(http: Client, wanted: RowsWanted = WANTED) -> tuple[list[Any], ApiError | None]:
    """Return the parts that came, and the error that ended them."""
    parts: list[Any] = []
    try:
        async for part in http.list_rows(ORGANISATION, wanted):
            parts.append(part)  # noqa: PERF401 - what came before an error stands
    except ApiError as error:
        return parts, error
    finally:
        await http.close()
    return parts, None


def streaming(*lines: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: answer(content=ndjson(*lines), kind=KIND)


def rows_of(parts: list[Any]) -> list[dict[str, Any]]:
    return [one for part in parts if isinstance(part, ListBatch) for one in part.rows]


async def test_rows_come_in_batches_as_they_stand_on_the_wire() -> None:
    seen: list[httpx.Request] = []

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(content=ndjson(START, line(1), line(2), line(3), END), kind=KIND)

    parts, error = await read(client(backend), RowsWanted(LIST, PERIOD, 1, "r00000"))
    assert error is None
    assert [type(part) for part in parts] == [ListStart, ListBatch, ListBatch, ListEnd]
    assert rows_of(parts) == [row(1), row(2), row(3)]
    (request,) = seen
    assert str(request.url) == f"https://kelmu.test/v1/lists/{LIST}/{PERIOD}/rows?version=1&after=r00000"
    assert request.headers["kelmu-organisation"] == ORGANISATION


async def test_a_stop_comes_behind_the_rows_before_it() -> None:
    parts, error = await read(client(streaming(START, line(1), STOP)))
    assert error is None
    assert rows_of(parts) == [row(1)]
    assert parts[-1] == ListStop(code=ProblemCode.LIST_REPUBLISHED)


async def test_text_of_others_is_cleaned_and_days_have_one_form() -> None:
    evil = line(1, name="Virt\x1b[2Janen\u202e", reached_on="20261012")
    decomposed = {"line": "row", "row": row(2, name="Ma\u0308ki")}
    body = ndjson(START, evil, json.dumps(decomposed, ensure_ascii=False), END)
    parts, error = await read(client(lambda _: answer(content=body, kind=KIND)))
    assert error is None
    first, second = rows_of(parts)
    assert (first["name"], first["reached_on"]) == ("Virt\ufffd[2Janen\ufffd", "2026-10-12")
    assert second["name"] == "M\u00e4ki"


async def test_periods_of_a_cleaned_row_are_those_of_the_wire() -> None:
    start = START | {"list_id": INVOICED}
    given = invoiced(1, 1, name="\u00c5sa \\ \x07", period={"from": "2026-10-01", "to": "2026-10-28"})
    parts, error = await read(
        client(streaming(start, {"line": "row", "row": given}, END)), RowsWanted(INVOICED, PERIOD)
    )
    assert error is None
    (found,) = rows_of(parts)
    assert found["period"] == {"from": "2026-10-01", "to": "2026-10-28"}
    assert found["name"] == "\u00c5sa \\ \ufffd"


@pytest.mark.parametrize(
    ("lines", "why", "came"),
    [
        ([], "cut", 0),
        ([START], "cut", 0),
        ([START, line(1)], "cut", 1),
        ([START, line(1), line(2), line(3)], "cut", 3),
        ([END], "order", 0),
        ([STOP], "order", 0),
        ([line(1)], "order", 0),
        ([START, START], "order", 0),
        ([START, line(1), START], "order", 1),
        ([START, line(2), line(1)], "order", 1),
        ([START, line(1), line(1)], "order", 1),
        ([START, line(1), line(2), line(3), line(4), END], "order", 3),
        ([START, END, END], "order", 0),
        ([START, STOP, line(1)], "order", 0),
        ([START, line(1), {"line": "end", "next": "r00001"}], "order", 1),
        ([START | {"list_id": INVOICED}], "scope", 0),
        ([START | {"period": "2026-11"}], "scope", 0),
        ([START | {"version": 2}], "scope", 0),
        ([START | {"published_at": "2026-11-05T04:00:00"}], "model", 0),
        (["{"], "json", 0),
        ([START, line(1), '{"line":"row","row":{"id":"r000'], "json", 1),
        (["[" * 100_000], "json", 0),
        (["[]"], "model", 0),
        ([{"line": "other"}], "model", 0),
        ([START, {"line": "row"}], "model", 0),
        ([START, {"line": "row", "row": [1]}], "model", 0),
        ([START, line(1, id="")], "model", 0),
        ([START, line(1, id="r\u202e1")], "model", 0),
        ([START, line(1, municipality="91")], "model", 0),
        ([START, line(1, reached_on="12.10.2026")], "model", 0),
        ([START, line(1, days_accumulated="300")], "model", 0),
        ([START, line(1, name={"secret": NEEDLE})], "model", 0),
        ([START, {"line": "stop", "code": "tea"}], "model", 0),
    ],
)
async def test_a_stream_that_is_not_whole_or_not_ours(lines: list[Any], why: str, came: int) -> None:
    parts, error = await read(client(streaming(*lines)))
    assert isinstance(error, BadAnswer)
    assert (error.why, len(rows_of(parts))) == (why, came)
    assert NEEDLE not in repr(error) + str(error.__cause__)
    assert error.__suppress_context__ or error.__context__ is None


class Cut(httpx.AsyncByteStream):
    """A body that breaks off in the middle of a line, in one way or another."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ndjson(START, line(1), line(2), line(3))
        yield ndjson(line(4))[:20]
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
async def test_rows_that_came_whole_before_the_cut_stand(error: Exception | None, kind: type[ApiError]) -> None:
    backend = lambda _: httpx.Response(200, stream=Cut(error), headers={"content-type": KIND})  # noqa: E731
    parts, told = await read(client(backend))
    assert rows_of(parts) == [row(1), row(2), row(3)]
    assert isinstance(told, kind)
    assert told.retryable


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (lambda: problem(404, code="not_found"), ProblemAnswer, "not_found"),
        (lambda: problem(403, code="mandate_missing"), ProblemAnswer, "mandate_missing"),
        (lambda: problem(409, code="list_republished"), ProblemAnswer, "list_republished"),
        (lambda: problem(410, code="list_withdrawn"), ProblemAnswer, "list_withdrawn"),
        (lambda: problem(401, code="unauthenticated"), SignInNeeded, "unauthenticated"),
        (lambda: answer(200, b"<html>", "text/html"), BadAnswer, "bad_answer"),
        (lambda: answer(302, b"", KIND), BadAnswer, "bad_answer"),
    ],
)
async def test_a_refusal_is_what_it_says(
    response: Callable[[], httpx.Response], kind: type[ApiError], code: str
) -> None:
    parts, error = await read(client(lambda _: response()))
    assert parts == []
    assert isinstance(error, kind)
    assert error.code == code


async def test_what_is_published_and_billed_is_read() -> None:
    offer = {
        "list_id": LIST,
        "publications": [
            {
                "period": PERIOD,
                "version": 1,
                "published_at": "2026-11-05T04:00:00Z",
                "rows": 3,
                "expires_at": "2027-12-05T04:00:00Z",
            }
        ],
    }
    closed = {"list_id": INVOICED, "closed": "no_mandate", "mandates": ["x"]}
    body = {"lists": [offer, closed], "server_time": "2026-11-23T08:00:00Z"}
    http = client(lambda request: answer(content=json.dumps(body).encode()))
    found = await http.list_offers(ORGANISATION)
    assert [(one.list_id, len(one.publications)) for one in found.lists] == [(LIST, 1), (INVOICED, 0)]
    with pytest.raises(BadAnswer):
        await http.invoices(ORGANISATION)
    await http.close()
