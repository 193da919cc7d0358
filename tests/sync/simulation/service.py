"""The backend's face in the simulation: bytes in, bytes out, around the real units of work, with faults."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, cast

import httpx
import pytest

from kelmu_backend.commands import Envelope, Kind
from kelmu_backend.problems import MEDIA_TYPE, ProblemError
from kelmu_backend.routes import call as routes
from kelmu_backend.routes.call import Call
from kelmu_backend.rows import encode
from kelmu_tui.api import contract
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.domain.claims.life import COMMANDS as CLAIM_COMMANDS
from kelmu_tui.domain.notices import COMMANDS
from tests.sync.simulation.ground import ServerCrash
from tests.sync.simulation.record import Record

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
NEW_SCHEMA: Final = 2
"""What backend and clients speak in the simulation: so there is one before it."""
OLD_SCHEMA: Final = NEW_SCHEMA - 1
_OPEN: Final = ("/v1/session", "/v1/view-events")
"""Where no session is looked at: at the sign-in itself, and where a signature stands for it."""
_KINDS: Final[dict[str, tuple[Kind, tuple[str, ...]]]] = {
    "/v1/notices/": ("notice", tuple(COMMANDS)),
    "/v1/claims/": ("claim", CLAIM_COMMANDS),
}
"""What commands are on, and which there are, by the path that they go to."""
HTML: Final = b"<html><body>Sign in to the network of the hotel</body></html>"


class Lines:
    """A stream of a snapshot, read a page at a time while it is being sent."""

    def __init__(self, service: Service, user: str, scope: str, after: str) -> None:
        self._service = service
        self._user = user
        self._scope = scope
        self._after = after
        self._epoch = ""
        self.over = False

    def start(self) -> bytes:
        """Return the first lines.

        Raises:
            ProblemError: the scope is not granted.
        """
        stream = self._service.record.page(self._user, self._scope, self._after, first=True)
        if stream.problem is not None:
            raise stream.problem
        assert stream.page is not None
        page = stream.page
        self._epoch = page.epoch
        first = {"line": "start", "epoch": page.epoch, "scope": self._scope, "count": page.count, "head": page.head}
        return encode(first) + b"\n" + self._rows(page)

    def more(self) -> bytes | None:
        """Return the next lines; None when the stream ends without its last line, as it does when a mandate ends."""
        page = self._service.record.page(self._user, self._scope, self._after, first=False).page
        return None if page is None or page.epoch != self._epoch else self._rows(page)

    def _rows(self, page: Any) -> bytes:
        found = b"".join(encode({"line": "row", "row": row}) + b"\n" for row in page.rows)
        if page.last is None:
            self.over = True
            return found + encode({"line": "end", "head": page.head}) + b"\n"
        self._after = page.last
        return found


class Reply(NamedTuple):
    """What comes back: an answer, its stream if it goes on, or the error that the transport meets instead.

    `pieces` are the bytes of the body as they arrive; None among them is the end of the connection.
    """

    status: int = 0
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[bytes | None, ...] = ()
    lines: Lines | None = None
    error: httpx.TransportError | None = None


def problem(found: ProblemError, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Return a problem as the backend sends it."""
    given = tuple(found.headers.items())
    return Reply(found.status, MEDIA_TYPE, (*given, *headers), (encode(found.body("request")),))


