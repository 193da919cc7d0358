"""The way from a terminal to a backend in the same process: pieces of an answer come through as they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx


class Wire(httpx.AsyncBaseTransport):
    """A line to the backend, which tests cut.

    Attributes:
        cut: nothing goes through any more.
        lines_left: lines of answers to look-ups that still come through; then they break off. None for all.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.cut = False
        self.lines_left: int | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand a request on, and answer as soon as the backend begins to."""
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        limited = self if request.url.path == "/v1/customer-queries" else None
        answer = _Answer(self._app, request, await request.aread(), limited)
        try:
            await answer.begun()
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    def take(self) -> None:
        """Let one more line of a look-up through.

        Raises:
            httpx.ReadError: the line is cut here.
        """
        if self.cut or self.lines_left == 0:
            raise httpx.ReadError("cut")
        if self.lines_left is not None:
            self.lines_left -= 1


class _Answer(httpx.AsyncByteStream):
    """One request on its way through the app, whose pieces are read as they are sent."""

    def __init__(self, app: Any, request: httpx.Request, body: bytes, wire: Wire | None) -> None:
        self._wire = wire
        self._left = asyncio.Event()
        self._sent: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._messages = iter([{"type": "http.request", "body": body, "more_body": False}])
        self._task = asyncio.ensure_future(self._run(app, _scope(request)))
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._sent.put)
        finally:
            self._sent.put_nowait(None)

    async def _receive(self) -> dict[str, Any]:
        for message in self._messages:
            return message
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def begun(self) -> None:
        """Wait until there is a status."""
        message = await self._sent.get()
        if message is None:
            await self._task
            raise AssertionError("no answer")
        self.status = message["status"]
        self.headers = list(message["headers"])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._sent.get()) is not None:
            body = message.get("body", b"")
            for line in body.splitlines(keepends=True) if self._wire is not None else [body]:
                if self._wire is not None:
                    self._wire.take()
                yield line

    async def aclose(self) -> None:
        """Go away, as a client does whose line breaks; the backend's part comes to its own end or is ended."""
        self._left.set()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 50_000),
        "server": (request.url.host, request.url.port),
    }
