"""The client against every way an answer can be wrong; nothing but `api.errors` may come out."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from kelmu_tui.api import contract
from kelmu_tui.api.answers import SnapshotRows
from kelmu_tui.api.client import Client, checked_url
from kelmu_tui.api.errors import (
    ApiError,
    BadAnswer,
    ProblemAnswer,
    SignInNeeded,
    Timeout,
    Unreachable,
    UpdateNeeded,
)
from kelmu_tui.api.reading import LINES_AT_A_TIME, retry_after
from kelmu_tui.platform.ids import SeededIds

URL = "https://kelmu.test"
ORGANISATION = "0000000-0"
RESULT = {"seq": 7, "version": 3, "epoch": "e1"}
PROBLEM = {"title": "No", "status": 412, "code": "version_conflict", "rule": "already_taken", "request_id": "r1"}
CHANGES = {
    "kind": "delta",
    "epoch": "e1",
    "cursor": "c2",
    "seq": 5,
    "head": 5,
    "granted": ["announcements"],
    "session_revision": 1,
    "lease": {"id": "l1", "until": "2026-11-23T20:00:00Z"},
    "server_time": "2026-11-23T08:00:00Z",
}


def row(number: int, **changes: Any) -> dict[str, Any]:
    """Return an announcement as the wire carries it."""
    text = {"fi": "Katko", "sv": "Avbrott", "en": "Break"}
    return {
        "table": "announcement",
        "id": f"a{number:03d}",
        "version": 1,
        "kind": "break",
        "starts": "2026-11-26T06:00:00Z",
        "ends": None,
        "title": text,
        "text": text,
    } | changes


def ndjson(*lines: Any) -> bytes:
    """Return lines of a stream; text goes in as it is."""
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


START = {"line": "start", "epoch": "e1", "scope": "announcements", "count": 2, "head": 5}
END = {"line": "end", "head": 6}


class Tokens:
    """Hands out numbered tokens."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    async def access_token(self) -> str:
        """Return the next token after each refusal."""
        return f"token-{len(self.refused)}"

    async def invalidate(self, token: str) -> None:
        """Note a refusal."""
        self.refused.append(token)


def client(handler: Callable[[httpx.Request], httpx.Response], tokens: Tokens | None = None) -> Client:
    """Return a client whose backend is `handler`."""
    return Client(URL, tokens or Tokens(), "device-1", httpx.MockTransport(handler), ids=SeededIds(1))


def answer(status: int = 200, content: bytes = b"", kind: str = "application/json", **headers: str) -> httpx.Response:
    """Return a response."""
    return httpx.Response(status, content=content, headers={"content-type": kind, **headers})


def problem(status: int, **changes: Any) -> httpx.Response:
    """Return a problem document."""
    body = json.dumps(PROBLEM | {"status": status} | changes).encode()
    return answer(status, body, "application/problem+json")


async def send(http: Client) -> Any:
    """Send some command."""
    return await http.command(ORGANISATION, "n 1/2", "take", "key-1", 4, b'{"x":1}', "lease-1")


async def test_a_command_carries_every_header_and_the_frozen_bytes() -> None:
    seen: list[httpx.Request] = []

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(content=json.dumps(RESULT).encode())

    result = await send(client(backend))
    (request,) = seen
    assert request.url.raw_path == b"/v1/notices/n%201%2F2/take"
    assert request.content == b'{"x":1}'
    wanted = {
        "authorization": "Bearer token-0",
        "kelmu-organisation": ORGANISATION,
        "idempotency-key": "key-1",
        "if-match": '"4"',
        "kelmu-device": "device-1",
        "kelmu-lease": "lease-1",
        "kelmu-schema": str(contract.SCHEMA),
        "content-type": "application/json",
    }
    assert {name: request.headers[name] for name in wanted} == wanted
    assert request.headers["kelmu-request-id"] == result.request_id != ""
    assert (result.status, result.result) == (200, contract.CommandResult(**RESULT))


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("take-back", "/v1/notices/n%201/take-back"),
        ("follow-end", "/v1/follows/n%201/end"),
        ("claim-register", "/v1/claims/n%201/register"),
        ("claim-cancel", "/v1/claims/n%201/cancel"),
    ],
)
async def test_a_command_goes_to_what_it_is_on(verb: str, path: str) -> None:
    seen: list[httpx.Request] = []

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(content=json.dumps(RESULT).encode())

    await client(backend).command(ORGANISATION, "n 1", verb, "key-1", 0, b"{}", "lease-1")
    assert seen[0].url.raw_path == path.encode()


