"""The log of views on the backend: whole logs arrive once and in order, and whatever was done to one is named."""

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
from kelmu_tui.api.contract import Problem, ViewReceipt

from .chains import Event, Log, body_of, event_of, packed
from .conftest import INBOX, START, A, B, World, grant

GENESIS = "0" * 64


@pytest.fixture
async def log(world: World) -> Log:
    """A registered log of aino's with ten looks, nothing shipped."""
    log = Log()
    assert (await log.register(world)).status_code == 200
    log.look(10)
    return log


def shipped(world: World) -> list[int]:
    """Return the numbers that the record has, over all logs."""
    return [row["number"] for row in world.all(tables.view_event)]


def found(world: World) -> list[tuple[str, int, int, bool]]:
    """Return the findings: kind, from, to, whether it is still open."""
    rows = world.all(tables.view_finding)
    return [(row["kind"], row["number"], row["until"], row["resolved"] is None) for row in rows]


def whole(world: World) -> bool:
    """Tell whether a check of the record finds every log in it whole."""
    with world.database.read() as connection:
        return all(checked.first_bad is None for checked in view_checks.verify(connection))


def refused(answer: Any, code: str, head: int) -> bool:
    """Tell whether a batch was refused so, with the last shared number."""
    problem = Problem.model_validate_json(answer.content)
    assert problem.head is not None
    return (answer.status_code, problem.code, problem.head.number) == (409, code, head)


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


# --- what can be done to a log --------------------------------------------------------------------------------------


def edited(events: list[Event], at: int) -> list[Event]:
    """Change a text and leave its hash."""
    changed = events[at] | {"body": events[at]["body"].replace("notice", "trace")}
    return [*events[:at], changed, *events[at + 1 :]]


def edited_and_hashed(events: list[Event], at: int) -> list[Event]:
    """Change a text and hash it again."""
    body = events[at]["body"].replace("notice", "trace")
    return [*events[:at], event_of(events[at]["number"], events[at]["previous"], body), *events[at + 1 :]]


def renamed(events: list[Event], at: int) -> list[Event]:
    """Say that somebody else looked, with a right hash."""
    body = events[at]["body"].replace("aino", "bertta")
    return [*events[:at], event_of(events[at]["number"], events[at]["previous"], body), *events[at + 1 :]]


def garbled(events: list[Event], at: int) -> list[Event]:
    """Say nothing that can be read, with a right hash."""
    changed = event_of(events[at]["number"], events[at]["previous"], "[" * 500)
    return [*events[:at], changed, *events[at + 1 :]]


def dropped(events: list[Event], at: int) -> list[Event]:
    """Leave one out and number those behind it anew."""
    moved = [event | {"number": event["number"] - 1} for event in events[at + 1 :]]
    return [*events[:at], *moved]


def left_out(events: list[Event], at: int) -> list[Event]:
    """Leave one out."""
    return [*events[:at], *events[at + 1 :]]


def swapped(events: list[Event], at: int) -> list[Event]:
    """Exchange two neighbours under their numbers."""
    first, second = events[at], events[at + 1]
    return [
        *events[:at],
        second | {"number": first["number"]},
        first | {"number": second["number"]},
        *events[at + 2 :],
    ]


def reversed_(events: list[Event], at: int) -> list[Event]:
    """Send two neighbours the wrong way round."""
    return [*events[:at], events[at + 1], events[at], *events[at + 2 :]]


TAMPERING = (edited, edited_and_hashed, renamed, garbled, dropped, left_out, swapped, reversed_)


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
@pytest.mark.parametrize("at", [0, 4, 8])
async def test_an_altered_log_is_found_at_the_event(world: World, log: Log, tamper: Any, at: int) -> None:
    answer = await log.ship(world, tamper(log.events, at))
    if tamper in (left_out, reversed_) and at == 0:
        assert refused(answer, "view_chain_gap", 0), "the log begins too late"
        assert found(world) == [("gap", 1, 1, True)]
        return
    bad = at + (2 if tamper is edited_and_hashed else 1)  # a right hash of a wrong text breaks the link behind it
    assert refused(answer, "view_chain_forged", bad - 1 if tamper is not left_out else at) or refused(
        answer, "view_chain_forged", 0
    )
    (kind, number, _, is_open), *others = found(world)
    assert (kind, is_open, others) == ("forged", True, [])
    assert number in (bad, bad + 1)
    assert shipped(world) == list(range(1, bad)), "what was good before it is kept"
    assert whole(world)
    with world.database.read() as connection:
        assert [finding.user for finding in view_checks.findings(connection)] == ["aino"]


async def test_a_cut_log_that_goes_on_is_a_fork(world: World, log: Log) -> None:
    old = log.copy()
    del old.events[7:]
    await log.ship(world)
    old.look(subject="other")
    assert refused(await old.ship(world, old.events[7:]), "view_chain_forked", 7)
    assert found(world) == [("forked", 8, 8, True)]
    assert shipped(world) == list(range(1, 11))


async def test_an_old_copy_beyond_the_head_is_a_fork(world: World, log: Log) -> None:
    old = log.copy()
    del old.events[7:]
    await log.ship(world)
    old.look(5, subject="other")
    assert refused(await old.ship(world, old.events[10:]), "view_chain_forked", 0)
    assert refused(await old.ship(world), "view_chain_forked", 7)
    assert found(world) == [("forked", 11, 11, True), ("forked", 8, 8, True)]


