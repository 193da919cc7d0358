"""Whatever is done to a log of views is found and named, and what is missing is told until it comes."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kelmu_backend import view_checks

from .chains import Event, Log, event_of, found, packed, refused, shipped, whole
from .conftest import World

GENESIS = "0" * 64


@pytest.fixture
async def log(world: World) -> Log:
    """A registered log of aino's with ten looks, nothing shipped."""
    log = Log()
    assert (await log.register(world)).status_code == 200
    log.look(10)
    return log


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