async def test_a_refusal_comes_back_as_an_answer() -> None:
    result = await send(client(lambda _: problem(412)))
    assert result.status == 412
    assert result.problem is not None
    assert result.problem.rule == "already_taken"


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_a_gateway_that_speaks_html_means_not_now(status: int) -> None:
    page = answer(status, b"<html>", "text/html", **{"retry-after": "7"})
    result = await send(client(lambda _: page))
    assert (result.status, result.problem, result.retry_after) == (status, None, 7.0)


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (answer(content=b"{"), "json"),
        (answer(content=b"\xff\xfe"), "json"),
        (answer(content=b"[]"), "model"),
        (answer(content=b'{"seq": -1, "version": 1, "epoch": "e"}'), "model"),
        (answer(content=b"<html>", kind="text/html"), "content_type"),
        (answer(302, kind="text/html", location="https://elsewhere.test/"), "status"),
        (answer(404, b"<html>", "text/html"), "status"),
        (answer(403, b"not json", "application/problem+json"), "status"),
    ],
)
async def test_what_is_not_ours_is_a_bad_answer(response: httpx.Response, why: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        await send(client(lambda _: response))
    assert caught.value.why == why
    assert caught.value.retryable
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, Unreachable),
        (httpx.ReadError, Unreachable),
        (httpx.ConnectTimeout, Timeout),
        (httpx.ReadTimeout, Timeout),
        (httpx.RemoteProtocolError, BadAnswer),
        (httpx.DecodingError, BadAnswer),
    ],
)
async def test_no_error_of_the_library_gets_out(error: type[httpx.RequestError], kind: type[ApiError]) -> None:
    def backend(request: httpx.Request) -> httpx.Response:
        raise error("secret words", request=request)

    with pytest.raises(kind) as caught:
        await send(client(backend))
    assert "secret" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_refused_token_is_renewed_once() -> None:
    tokens = Tokens()

    def backend(request: httpx.Request) -> httpx.Response:
        good = request.headers["authorization"] == "Bearer token-1"
        return answer(content=json.dumps(RESULT).encode()) if good else problem(401, code="unauthenticated")

    assert (await send(client(backend, tokens))).status == 200
    assert tokens.refused == ["token-0"]


async def test_two_refused_tokens_ask_for_a_sign_in() -> None:
    tokens = Tokens()
    with pytest.raises(SignInNeeded) as caught:
        await send(client(lambda _: answer(401, b"", "text/plain"), tokens))
    assert tokens.refused == ["token-0"]
    assert (caught.value.code, caught.value.retryable) == ("unauthenticated", False)


async def test_an_old_client_is_told_to_update() -> None:
    with pytest.raises(UpdateNeeded):
        await send(client(lambda _: problem(426, code="schema_unknown")))


async def test_a_poll_passes_cursor_and_wait() -> None:
    seen: list[httpx.URL] = []

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return answer(content=json.dumps(CHANGES | {"unknown": 1}).encode())

    found = await client(backend).changes(ORGANISATION, "c1", 99)
    assert (found.seq, found.cursor) == (5, "c2")
    assert dict(seen[0].params) == {"cursor": "c1", "wait": str(contract.MAX_WAIT)}


async def test_a_problem_of_a_read_is_raised_with_its_code() -> None:
    with pytest.raises(ProblemAnswer) as caught:
        await client(lambda _: problem(403, code="organisation_not_allowed")).changes(ORGANISATION, None)
    assert (caught.value.status, caught.value.code, caught.value.retryable) == (403, "organisation_not_allowed", False)


async def read(body: bytes, kind: str = "application/x-ndjson", after: str | None = None) -> list[Any]:
    """Return the parts of a snapshot."""
    http = client(lambda _: answer(content=body, kind=kind))
    return [part async for part in http.snapshot(ORGANISATION, "announcements", after)]