async def test_a_repeated_refusal_is_written_down_once(world: World, log: Log) -> None:
    for _ in range(3):
        await log.ship(world, edited(log.events, 4))
    assert found(world) == [("forged", 5, 5, True)]


async def test_the_events_of_another_log_do_not_pass(world: World, log: Log) -> None:
    other = Log(id="b" * 32, user="bertta", key=Ed25519PrivateKey.generate())
    await other.register(world)
    other.look(10)
    assert (await log.send(world, other.batch(other.events))).json()["code"] == "view_signature_wrong"
    assert refused(await log.ship(world, other.events), "view_chain_forged", 0)
    assert found(world) == [("unsigned", 0, 0, True), ("forged", 1, 1, True)]
    assert shipped(world) == []


async def test_a_wrong_signature_is_refused_and_written_down_once(world: World, log: Log) -> None:
    body = log.batch(log.events)
    good = packed(log.key.sign(body))
    for signature in (packed(Ed25519PrivateKey.generate().sign(body)), "A" * 86, "x", "%%", good[:-4]):
        answer = await log.send(world, body, signature)
        assert (answer.status_code, answer.json()["code"]) == (403, "view_signature_wrong")
    for changed in (body + b" ", body.replace(b"notice", b"tracee", 1)):
        assert (await log.send(world, changed, good)).status_code == 403
    assert found(world) == [("unsigned", 0, 0, True)]
    assert shipped(world) == []
    assert (await log.send(world, body, good)).status_code == 200


async def test_an_unknown_log_and_a_missing_signature_are_told(world: World) -> None:
    log = Log()
    log.look()
    assert (await log.ship(world)).json()["code"] == "not_found"
    bare = await world.client.post("/v1/view-events", content=log.batch(log.events))
    assert (bare.status_code, bare.json()["code"]) == (400, "invalid_request")
    assert (await log.send(world, b"{}")).status_code == 422
    assert (await log.ship(world, [])).status_code == 422
    assert (await log.send(world, b"x" * 70_000)).status_code == 413


async def test_knocking_is_slowed_down_by_address_and_good_batches_are_not(world: World, log: Log) -> None:
    stranger = Log(id="e" * 32)
    stranger.look()
    for event in log.events:
        assert (await log.ship(world, [event])).status_code == 200
    statuses = [(await stranger.ship(world)).status_code for _ in range(121)]
    assert (set(statuses[:-1]), statuses[-1]) == ({404}, 429)
    world.clock.pass_by(seconds=2)
    assert (await log.ship(world)).status_code == 200


async def test_one_log_cannot_flood(world: World, log: Log) -> None:
    statuses = [(await log.ship(world, log.events[:1])).status_code for _ in range(101)]
    assert (set(statuses[:-1]), statuses[-1]) == ({200}, 429)


# --- gaps -----------------------------------------------------------------------------------------------------------


async def test_a_gap_is_told_and_closes_when_the_events_come(world: World, log: Log) -> None:
    await log.ship(world, log.events[:3])
    assert refused(await log.ship(world, log.events[6:]), "view_chain_gap", 3)
    assert found(world) == [("gap", 4, 6, True)]
    assert shipped(world) == [1, 2, 3]
    await log.ship(world, log.events[3:5])
    assert found(world) == [("gap", 4, 6, True)]
    await log.ship(world, log.events[5:])
    assert found(world) == [("gap", 4, 6, False)]
    assert shipped(world) == list(range(1, 11))
    assert whole(world)


async def test_what_its_client_no_longer_has_stays_a_gap_till_it_comes_after_all(world: World, log: Log) -> None:
    await log.ship(world, log.events[:2])
    answer = await log.ship(world, log.events[5:], missing=True)
    assert answer.json()["number"] == 10
    assert found(world) == [("gap", 3, 5, True)]
    assert whole(world)
    late = await log.ship(world, log.events[2:4])
    assert (late.status_code, late.json()["number"]) == (200, 10)
    assert found(world) == [("gap", 3, 5, True)]
    assert refused(await log.ship(world, [*edited_and_hashed(log.events, 4)[4:5]]), "view_chain_forked", 4)
    assert (await log.ship(world, log.events)).status_code == 200
    assert found(world) == [("gap", 3, 5, False), ("forked", 5, 5, True)]
    assert shipped(world) == list(range(1, 11))
    assert whole(world)


async def test_a_hole_in_the_middle_of_a_gap(world: World, log: Log) -> None:
    await log.ship(world, log.events[7:], missing=True)
    assert refused(await log.ship(world, log.events[3:5]), "view_chain_gap", 0)
    assert (await log.ship(world, log.events[3:5], missing=True)).status_code == 200
    assert (await log.ship(world, log.events[:3])).status_code == 200
    assert found(world) == [("gap", 1, 7, True)]
    with world.database.read() as connection:
        assert [finding.missing for finding in view_checks.findings(connection)] == [2]
    assert whole(world)
    assert (await log.ship(world)).status_code == 200
    assert found(world) == [("gap", 1, 7, False)]
    assert whole(world)


async def test_missing_says_nothing_where_nothing_is_missing(world: World, log: Log) -> None:
    await log.ship(world, log.events[:5])
    assert (await log.ship(world, log.events[5:], missing=True)).status_code == 200
    assert found(world) == []


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
