"""The description of the API: committed, true to the contract, and kept by the running app."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from sqlalchemy import insert

from kelmu_backend import policy
from kelmu_backend.cli import describe
from kelmu_backend.config import Config
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import claim
from kelmu_backend.database.customer_tables import person
from kelmu_backend.database.engine import Database
from kelmu_backend.limits import Limits
from kelmu_tui.api import contract
from kelmu_tui.domain import following
from kelmu_tui.domain.claims import life
from kelmu_tui.domain.notices import COMMANDS
from kelmu_tui.platform.ids import SeededIds

from .conftest import INBOX, LOOK_UP, URL, A, HandClock, World, fill, grant, notice_row, serve
from .customers.support import code, person_row

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_description_is_the_present_one() -> None:
    assert DESCRIPTION.read_text(encoding="utf-8") == describe() + "\n", "run `make openapi`"


def test_all_references_lead_somewhere() -> None:
    document = json.loads(DESCRIPTION.read_text(encoding="utf-8"))

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in set(references(document)):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]


def test_what_a_command_needs_is_described() -> None:
    document = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    for verb in COMMANDS:
        operation = document["paths"][f"/v1/notices/{{notice}}/{verb}"]["post"]
        names = {p["$ref"].rsplit("/", 1)[1] for p in operation["parameters"] if "$ref" in p}
        assert {contract.HEADER_IDEMPOTENCY, contract.HEADER_VERSION, contract.HEADER_ORGANISATION} <= names
        assert operation["security"] == [{"bearer": []}]
        assert {"400", "401", "403", "404", "409", "410", "412", "422", "426", "428", "429"} <= set(
            operation["responses"]
        )
        assert operation["responses"]["409"]["content"]["application/problem+json"]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite:///{tmp_path / 'record' / 'kelmu.db'}"
    database = Database(url)
    database.migrate()
    database.dispose()
    clock = HandClock()
    config = Config(
        url, URL, demo=True, secret_folder=tmp_path / "secrets", clock=clock, ids=SeededIds(7), background=False
    )
    async with serve(config, clock) as world:
        with world.database.write() as connection:
            fill(connection)
            values = {"user": "aino", "organisation": A.business_id}
            connection.execute(insert(tables.supervisor), values)
            policy.replace_grants(connection, "aino", [grant(INBOX, A), grant(LOOK_UP, A)])
        yield world


async def test_whatever_is_sent_the_app_keeps_its_description(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fuzz every operation of the API as a signed-in worker: each answer must be a described one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
        from schemathesis import checks
        from schemathesis.specs.openapi import checks as openapi_checks
    monkeypatch.setattr(Limits, "charge", lambda *_: None)
    schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
    served.add(*(notice_row(n) for n in range(1, 6)))
    _claim(served, "c0001", "registered")
    _claim(served, "c0002", "in_force")
    schema = schemathesis.openapi.from_dict(served.app.openapi())
    operations: list[Any] = [found.ok() for found in schema.include(path_regex="^/v1/(?!demo)").get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) == 16 + 6 + len(COMMANDS) + len(following.COMMANDS) + len(life.COMMANDS)
    described = [
        checks.not_a_server_error,
        openapi_checks.status_code_conformance,
        openapi_checks.content_type_conformance,
        openapi_checks.response_headers_conformance,
        openapi_checks.response_schema_conformance,
    ]
    sane = served.headers("aino") | {
        "Kelmu-Device": "fuzz",
        "Kelmu-Lease": served.core.leases.issue("aino", served.clock.now())["id"],
    }
    statuses: set[int] = set()
    for operation in operations:
        for mode in schemathesis.GenerationMode:
            positive = mode is schemathesis.GenerationMode.POSITIVE
            for number, case in enumerate(_cases(operation.as_strategy(generation_mode=mode))):
                headers = sane if positive else {"Authorization": sane["Authorization"]}
                if positive and case.path_parameters and "notice" in case.path_parameters:
                    case.path_parameters["notice"] = f"n000{number % 6}"
                if (
                    positive
                    and case.path_parameters
                    and "claim" in case.path_parameters
                    and "register" not in case.path
                ):
                    case.path_parameters["claim"] = f"c000{number % 3}"
                answer = await _send(served, case, headers)
                # The check knows 400 and 422, not our 410 and 426: a refusal of any described kind will do.
                accepted = not positive and answer.status_code < 400
                extra = [openapi_checks.negative_data_rejection] if accepted else []
                case.validate_response(answer, checks=[*described, *extra])
                statuses.add(answer.status_code)
    assert {200, 400, 404, 422} <= statuses


def _claim(world: World, identifier: str, status: str) -> None:
    """Put a claim of A into the record, with a payee of its own."""
    with world.database.write() as connection:
        connection.execute(insert(person), person_row(f"p-{identifier}", code(900 + int(identifier[1:]))))
        values: dict[str, Any] = {
            "id": identifier, "version": 1, "organisation": A.business_id, "person": f"p-{identifier}",
            "status": status, "basis": "client_fees_14", "benefit": "guarantee_pension", "first": date(2026, 11, 1),
            "amount": Decimal("1.00"), "account": "FI3790956201543570", "reference": "", "grounds": "",
            "handler": "Aino", "telephone": "000", "care_first": date(2026, 11, 1),
            "registered_at": world.clock.now(), "registered_by": "Aino", "late": False,
        }  # fmt: skip
        connection.execute(insert(claim), values)


def _cases(strategy: Any) -> list[Any]:
    """Return what the strategy makes; the cases are sent outside, since the app lives in this test's event loop."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Unsatisfiable

    found: list[Any] = []

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def collect(case: Any) -> None:
        found.append(case)

    with suppress(Unsatisfiable):  # an operation without parameters has nothing to get wrong
        collect()
    return found


async def _send(world: World, case: Any, headers: dict[str, str]) -> httpx.Response:
    wire = case.as_transport_kwargs(base_url=URL, headers=headers)
    query = dict(wire.get("params") or {})
    if str(query.get("wait", "")).isdecimal():
        query["wait"] = "0"  # nothing will happen while the poll waits
    request = requests.Request(
        wire["method"], wire["url"], wire.get("headers"), params=query, json=wire.get("json"), data=wire.get("data")
    ).prepare()
    body = request.body.encode() if isinstance(request.body, str) else request.body
    assert body is None or isinstance(body, bytes)
    return await world.client.request(
        str(request.method),
        str(request.url),
        headers=[(name.encode(), _bytes(value)) for name, value in request.headers.items()],
        content=body,
    )


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