async def test_a_snapshot_comes_in_parts() -> None:
    start, rows, end = await read(ndjson(START, {"line": "row", "row": row(1)}, {"line": "row", "row": row(2)}, END))
    assert (start.count, end.head) == (2, 6)
    assert isinstance(rows, SnapshotRows)
    assert rows.rows == [row(1), row(2)]


async def test_a_row_with_strange_characters_is_cleaned() -> None:
    strange = row(1, title={"fi": "a\x1b]52;c;x\x07b", "sv": "\u202ekatko", "en": "e\u0301"})
    _, rows, _ = await read(ndjson(START, {"line": "row", "row": strange}, END))
    title = rows.rows[0]["title"]
    assert title == {"fi": "a\ufffd]52;c;x\ufffdb", "sv": "\ufffdkatko", "en": "\u00e9"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (ndjson(START, {"line": "row", "row": row(1)}), "cut"),
        (ndjson(START, {"line": "row", "row": row(1)}, END)[:-1], "cut"),
        (b"", "cut"),
        (ndjson("{"), "json"),
        (ndjson(START | {"scope": "notices:1"}), "scope"),
        (ndjson(START, {"line": "row", "row": row(1, version=0)}, END), "model"),
        (ndjson(START, {"line": "row", "row": row(1)}, {"line": "row", "row": row(1)}, END), "order"),
        (ndjson(START, END, {"line": "row", "row": row(1)}), "order"),
        (ndjson(START, "[" * 100_000, END), "json"),
        (ndjson(START, "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), END), "json"),
        (b'{"line":"start"\xff}\n', "encoding"),
    ],
)
async def test_a_broken_snapshot_is_a_bad_answer(body: bytes, why: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        await read(body)
    assert caught.value.why == why


async def test_a_snapshot_that_breaks_off_keeps_its_chunks() -> None:
    def body() -> Iterator[bytes]:
        yield ndjson(START, *({"line": "row", "row": row(n)} for n in range(300)))
        raise httpx.ReadError("gone")

    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for part in body():
                yield part

    http = client(lambda _: httpx.Response(200, stream=Broken(), headers={"content-type": "application/x-ndjson"}))
    parts: list[Any] = []
    stream = http.snapshot(ORGANISATION, "announcements")

    async def take_all() -> None:
        while True:
            parts.append(await anext(stream))

    with pytest.raises(Unreachable):
        await take_all()
    assert [type(part).__name__ for part in parts] == ["SnapshotStart", "SnapshotRows"]
    assert len(parts[1].rows) == 250


async def test_a_long_stream_lets_everything_else_have_its_turn() -> None:
    """All lines are here at once: nothing of the network makes the reader wait."""
    body = ndjson(START, *({"line": "row", "row": row(number)} for number in range(200)), END)
    stream = client(lambda _: answer(content=body, kind="application/x-ndjson")).snapshot(ORGANISATION, "announcements")
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    await anext(stream)
    before = turns
    rows = await anext(stream)
    assert isinstance(rows, SnapshotRows)
    assert len(rows.rows) == 200
    assert turns - before >= 200 // LINES_AT_A_TIME - 1  # the last turn may still be to come
    task.cancel()
    await stream.aclose()


@pytest.mark.parametrize(
    "url", ["http://kelmu.test", "ftp://kelmu.test", "https://u:p@kelmu.test", "kelmu.test", "https://kelmu.test/?a=1"]
)
def test_unsafe_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address_"):
        checked_url(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:80/", "https://kelmu.test/"]
)
def test_safe_addresses_are_taken(url: str) -> None:
    assert checked_url(url) == url.rstrip("/")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    http = Client(URL, Tokens(), "device-1")._http
    assert not http._mounts
    assert http.trust_env is False


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5.0), (" 0 ", 0.0), ("-1", None), ("soon", None), (None, None), ("9" * 9, 3600.0)]
)
def test_retry_after_in_seconds_is_read(text: str | None, seconds: float | None) -> None:
    assert retry_after(text) == seconds


def test_the_client_brings_along_no_command_line_of_its_library() -> None:
    program = "import sys, kelmu_tui.api.client; print([name for name in ('click', 'pygments') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
