"""The real HTTP client on a wire made of chance: each call is a coroutine that waits for what the network brings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, Final

import httpx

from kelmu_tui.api.client import Client
from kelmu_tui.api.errors import SignInNeeded
from kelmu_tui.platform.ids import Ids
from tests.sync.simulation.service import Lines, Reply

URL: Final = "https://kelmu.example"


class Ask:
    """A request waits for its reply; awaiting one suspends the call."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request

    def __await__(self) -> Generator[Ask, Reply, Reply]:
        return (yield self)


class More:
    """A body waits for its next bytes: `lines` reads them at the backend, None stands for those on their way."""

    def __init__(self, lines: Lines | None) -> None:
        self.lines = lines

    def __await__(self) -> Generator[More, bytes | None, bytes | None]:
        return (yield self)


class Turn:
    """A call lets others go first, as a long fill does between two transactions."""

    def __await__(self) -> Generator[Turn, None, None]:
        yield self


Wants = Ask | More | Turn


class Body(httpx.AsyncByteStream):
    """The body of a reply, as its pieces come in."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, piece in enumerate(self._reply.pieces):
            if number:
                await More(None)
            if piece is None:
                raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
            yield piece
        lines = self._reply.lines
        while lines is not None and not lines.over:
            more = await More(lines)
            if more is None:
                # The backend ends such a stream in order; that its last line is missing is the client's to see.
                return
            yield more


class Wire(httpx.AsyncBaseTransport):
    """Hands requests to whoever steps the call."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for the reply."""
        reply = await Ask(request)
        if reply.error is not None:
            raise reply.error
        headers = [("Content-Type", reply.media_type), *reply.headers]
        return httpx.Response(reply.status, headers=headers, stream=Body(reply), request=request)


class Tokens:
    """Tokens that name the user; once the backend has refused one twice somebody has to sign in."""

    def __init__(self, user: str) -> None:
        self._user = user

    async def access_token(self) -> str:
        """Return the token."""
        return self._user

    async def invalidate(self, token: str) -> None:
        """The next one looks the same: what counts is whether the session lives."""
        if token != self._user:
            raise SignInNeeded


def client(user: str, ids: Ids) -> Client:
    """Return a real client on the wire."""
    return Client(URL, Tokens(user), f"device-{user}", Wire(), ids=ids)


class Gone(BaseException):
    """The process of a call has ended."""


class Call:
    """One call under way.

    Attributes:
        name: what it is for: `send`, `ask`, `fill` or `session`.
        until: when the client gives up waiting.
        wants: what it waits for; None once it is over.
        posted: the last of these that was sent on its way.
        step_with: what came for it.
    """

    def __init__(self, name: str, coroutine: Coroutine[Wants, Any, None], until: float) -> None:
        self.name = name
        self.until = until
        self.wants: Wants | None = None
        self.posted: Wants | None = None
        self.step_with: Reply | bytes | None = None
        self._coroutine = coroutine

    def step(self, value: Any = None) -> None:
        """Go on with what has come until the call waits again, or is over."""
        self._run(self._coroutine.send, value)

    def fail(self, error: BaseException) -> None:
        """Let the transport fail where the call waits."""
        self._run(self._coroutine.throw, error)

    def _run(self, resume: Callable[[Any], Wants], value: Any) -> None:
        self.wants = None
        with suppress(StopIteration):
            self.wants = resume(value)

    def close(self) -> None:
        """Forget the call: its process is gone."""
        if self.wants is not None:
            with suppress(Gone):
                # Closing the coroutine would leave a generator behind that is being iterated.
                self.fail(Gone())
