"""The log of views on the backend: whole logs arrive once and in order, and the record can be checked."""

from __future__ import annotations

import itertools
import json
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from kelmu_backend import policy, view_checks
from kelmu_backend.database import tables
from kelmu_backend.views import Finding
from kelmu_tui.api import contract
from kelmu_tui.api.contract import ViewReceipt

from .chains import Log, body_of, event_of, found, whole
from .conftest import INBOX, START, A, B, World, grant

GENESIS = "0" * 64


@pytest.fixture
async def log(world: World) -> Log:
    """A registered log of aino's with ten looks, nothing shipped."""
    log = Log()
    assert (await log.register(world)).status_code == 200
    log.look(10)
    return log


# --- registering ----------------------------------------------------------------------------------------------------


async def test_registering_is_repeatable_and_tells_the_head(world: World, log: Log) -> None:
    for _ in range(2):
        receipt = ViewReceipt.model_validate_json((await log.register(world)).content)
        assert (receipt.chain, receipt.number, receipt.hash) == (log.id, 0, GENESIS)
    await log.ship(world)
    receipt = ViewReceipt.model_validate_json((await log.register(world)).content)
    assert (receipt.number, receipt.hash) == (10, log.events[-1]["hash"])
    assert found(world) == []


async def test_nobody_else_and_no_other_key_takes_over_a_log(world: World, log: Log) -> None:
    other = log.copy()
    other.key = Ed25519PrivateKey.generate()
    for answer in (await log.register(world, "bertta"), await other.register(world)):
        assert (answer.status_code, answer.json()["code"]) == (409, "view_chain_taken")
    assert found(world) == [("taken", 0, 0, True)]
    assert (await log.ship(world)).status_code == 200


async def test_a_second_log_on_a_device_is_noted_when_the_first_has_events(world: World, log: Log) -> None:
    await Log(id="2" * 32, device="device-2").register(world)
    await Log(id="3" * 32, user="bertta").register(world)
    await Log(id="4" * 32).register(world)
    assert found(world) == []
    await log.ship(world)
    for _ in range(2):
        await Log(id="5" * 32).register(world)
    assert found(world) == [("restarted", 0, 0, True)]


@pytest.mark.parametrize("changes", [{"chain": "x"}, {"public_key": "short"}, {"device": ""}, {"more": "x"}])
async def test_strange_registrations_are_refused(world: World, changes: dict[str, str]) -> None:
    assert (await Log().register(world, **changes)).status_code == 422
    assert world.all(tables.view_chain) == []


# --- whole logs -----------------------------------------------------------------------------------------------------


async def test_events_are_kept_with_what_they_say_and_by_which_mandate(world: World) -> None:
    log = Log()
    await log.register(world)
    log.look(as_list=True)
    log.look(subject=None, view="list:unhandled:filtered", rows=42, data_at=None)
    log.look(organisation=B.business_id)
    receipt = ViewReceipt.model_validate_json((await log.ship(world)).content)
    assert (receipt.number, receipt.hash) == (3, log.events[-1]["hash"])
    assert receipt.server_time == world.clock.now()
    first, second, third = world.all(tables.view_event)
    assert (first["user"], first["organisation"], first["view"], first["subject"]) == (
        "aino",
        A.business_id,
        "notice",
        "n0001",
    )
    assert (first["data_at"], first["received"], first["mandate"]) == (START, world.clock.now(), INBOX)
    assert (second["view"], second["subject"], second["rows"], second["data_at"]) == (
        "list:unhandled:filtered",
        None,
        42,
        None,
    )
    assert third["mandate"] is None, "aino never had a mandate for B"
    assert [row["body"] for row in (first, second, third)] == [event["body"] for event in log.events]
    assert whole(world)


async def test_looks_at_customers_name_their_purpose_and_the_mandate_that_opens_them(world: World) -> None:
    wide = "benefit_viewing_and_claims"
    with world.core.database.write() as connection:
        held = policy.grants(connection, "aino")
        policy.replace_grants(connection, "aino", [*held, grant(wide, A)])
    log = Log()
    await log.register(world)
    why: dict[str, Any] = {"purpose": "social_work", "case_reference": "123/26"}
    for view in ("customer", "customer_list", "customer_list:filtered", "customer_copy", "customer_export"):
        log.look(subject=None if view.startswith("customer_list") else "p1", view=view, **why)
    log.look(view="customers")
    assert (await log.ship(world)).status_code == 200
    rows = world.all(tables.view_event)
    assert [row["mandate"] for row in rows] == [wide] * 5 + [INBOX]
    assert json.loads(rows[0]["body"])["case_reference"] == "123/26"
    assert whole(world)


async def test_looks_at_lists_name_the_mandate_that_opens_the_list(world: World) -> None:
    wide = "benefit_viewing_and_claims"
    with world.core.database.write() as connection:
        held = policy.grants(connection, "aino")
        policy.replace_grants(connection, "aino", [*held, grant(wide, A)])
    log = Log()
    await log.register(world)
    for view in ("list_rows", "list_rows:filtered", "list_compare", "list_copy", "list_export"):
        log.look(subject="list_lms_300_days/2026-11", view=view)
    log.look(subject="list_lms_recipients_municipality/2026-11", view="list_rows")
    assert (await log.ship(world)).status_code == 200
    assert [row["mandate"] for row in world.all(tables.view_event)] == [wide] * 5 + [None]
    assert whole(world)


