"""`kelmu customer show` and `history` over a real connection, against a server that answers what a test tells it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import pytest

from kelmu_tui.cli import pushing
from kelmu_tui.cli.exits import Exit
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.services.session import secret
from tests.cli.conftest import Kelmu, opened
from tests.services.customers import body
from tests.store.customer_lines import PAYMENTS, PENDING, down, head, matters, payment, payments, pending, person

pytestmark = pytest.mark.xdist_group("demo-backend")

USER = "persona-county-receiver"
CODE = make_identity_code(person().born, "-", 919)
NDJSON, PROBLEM, JSON = "application/x-ndjson", "application/problem+json", "application/json"
_OTHERS = [section for section in Section if section not in (PENDING, PAYMENTS)]
ASK = ("customer", "show", "--purpose", "social_work", "--case", "123/26", "--reason", "Asiakas soitti", "--lang", "en")


class Asked(NamedTuple):
    """A request that came."""

    line: str
    headers: dict[str, str]
    content: bytes


class Desk:
    """A server: `answers` by path, each a status, a content type and a body, given in turn; the last one stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, list[tuple[int, str, bytes]]] = {}
        desk = self

        class Handler(BaseHTTPRequestHandler):
            """Answers for the desk."""

            def _answer(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length", 0)))
                desk.asked.append(Asked(self.requestline, dict(self.headers.items()), content))
                waiting = desk.answers[self.path.partition("?")[0]]
                status, kind, answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = _answer  # noqa: N815 - names of the library

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def looks_up(self, status: int, kind: str, answer: bytes) -> None:
        """Answer look-ups in this way."""
        self.answers["/v1/customer-queries"] = [(status, kind, answer)]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A server that the commands reach instead of the demo's."""
    found = Desk()
    thread = Thread(target=found.server.serve_forever)
    thread.start()

    @contextmanager
    def reach(*_: object) -> Iterator[str]:
        yield found.url

    monkeypatch.setattr(pushing, "reach", reach)
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def worker(demo: Kelmu, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kelmu]:
    """A worker with nothing held, who gives one code on standard input."""
    assert demo("sign-in", "--persona", USER).code == Exit.OK
    demo("customer", "forget", "--all")
    monkeypatch.setattr("sys.stdin", io.StringIO(CODE.value + "\n"))
    yield demo
    demo("customer", "forget", "--all", "--user", USER)


def whole() -> bytes:
    now = SystemClock().now()
    who = person("abcdef02", identity_code=CODE.value)
    line = head(now, kept=timedelta(hours=1), who=who, purpose="social_work")
    others = [down(one) for one in _OTHERS]
    end: dict[str, Any] = {"line": "end", "server_time": now.isoformat()}
    return body(line, payments(payment("m1"), at=now), matters(pending("a1"), at=now), *others, end)


def problem(status: int, code: str, **more: Any) -> bytes:
    return json.dumps({"title": "No", "status": status, "code": code, **more}).encode()


def held(worker: Kelmu) -> list[str]:
    return [row["customer"] for row in worker("customer", "recent", "--json").data["customers"]]


def test_a_customer_is_looked_up_and_shown(worker: Kelmu, desk: Desk) -> None:
    desk.looks_up(200, NDJSON, whole())
    ran = worker(*ASK)
    assert ran.code == Exit.OK, ran.err
    assert ran.out.splitlines()[0] == f"Virtanen, Aino Örnvik  {CODE.masked}"
    assert "Recovery: The source does not answer" in ran.out
    (asked,) = desk.asked
    sent = json.loads(asked.content)
    assert sent.pop("sections") == list(Section)
    assert sent == {
        "identity_code": CODE.value,
        "purpose": "social_work",
        "case_reference": "123/26",
        "reason": "Asiakas soitti",
    }
    assert CODE.value not in asked.line + str(asked.headers)
    assert held(worker) == ["abcdef02"]


def test_reason_and_sections_come_with_the_code(worker: Kelmu, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SystemClock().now()
    line = head(now, who=person("abcdef02", identity_code=CODE.value))
    end: dict[str, Any] = {"line": "end", "server_time": now.isoformat()}
    desk.looks_up(200, NDJSON, body(line, payments(payment("m1"), at=now), end))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CODE.value}\nSoitti\nkaksi kertaa\n"))
    ran = worker("customer", "show", "--purpose", "other", "--reason", "-", "--section", "payments", "--json")
    assert ran.code == Exit.OK, ran.err
    sent = json.loads(desk.asked[0].content)
    assert (sent["reason"], sent["sections"]) == ("Soitti\nkaksi kertaa", ["payments"])
    assert list(ran.data["sections"]) == ["payments"]


@pytest.mark.parametrize(
    ("status", "kind", "answer", "exit_code", "code"),
    [
        (404, PROBLEM, problem(404, "not_found"), Exit.NOT_FOUND, "customer_unknown"),
        (422, PROBLEM, problem(422, "reason_needed", rule="self"), Exit.REFUSED, "reason_needed"),
        (422, PROBLEM, problem(422, "customer_code_invalid", rule="check"), Exit.REFUSED, "customer_code_invalid"),
        (403, PROBLEM, problem(403, "purpose_not_allowed"), Exit.REFUSED, "purpose_not_allowed"),
        (429, PROBLEM, problem(429, "lookups_spent"), Exit.REFUSED, "lookups_spent"),
        (429, PROBLEM, problem(429, "lookups_paused"), Exit.REFUSED, "lookups_paused"),
        (503, PROBLEM, problem(503, "service_break"), Exit.OFFLINE, "service_break"),
        (200, "text/html", b"<html>", Exit.OFFLINE, "bad_answer"),
    ],
)
def test_what_the_backend_refuses_is_told_by_words_and_exit_code(
    worker: Kelmu, desk: Desk, status: int, kind: str, answer: bytes, exit_code: Exit, code: str
) -> None:
    desk.looks_up(status, kind, answer)
    ran = worker(*ASK, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (exit_code, code)
    assert CODE.value not in ran.out + ran.err
    assert held(worker) == []


def test_an_answer_that_breaks_off_leaves_what_came_and_says_so(worker: Kelmu, desk: Desk) -> None:
    desk.looks_up(200, NDJSON, b"".join(whole().splitlines(keepends=True)[:2]))
    ran = worker(*ASK)
    assert ran.code == Exit.OFFLINE
    assert "--offline shows it" in ran.err
    sections = worker("customer", "show", "abcdef02", "--offline", "--json").data["sections"]
    assert (sections["payments"]["state"], sections["pending"]["state"]) == ("shown", "down")


def test_a_mandate_that_ended_takes_the_files_with_it(worker: Kelmu, desk: Desk) -> None:
    desk.looks_up(200, NDJSON, whole())
    assert worker(*ASK).code == Exit.OK
    assert held(worker) == ["abcdef02"]
    with opened(USER) as context:
        session = json.loads(secret(context.store, "session") or "")
    for found in session["organisations"]:
        found["grants"] = [one for one in found["grants"] if one["mandate"] != "benefit_viewing_and_claims"]
        found["capabilities"] = [one for one in found["capabilities"] if one != "customer_lookup"]
    desk.answers["/v1/session"] = [(200, JSON, json.dumps(session).encode())]
    desk.looks_up(403, PROBLEM, problem(403, "mandate_missing"))
    ran = worker("customer", "show", "abcdef02", "--reason", "Asia", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (Exit.NOT_ALLOWED, "mandate_missing")
    assert worker("customer", "recent", "--json").code == Exit.NOT_ALLOWED
    with opened(USER) as context, context.store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.customer").fetchone() == (0,)


def test_own_look_ups_are_listed_page_by_page(worker: Kelmu, desk: Desk) -> None:
    def row(number: int, **more: Any) -> dict[str, Any]:
        at = f"2026-11-2{number}T08:00:00Z"
        return {"id": f"l{number}", "at": at, "organisation": "0000000-0", "outcome": "done", **more}

    pages = [
        {"look_ups": [row(3, masked_code=CODE.masked, purpose="social_work", case_reference="1/26")], "next": "c2"},
        {"look_ups": [row(2, outcome="not_found"), row(1)], "next": None},
    ]
    desk.answers["/v1/look-ups"] = [(200, JSON, json.dumps(page).encode()) for page in pages]
    ran = worker("customer", "history", "--limit", "2", "--lang", "en")
    assert ran.code == Exit.OK, ran.err
    first, second = (line.split("\t") for line in ran.out.splitlines())
    assert first[1:4] == [CODE.masked, "Social work and assessment of service needs", "1/26"]
    assert (first[-1], second[-1]) == ("done", "not found")
    assert [asked.line.split()[1] for asked in desk.asked] == ["/v1/look-ups", "/v1/look-ups?cursor=c2"]


def test_what_cannot_be_asked_is_told_before_anything_is_sent(worker: Kelmu, desk: Desk) -> None:
    long = worker(*ASK[:-3], "x" * 501, "--json")
    assert (long.code, long.document["error"]["code"]) == (Exit.USAGE, "reason_invalid")
    odd = worker("customer", "show", "x" * 81, "--purpose", "social_work", "--json")
    assert (odd.code, odd.document["error"]["code"]) == (Exit.USAGE, "query_invalid")
    assert desk.asked == []
