"""The device grant by RFC 8628 against a scripted transport: time passes only when the client waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kelmu_tui.api.sign_in import Away, CodeExpired, GrantRefused, SignIn, SignInRefused, Waiting

Reply = httpx.Response | Exception

CODE = {
    "device_code": "d" * 40,
    "user_code": "BCDF-GHJK",
    "verification_uri": "http://127.0.0.1/sign-in",
    "expires_in": 300,
    "interval": 5,
}
TOKENS = {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "refresh_token": "r"}


class Time:
    """A clock that only the client's own waiting moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


def error(name: str, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"error": name})


def client(time: Time, *replies: Reply, seen: list[httpx.Request] | None = None) -> SignIn:
    """Return a client whose requests get `replies` in order, the last one for ever."""
    rest: Iterator[Reply] = iter(replies)
    last: list[Reply] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        reply = next(rest, None) or last[-1]
        last.append(reply)
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    return SignIn("http://127.0.0.1:1", clock=time, wait=time.wait, transport=httpx.MockTransport(answer))


async def polled(time: Time, *replies: Reply, on_waiting: Callable[[Waiting], None] | None = None) -> Any:
    async with client(time, httpx.Response(200, json=CODE), *replies) as sign_in:
        authorization = await sign_in.start("desk")
        return await sign_in.poll(authorization, on_waiting)


async def test_approved_after_some_waiting() -> None:
    time, seen = Time(), list[httpx.Request]()
    replies = [httpx.Response(200, json=CODE), error("authorization_pending"), httpx.Response(200, json=TOKENS)]
    async with client(time, *replies, seen=seen) as sign_in:
        tokens = await sign_in.poll(await sign_in.start("desk"))
    assert tokens.refresh_token == "r"
    assert time.waits == [5, 5]
    start, *polls = [parse_qs(request.content.decode()) for request in seen]
    assert start == {"client_id": ["kelmu-tui"], "device_name": ["desk"]}
    assert (
        polls
        == [
            {
                "grant_type": ["urn:ietf:params:oauth:grant-type:device_code"],
                "device_code": ["d" * 40],
                "client_id": ["kelmu-tui"],
            }
        ]
        * 2
    )
    assert [request.url.query for request in seen] == [b"", b"", b""]


async def test_slow_down_adds_five_seconds_for_good() -> None:
    time = Time()
    await polled(
        time, error("slow_down"), error("authorization_pending"), error("slow_down"), httpx.Response(200, json=TOKENS)
    )
    assert time.waits == [5, 10, 10, 15]


async def test_the_codes_life_ends_the_polling_even_without_a_word_from_the_server() -> None:
    time, left = Time(), list[float]()
    with pytest.raises(CodeExpired):
        await polled(time, error("authorization_pending"), on_waiting=lambda w: left.append(w.seconds_left))
    assert time.seconds == 300
    assert left[:2] == [300, 295]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("expired_token", CodeExpired), ("access_denied", SignInRefused), ("invalid_grant", SignInRefused)],
)
async def test_ends_without_tokens(name: str, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        await polled(Time(), error("authorization_pending"), error(name))


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(500, text="<html>"),
        httpx.Response(200, text="not json"),
        httpx.Response(200, json={"access_token": 5}),
        httpx.Response(400, json=["no object"]),
        httpx.Response(200, content=b" " * 300_000),
    ],
    ids=lambda t: type(t).__name__ if isinstance(t, Exception) else f"{t.status_code}-{len(t.content)}",
)
async def test_a_backend_that_is_away_is_polled_on_ever_more_slowly(trouble: Reply) -> None:
    time, away = Time(), list[bool]()
    tokens = await polled(
        time,
        *[trouble] * 5,
        error("authorization_pending"),
        httpx.Response(200, json=TOKENS),
        on_waiting=lambda w: away.append(w.backend_away),
    )
    assert tokens.access_token == "a"
    assert time.waits == [5, 10, 20, 40, 60, 60, 5]
    assert away == [False, True, True, True, True, True, False]


async def test_an_absent_backend_ends_with_the_code() -> None:
    time = Time()
    with pytest.raises(CodeExpired):
        await polled(time, httpx.ConnectError("refused"))
    assert time.seconds == 300


async def test_retry_after_is_obeyed() -> None:
    time = Time()
    busy = httpx.Response(429, headers={"Retry-After": "30"})
    await polled(time, busy, httpx.Response(200, json=TOKENS))
    assert time.waits == [5, 30]


async def test_start_tells_that_the_backend_is_away_or_says_no() -> None:
    async with client(Time(), httpx.ConnectError("refused")) as sign_in:
        with pytest.raises(Away):
            await sign_in.start()
    async with client(Time(), error("unauthorized_client")) as sign_in:
        with pytest.raises(SignInRefused):
            await sign_in.start()


async def test_refresh_tells_a_lost_answer_from_a_refusal() -> None:
    async with client(Time(), httpx.ReadError("cut"), httpx.Response(200, json=TOKENS)) as sign_in:
        with pytest.raises(Away):
            await sign_in.refresh("old")
        assert (await sign_in.refresh("old")).refresh_token == "r"
    async with client(Time(), error("invalid_grant")) as sign_in:
        with pytest.raises(GrantRefused):
            await sign_in.refresh("old")


async def test_no_token_stands_in_an_exception() -> None:
    async with client(Time(), httpx.ReadError("cut")) as sign_in:
        with pytest.raises(Away) as caught:
            await sign_in.refresh("secret-token")
    assert caught.value.__cause__ is None
    assert "secret-token" not in repr(caught.value)


async def test_revoke_is_done_when_the_server_says_so() -> None:
    seen: list[httpx.Request] = []
    async with client(Time(), httpx.Response(200), seen=seen) as sign_in:
        await sign_in.revoke("old")
    assert parse_qs(seen[0].content.decode())["token"] == ["old"]
    async with client(Time(), error("unsupported_token_type")) as sign_in:
        with pytest.raises(GrantRefused):
            await sign_in.revoke("old")


async def test_redirects_are_not_followed() -> None:
    seen: list[httpx.Request] = []
    moved = httpx.Response(307, headers={"Location": "http://evil.example/"})
    async with client(Time(), moved, seen=seen) as sign_in:
        with pytest.raises(Away):
            await sign_in.refresh("old")
    assert len(seen) == 1


async def test_personas_and_approval() -> None:
    persona = {
        "id": "p1",
        "name": "Lind, Kaisa",
        "title": {"fi": "a", "sv": "b", "en": "c"},
        "organisation": "Pirkanmaa",
        "language": "fi",
    }
    async with client(Time(), httpx.Response(200, json={"personas": [persona]})) as sign_in:
        assert [p.id for p in await sign_in.personas()] == ["p1"]
    async with client(Time(), httpx.Response(404)) as sign_in:
        with pytest.raises(SignInRefused):
            await sign_in.personas()
        with pytest.raises(SignInRefused):
            await sign_in.approve("BCDF-GHJK", "p1")