async def test_what_rows_left_for_is_in_the_record_as_it_was_written(world: World) -> None:
    log = Log()
    await log.register(world)
    reason = '"\\' * 100
    log.look(subject="list_lms_300_days/2026-11", view="list_export", rows=346, reason=reason)
    assert (await log.ship(world)).status_code == 200
    (row,) = world.all(tables.view_event)
    assert (row["view"], row["rows"]) == ("list_export", 346)
    assert json.loads(row["body"])["reason"] == reason
    assert whole(world)


async def test_views_are_taken_after_session_and_mandates_have_ended(world: World, log: Log) -> None:
    with world.database.write() as connection:
        policy.replace_grants(connection, "aino", [grant(INBOX, A, valid_to=date(2026, 11, 22))])
        for table in ("refresh_token", "token_family"):
            connection.execute(delete(tables.metadata.tables[table]))
    assert (await world.get("/v1/session")).status_code == 401
    assert (await log.ship(world)).status_code == 200
    assert {row["mandate"] for row in world.all(tables.view_event)} == {None}
    assert found(world) == []


_serials = itertools.count(16)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
async def test_clean_logs_arrive_once_and_are_never_flagged(world: World, data: st.DataObject) -> None:
    """Batches that come twice, late and overlapping, as a line that loses answers lets them come."""
    world.pass_by(minutes=5)  # the buckets of the limits fill again
    serial = f"{next(_serials):032x}"
    log = Log(id=serial, device=serial)
    await log.register(world)
    log.look(data.draw(st.integers(1, 30)))
    sent: list[tuple[int, int]] = []
    head = 0
    while head < len(log.events):
        start = data.draw(st.integers(0, head))
        stop = data.draw(st.integers(head + 1, len(log.events)))
        for low, high in [
            (start, stop),
            *data.draw(st.lists(st.sampled_from(sent), max_size=2) if sent else st.just([])),
        ]:
            answer = await log.ship(world, log.events[low:high])
            assert answer.status_code == 200, answer.text
            head = max(head, high)
            assert (answer.json()["number"], answer.json()["hash"]) == (head, log.events[head - 1]["hash"])
            sent.append((low, high))
    rows = [row for row in world.all(tables.view_event) if row["chain"] == log.id]
    assert [row["body"] for row in rows] == [event["body"] for event in log.events]
    assert found(world) == []
    assert whole(world)


# --- checking the record --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "first_bad"),
    [
        ({"body": body_of(4, view="trace")}, 4),
        ({"view": "trace"}, 4),
        ({"user": "bertta"}, 4),
        ({"at": START}, 4),
        ({"hash": bytes(32)}, 4),
        ({"previous": bytes(32)}, 4),
        ({"number": 44}, 4),
        (None, 4),
    ],
)
async def test_what_is_done_to_the_record_is_found(
    world: World, log: Log, spoil: dict[str, Any] | None, first_bad: int
) -> None:
    await log.ship(world)
    second = Log(id="c" * 32, user="bertta", device="x")
    await second.register(world)
    second.look(3)
    await second.ship(world)
    assert whole(world)
    table = tables.view_event
    chosen = (table.c.chain == log.id, table.c.number == 4)
    with world.database.write() as connection:
        connection.execute(
            table.delete().where(*chosen) if spoil is None else table.update().where(*chosen).values(spoil)
        )
    with world.database.read() as connection:
        checked = {check.chain: check for check in view_checks.verify(connection)}
    assert checked[log.id].first_bad == first_bad
    assert (checked[second.id].first_bad, checked[second.id].events) == (None, 3)


@pytest.mark.parametrize("left", [0, 7])
async def test_a_record_that_was_cut_is_found(world: World, log: Log, left: int) -> None:
    await log.ship(world)
    with world.database.write() as connection:
        connection.execute(delete(tables.view_event).where(tables.view_event.c.number > left))
    with world.database.read() as connection:
        [checked] = view_checks.verify(connection)
    assert (checked.events, checked.first_bad) == (left, left + 1)


def test_every_finding_fits_its_column() -> None:
    length = tables.view_finding.c.kind.type.length  # type: ignore[attr-defined]
    assert all(len(kind) <= length for kind in Finding)


def test_the_batch_of_the_contract_forbids_what_the_record_cannot_hold() -> None:
    event = event_of(1, GENESIS, body_of(1))
    batch = {"chain": "a" * 32, "missing": False, "events": [event]}
    contract.ViewBatch.model_validate(batch)
    for change in ({"number": 2**60}, {"number": 0}, {"body": "\x00\x00"}, {"body": "x" * 3000}, {"hash": "A" * 64}):
        with pytest.raises(ValueError, match="validation error"):
            contract.ViewBatch.model_validate(batch | {"events": [event | change]})
    assert json.loads(event["body"])["number"] == 1
