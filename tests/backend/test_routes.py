"""The routes as a whole: declarations, headers, errors, limits, and the mandates that open them."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from starlette.responses import Response

from kelmu_backend import policy
from kelmu_backend.database import tables
from kelmu_backend.limits import Limits, RateClass
from kelmu_backend.openapi import Documentation
from kelmu_backend.problems import STATUS, ProblemError
from kelmu_backend.routes.declare import (
    Declaration,
    Key,
    Match,
    Scope,
    UndeclaredRoute,
    check,
    declaration_of,
    endpoints,
    route,
)
from kelmu_backend.routes.notices import CAPABILITY
from kelmu_tui.api.contract import Health, Problem, ProblemCode, SessionInfo
from kelmu_tui.domain import following
from kelmu_tui.domain.capabilities import Agreement, Grant, MandateKind, capabilities, mandates
from kelmu_tui.domain.claims import life
from kelmu_tui.domain.notices import COMMANDS
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType

from .conftest import A, B, HandClock, World, notice_row, organisation_row

PLAIN: dict[str, Any] = {
    "scope": Scope.ORGANISATION,
    "capability": "notices_inbox",
    "key": Key.NONE,
    "match": Match.NONE,
    "rate": RateClass.READ,
    "audit": "notice.read",
}


async def _endpoint() -> Response:
    return Response()


@pytest.mark.parametrize("left_out", PLAIN)
def test_nothing_of_a_declaration_has_a_default(left_out: str) -> None:
    with pytest.raises(TypeError, match=left_out):
        Declaration(**{name: value for name, value in PLAIN.items() if name != left_out})


@pytest.mark.parametrize(
    "changes",
    [
        {"key": Key.REQUIRED, "audit": None},
        {"key": Key.REQUIRED, "capability": None},
        {"key": Key.REQUIRED, "scope": Scope.USER, "capability": None},
        {"match": Match.REQUIRED},
        {"scope": Scope.USER},
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UndeclaredRoute):
        route(APIRouter(), "POST", "/v1/x", _endpoint, Declaration(**(PLAIN | changes)), Documentation("x", (Health,)))


@pytest.mark.parametrize("nested", [False, True])
def test_an_undeclared_route_stops_the_start(nested: bool) -> None:
    app = FastAPI(openapi_url=None)
    inner = APIRouter()

    async def forgotten() -> Response:
        return Response()

    inner.add_api_route("/v1/forgotten" if not nested else "/forgotten", forgotten)
    if nested:
        outer = APIRouter()
        outer.include_router(inner, prefix="/deep")
        app.include_router(outer, prefix="/v1")
    else:
        app.include_router(inner)
    with pytest.raises(UndeclaredRoute, match="forgotten"):
        check(app)


async def test_every_route_is_declared_and_no_unknown_one_is_there(world: World) -> None:
    check(world.app)
    found = {path for path, _ in endpoints(world.app.routes) if path.startswith("/v1")}
    assert found == {
        "/v1/session",
        "/v1/health",
        "/v1/changes",
        "/v1/snapshot",
        "/v1/notices/{notice}",
        *(f"/v1/notices/{{notice}}/{verb}" for verb in COMMANDS),
        "/v1/view-chains",
        "/v1/view-events",
        "/v1/customer-queries",
        "/v1/look-ups",
        *(f"/v1/follows/{{follow}}/{verb}" for verb in following.COMMANDS),
        *(f"/v1/claims/{{claim}}/{verb}" for verb in life.COMMANDS),
        "/v1/claims/{claim}/editing",
        "/v1/uploads",
        "/v1/uploads/{document}",
        "/v1/sendings/{sending}/send",
        "/v1/lists",
        "/v1/lists/{list}/{period}/rows",
        "/v1/invoices",
        "/v1/audit/look-ups",
        "/v1/audit/samples",
        "/v1/audit/extracts",
        "/v1/demo/personas",
        "/v1/demo/approve",
    }
    for path, endpoint in endpoints(world.app.routes):
        if path.startswith("/v1/notices/{notice}/"):
            declared = declaration_of(endpoint)
            assert declared is not None
            assert (declared.key, declared.match, declared.rate) == (Key.REQUIRED, Match.REQUIRED, RateClass.COMMAND)
            assert declared.capability == CAPABILITY[path.rsplit("/", 1)[1]]


_POSTED = {
    "/v1/view-chains",
    "/v1/uploads",
    "/v1/claims/{claim}/editing",
    "/v1/customer-queries",
    "/v1/audit/samples",
    "/v1/audit/extracts",
}
_QUERIES = {"/v1/snapshot": "?scope=announcements", "/v1/audit/look-ups": "?purpose=monitoring"}


_UPLOADED = "/v1/uploads/{document}"


def _all_calls(world: World) -> Iterator[tuple[str, str]]:
    for path, endpoint in endpoints(world.app.routes):
        declared = declaration_of(endpoint)
        if declared is not None and declared.scope is not Scope.PUBLIC:
            method = "POST" if declared.key is Key.REQUIRED or path in _POSTED else "GET"
            if path == _UPLOADED:
                method = {"upload.add": "PATCH", "upload.end": "DELETE"}.get(str(declared.audit), "HEAD")
            named = path.replace("{notice}", "n0001").replace("{claim}", "0" * 32)
            named = named.replace("{follow}", "0" * 32).replace("{sending}", "0" * 32).replace("{document}", "0" * 32)
            named = named.replace("{list}", "list_lms_300_days").replace("{period}", "2026-10")
            yield method, named + _QUERIES.get(path, "")


@pytest.mark.parametrize("token", [None, "Bearer x", "Basic abc", "Bearer ", "Bearer a.b.c"])
async def test_nobody_gets_anything_without_a_token(world: World, token: str | None) -> None:
    world.add(notice_row(1))
    for method, path in _all_calls(world):
        headers = {
            "Kelmu-Organisation": A.business_id,
            "Idempotency-Key": "k",
            "If-Match": '"1"',
            "Kelmu-Device": "d",
            "Kelmu-Lease": "l",
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "1",
            "Upload-Offset": "0",
            "Upload-Metadata": f"document {'MDAw' * 10}MDA=",
        }
        answer = await world.client.request(method, path, headers=headers | ({"Authorization": token} if token else {}))
        assert answer.status_code == 401, path
        assert method == "HEAD" or answer.json()["code"] == "unauthenticated", path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert world.audited() == []


async def test_every_answer_has_a_request_id_and_is_not_stored(world: World) -> None:
    for path in ("/v1/health", "/v1/session", "/v1/nothing", "/v1/notices/x", "/v1/changes?wait=99", "/oauth/token"):
        answer = await world.client.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(answer.headers["Kelmu-Request-Id"]) == 32
        if answer.status_code >= 400 and path.startswith("/v1"):
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert Problem.model_validate_json(answer.content).request_id == answer.headers["Kelmu-Request-Id"]
    given = await world.client.get("/v1/health", headers={"Kelmu-Request-Id": "mine-1"})
    assert given.headers["Kelmu-Request-Id"] == "mine-1"
    strange = await world.client.get("/v1/health", headers={"Kelmu-Request-Id": "<b>\x01"})
    assert len(strange.headers["Kelmu-Request-Id"]) == 32


async def test_no_documentation_pages(world: World) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await world.client.get(path)).status_code == 404


async def test_bodies_are_limited(world: World) -> None:
    world.add(notice_row(1))
    big = await world.command("n0001", "note", 1, body=b"x" * 70_000)
    assert (big.status_code, big.json()["errors"]) == (413, ["body: too_large"])

    async def pieces() -> Any:
        for _ in range(70):
            yield b"x" * 1000

    headers = world.headers("aino") | {"Idempotency-Key": "k", "If-Match": '"1"'}
    streamed = await world.client.post("/v1/notices/n0001/note", content=pieces(), headers=headers)
    assert streamed.status_code == 413


async def test_unexpected_failures_say_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("SELECT secret FROM /root/010190-900R")

    monkeypatch.setattr(policy, "access", fail)
    with caplog.at_level(logging.ERROR):
        answer = await world.get("/v1/changes")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    for text in (answer.text, caplog.text):
        for secret in ("SELECT", "010190", "/root"):
            assert secret not in text
    assert answer.headers["Kelmu-Request-Id"] in caplog.text
    assert "ValueError" in caplog.text


async def test_validation_errors_name_places_and_no_values(world: World) -> None:
    answer = await world.get("/v1/changes", wait="010190-900R")
    assert (answer.status_code, answer.json()["errors"]) == (422, ["query.wait: int_parsing"])
    assert "010190" not in answer.text
    wrong = await world.get("/v1/changes", organisation=Organisation("x", A.name, A.type, None, ()))
    assert wrong.status_code == 400
    assert (await world.client.delete("/v1/session")).status_code == 405


async def test_the_broken_record_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await world.client.get("/v1/health")).json() == {"status": "ok"}
    monkeypatch.setattr("kelmu_backend.database.schema.HEAD", "later")
    answer = await world.client.get("/v1/health")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_break")


async def test_rate_limits_answer_with_the_time_to_wait(world: World) -> None:
    start = await world.changes()
    statuses = [(await world.get("/v1/changes", cursor=start.cursor)).status_code for _ in range(199)]
    assert set(statuses) == {200}
    limited = await world.get("/v1/changes", cursor=start.cursor)
    assert (limited.status_code, limited.json()["code"], limited.headers["Retry-After"]) == (
        429,
        "too_many_requests",
        "1",
    )
    assert (await world.get("/v1/changes", "bertta")).status_code == 200
    world.clock.pass_by(seconds=1)
    assert (await world.get("/v1/changes", cursor=start.cursor)).status_code == 200


def test_buckets_of_users_and_classes_are_apart() -> None:
    limits = Limits(HandClock())
    for _ in range(60):
        limits.charge("a", RateClass.SNAPSHOT)
    with pytest.raises(ProblemError):
        limits.charge("a", RateClass.SNAPSHOT)
    limits.charge("b", RateClass.SNAPSHOT)
    limits.charge("a", RateClass.COMMAND)
    limits.charge("a", RateClass.PUBLIC)
    assert len({kind.value for kind in RateClass}) == len(RateClass.__members__)


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(ProblemCode)


async def test_session_tells_what_each_organisation_opens(world: World) -> None:
    info = SessionInfo.model_validate_json((await world.get("/v1/session")).content)
    [organisation] = info.organisations
    assert (info.user.id, organisation.business_id, info.demo) == ("aino", A.business_id, True)
    assert "notices_inbox" in organisation.capabilities
    assert info.lease.until == world.clock.now() + timedelta(hours=12)
    alike = SessionInfo.model_validate_json((await world.get("/v1/session", "lookalike")).content)
    assert (alike.organisations[0].capabilities, len(alike.organisations[0].grants)) == ([], 1)
    nobody = SessionInfo.model_validate_json((await world.get("/v1/session", "nobody")).content)
    assert nobody.organisations == []


# --- the matrix: mandates × kinds of organisations × routes ---------------------------------------------------------

_TYPES = list(OrganisationType)
_NAMES = {kind: f"77000{n:02d}-{n % 10}" for n, kind in enumerate(_TYPES)}
_EMPLOYER = "7700099-1"


def _organisation(kind: OrganisationType) -> Organisation:
    return Organisation(_NAMES[kind], Names("x", "x", "x"), kind, None, ("837",))


@st.composite
def _situations(draw: st.DrawFn) -> tuple[Organisation, list[Grant], bool]:
    organisation = _organisation(draw(st.sampled_from(_TYPES)))
    chosen = draw(st.sets(st.sampled_from([*mandates(), "incomes_register_benefit_viewing"])))
    grants = []
    for mandate in sorted(chosen):
        own = draw(st.booleans())
        grants.append(
            Grant(
                mandate,
                draw(st.sampled_from(MandateKind)),
                organisation.business_id,
                organisation.business_id if own else _EMPLOYER,
                () if own else draw(st.sampled_from([(), (_EMPLOYER,)])),
                draw(st.sampled_from([date(2025, 1, 1), date(2026, 11, 23), date(2026, 11, 24)])),
                draw(st.sampled_from([None, date(2026, 11, 22), date(2026, 11, 23)])),
            )
        )
    return organisation, grants, draw(st.booleans())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(situation=_situations())
async def test_routes_open_exactly_what_the_domain_says(
    world: World, situation: tuple[Organisation, list[Grant], bool]
) -> None:
    organisation, grants, agreed = situation
    agreement = Agreement(organisation.business_id, date(2025, 1, 1), None if agreed else date(2026, 11, 22))
    with world.database.write() as connection:
        connection.execute(delete(tables.grant).where(tables.grant.c.user == "nobody"))
        for table in (tables.note, tables.notice, tables.agreement):
            connection.execute(delete(table))
        connection.execute(delete(tables.organisation).where(tables.organisation.c.business_id.like("77000%")))
        connection.execute(insert(tables.organisation), organisation_row(organisation))
        connection.execute(
            insert(tables.agreement),
            {
                "organisation": agreement.organisation,
                "valid_from": agreement.valid_from,
                "valid_to": agreement.valid_to,
            },
        )
        policy.replace_grants(connection, "nobody", grants)
    world.pass_by(minutes=1)
    world.add(notice_row(1, organisation=organisation.business_id))
    opened = capabilities(grants, organisation, agreement, date(2026, 11, 23))
    session = (await world.get("/v1/session", "nobody")).json()
    assert [o["capabilities"] for o in session["organisations"]] == ([sorted(opened.names)] if grants else [])
    read = await world.get("/v1/notices/n0001", "nobody", organisation)
    inbox = await world.get("/v1/snapshot", "nobody", organisation, scope=f"notices:{organisation.business_id}")
    traces = await world.get("/v1/snapshot", "nobody", organisation, scope=f"traces:{organisation.business_id}")
    expected = "organisation_not_allowed" if not grants else "mandate_missing"
    for answer, capability in ((read, "notices_inbox"), (inbox, "notices_inbox"), (traces, "notice_transfer")):
        assert answer.status_code == (200 if opened.has(capability) else 403)
        assert opened.has(capability) or answer.json()["code"] == expected
    for verb, capability in CAPABILITY.items():
        answer = await world.command("n0001", verb, 999, "nobody", organisation, body={"text": "x"})
        assert (answer.status_code == 403) == (not opened.has(capability)), verb


async def test_every_action_has_exactly_one_audit_row(world: World) -> None:
    world.add(*(notice_row(n) for n in range(1, 4)), notice_row(4, organisation=B.business_id, municipality="049"))
    expected: list[tuple[str, str | None]] = []
    for notice, verb, version, user in itertools.product(
        ("n0001", "n0002", "n0004", "n0009"), ("take", "note", "transfer", "release"), (1, 2), ("aino", "viewer")
    ):
        body = {"note": {"text": "x"}, "transfer": {"municipality": "536", "reason": "x"}}.get(verb, {})
        await world.command(notice, verb, version, user, body=body)
        expected.append((f"notice.{verb}", notice))
        await world.get(f"/v1/notices/{notice}", user)
    written = [(action, subject) for action, subject, _ in world.audited() if action != "notice.read"]
    assert written == expected
    reads = [row for row in world.all(tables.audit) if row["action"] == "notice.read"]
    assert len(reads) == len(expected)
    done = sum(row["outcome"] == "done" for row in world.all(tables.audit) if row["action"] != "session.started")
    assert 0 < done < 2 * len(expected)


def test_included_routers_are_looked_into() -> None:
    """`endpoints` knows FastAPI's included routers by their names inside: this tells when those change."""
    inner, app = APIRouter(), FastAPI(openapi_url=None)
    inner.add_api_route("/x", _endpoint)
    app.include_router(inner, prefix="/p")
    assert ("/p/x", _endpoint) in list(endpoints(app.routes))