class Service:
    """One backend.

    Attributes:
        ended: users whose session is over until they sign in again.
        schema: the newest schema of commands that it knows.
        said: fault that the last answer was, by the backend's own decision.
    """

    def __init__(self, record: Record, dice: random.Random) -> None:
        self.record = record
        self.ended: set[str] = set()
        self.schema = NEW_SCHEMA
        self.said: str | None = None
        self._dice = dice

    def handle(self, user: str, request: httpx.Request, fault: str | None) -> tuple[Reply, bool]:
        """Answer a request, with `fault` on the way if it can happen here; the second value tells whether it did."""
        self.said = None
        is_command = request.url.path.startswith(tuple(_KINDS))
        needs_session = request.url.path not in _OPEN
        ends = False
        match fault:
            case "signed_out_401":
                # Not at the sign-in itself: whoever has just signed in has a session.
                if needs_session:
                    ends = user not in self.ended  # what was under way at the end meets a session that is over
                    self.ended.add(user)
            case "throttled_429":
                seconds = self._dice.choice(("1", "7", "30"))
                return problem(ProblemError(ProblemCode.TOO_MANY_REQUESTS), (("Retry-After", seconds),)), True
            case "error_500":
                return problem(ProblemError(ProblemCode.INTERNAL)), True
            case "break_503":
                ours = problem(ProblemError(ProblemCode.SERVICE_BREAK), (("Retry-After", "5"),))
                return self._dice.choice((ours, Reply(503, "text/html", (), (HTML,)))), True
            case "in_progress_409":
                self.record.twin = is_command
            case "server_crash":
                self.record.fuse = self._dice.randrange(14)
            case _:
                pass
        try:
            if user in self.ended and needs_session:
                return problem(routes.unauthenticated()), ends
            return self._answer(user, request), fault == "in_progress_409" and is_command and not self.record.twin
        except ProblemError as found:
            if found.status == 403:
                self.said = "mandate_403"
            return problem(found), fault == "in_progress_409" and is_command and not self.record.twin
        except ServerCrash:
            return Reply(error=httpx.ReadError("connection reset")), True
        finally:
            self.record.fuse = None
            self.record.twin = False

    def _answer(self, user: str, request: httpx.Request) -> Reply:
        path, query = request.url.path, request.url.params
        if path == "/v1/session":
            self.ended.discard(user)
            return Reply(200, JSON, (), (encode(self.record.session(user)),))
        if path == "/v1/changes":
            return Reply(200, JSON, (), (encode(self.record.answer(user, query.get("cursor"))),))
        if path == "/v1/snapshot":
            lines = Lines(self, user, query["scope"], query.get("after", ""))
            return Reply(200, NDJSON, (), (lines.start(),), lines)
        if path in ("/v1/view-chains", "/v1/view-events"):
            return self._views(user, request)
        return self._command(user, request)

    def _views(self, user: str, request: httpx.Request) -> Reply:
        if request.url.path == "/v1/view-chains":
            verdict = self.record.register(user, request.content)
        else:
            verdict = self.record.append(request.content, request.headers[contract.HEADER_SIGNATURE])
        if verdict.problem is not None:
            raise verdict.problem
        return Reply(200, JSON, (), (encode(verdict.receipt),))

    def _command(self, user: str, request: httpx.Request) -> Reply:
        headers = request.headers
        check_schema(self.schema, headers)
        _, _, family, subject, verb = request.url.path.split("/")
        kind, verbs = _KINDS[f"/v1/{family}/"]
        assert verb in verbs
        verdict = self.record.run(
            Envelope(
                user,
                headers[contract.HEADER_DEVICE],
                headers[contract.HEADER_ORGANISATION],
                subject,
                verb,
                headers[contract.HEADER_IDEMPOTENCY],
                int(headers[contract.HEADER_VERSION].strip('"')),
                headers[contract.HEADER_LEASE],
                request.content,
                "request",
                kind,
            )
        )
        if verdict.status == 200:
            return Reply(200, JSON, (), (encode(verdict.body),))
        self.said = {403: "mandate_403", 412: "version_412"}.get(verdict.status)
        return Reply(verdict.status, MEDIA_TYPE, (), (encode(verdict.body | {"request_id": "request"}),))


def check_schema(newest: int, headers: httpx.Headers) -> None:
    """Demand a schema of commands that a backend speaking `newest` knows, by the route's own check.

    Raises:
        ProblemError: 426.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "SCHEMA", newest)
        Call.check_schema(cast("Call", SimpleNamespace(_headers=headers)))


def garbage(dice: random.Random) -> Reply:
    """Return an answer that is not ours, though something answered."""
    return dice.choice(
        (
            Reply(200, "text/html", (), (HTML,)),
            Reply(200, JSON, (), (b'{"kind": "delta", "epoch": ',)),
            Reply(200, JSON, (), (b'{"kind": "delta", "seq": "many"}',)),
            Reply(200, JSON, (), (b"\xff\xfe{}",)),
            Reply(200, NDJSON, (), (b'{"line": "row"}\n',)),
            Reply(302, "text/html", (("Location", "https://hotel.example/"),), (b"",)),
            Reply(404, "text/html", (), (HTML,)),
        )
    )
