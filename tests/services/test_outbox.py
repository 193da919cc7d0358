"""The user's end of the outbox: every command can be looked at, tried again, given anew or ended, none vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.services.outbox import Outbox
from kelmu_tui.store import aftermath, drafts, endings, outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.outbox import Draft, State
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, HandClock

CLOCK = HandClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an open store."""
    found = Store.open(tmp_path / "aino", Keys(), CLOCK, SeededIds(1))
    found.attach(A.business_id)
    yield found
    found.close()


@pytest.fixture
def service(store: Store) -> Outbox:
    """Return the service."""
    return Outbox(store, CLOCK, SeededIds(2))


def give(store: Store, key: str, verb: str = "note", text: str = "Soitettu") -> str:
    """Save a command."""
    payload = {"text": text} if verb == "note" else {}
    with store.write() as db:
        draft = Draft("aino", A.business_id, "n1", verb, payload, {"customer": "Virta, Oskar"}, 1, "lease")
        return outbox.append(db, draft, id=key, now=CLOCK.now())


def refuse(store: Store, key: str) -> None:
    """Send a command and have it refused."""
    with store.write() as db:
        assert outbox.freeze(db, key) is not None
        problem = {"code": "version_conflict", "rule": "already_taken", "status": 412}
        outbox.refuse(db, key, problem, '{"version": 6, "assignee_name": "Bertta"}', CLOCK.now())


def states(service: Outbox) -> dict[str, str]:
    """Return the state of every command."""
    return {line.id: line.state for line in service.lines()}


def test_what_needs_the_user_stands_first(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    give(store, "c2")
    refuse(store, "c1")
    with store.write() as db:
        outbox.append(db, Draft("aino", A.business_id, "n2", "take", {}, {}, 1, "lease"), id="c3", now=CLOCK.now())
    first, second, third = service.lines()
    assert [line.id for line in (first, second, third)] == ["c1", "c2", "c3"]
    assert first.conflict is not None
    assert (first.conflict.rule, first.conflict.current) == ("already_taken", {"version": 6, "assignee_name": "Bertta"})
    assert [line.id for line in service.behind("c1")] == ["c2"]


def test_redo_gives_the_whole_chain_anew_on_the_present_version(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    give(store, "c2")
    refuse(store, "c1")
    first, second = service.redo("c1")
    assert states(service) == {"c1": "reissued", "c2": "reissued", first: "queued", second: "queued"}
    with store.write() as db:
        frozen = outbox.freeze(db, first)
        assert frozen is not None
        assert (frozen.if_match, frozen.verb) == (6, "take")
        follower = outbox.command(db, second)
        assert follower is not None
        assert follower.after == first
    assert all(line.conflict is None for line in service.lines())


def test_discarding_a_refused_command_keeps_the_text_behind_it(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    give(store, "c2", text="Tärkeä huomio")
    refuse(store, "c1")
    service.discard("c1")
    assert states(service) == {"c1": "discarded", "c2": "blocked"}
    kept = service.line("c2")
    assert kept is not None
    assert kept.text == "Tärkeä huomio"
    (again,) = service.redo("c2")
    assert service.line(again) is not None


def test_reload_ends_only_a_conflict(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    with pytest.raises(NotPossible, match="state"):
        service.reload("c1")
    refuse(store, "c1")
    service.reload("c1")
    assert states(service) == {"c1": "discarded"}
    with store.read() as db:
        assert db.execute("SELECT ended FROM main.conflict").fetchall() == [("reloaded",)]


def test_a_text_that_has_arrived_is_left_to_the_record(store: Store, service: Outbox) -> None:
    give(store, "c1")
    with store.write() as db:
        outbox.freeze(db, "c1")
        outbox.acknowledge(db, "c1", seq=7, version=2, epoch="e", now=CLOCK.now())
        assert [line.text for line in endings.lines(db)] == ["Soitettu"]
        aftermath.settle(db, A.business_id, epoch="e", checkpoint=7, filling=False, now=CLOCK.now())
    assert [line.text for line in service.lines()] == [""]


def test_a_queued_command_is_withdrawn_and_its_follower_moves_up(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    give(store, "c2")
    service.discard("c1")
    with store.write() as db:
        assert outbox.due(db, CLOCK.now()) == ["c2"]
        frozen = outbox.freeze(db, "c2")
    assert frozen is not None
    assert frozen.if_match == 1


def test_what_may_have_been_applied_is_not_thrown_away(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    with store.write() as db:
        outbox.freeze(db, "c1")
    with pytest.raises(NotPossible, match="maybe_applied"):
        service.discard("c1")
    with store.write() as db:
        outbox.recover(db)
    with pytest.raises(NotPossible, match="maybe_applied"):
        service.discard("c1")


def test_an_undeliverable_command_goes_on_when_the_mandate_is_back(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    with store.write() as db:
        aftermath.strand(db, A.business_id, [], CLOCK.now())
    assert states(service) == {"c1": State.UNDELIVERABLE}
    service.retry("c1")
    assert states(service) == {"c1": State.QUEUED}


def test_drafts_stand_behind_what_needs_the_user_and_can_only_be_discarded(store: Store, service: Outbox) -> None:
    give(store, "c1", "take")
    refuse(store, "c1")
    with store.write() as db:
        outbox.append(db, Draft("aino", A.business_id, "n2", "take", {}, {}, 1, "lease"), id="c2", now=CLOCK.now())
        owner = drafts.Owner("aino", A.business_id, "note")
        drafts.save(db, owner, ["n1"], {"text": "Kesken"}, {}, id="d1", now=CLOCK.now())
    assert [line.id for line in service.lines()] == ["c1", "d1", "c2"]
    for method in (service.retry, service.redo, service.reload):
        with pytest.raises(NotPossible, match="state"):
            method("d1")
    service.discard("d1")
    assert service.line("d1") is None


def test_after_the_lease_the_own_text_is_told_and_nothing_of_the_customer(store: Store, service: Outbox) -> None:
    give(store, "c1")
    refuse(store, "c1")
    with store.write() as db:
        past = (CLOCK.now() - timedelta(minutes=1)).isoformat()
        db.execute("INSERT INTO main.secret VALUES ('lease_until', ?)", (past,))
    for line in (*service.lines(), service.line("c1")):
        assert line is not None
        assert line.text == "Soitettu"
        assert "customer" not in line.label
        assert line.conflict is not None
        assert line.conflict.current is None


@pytest.mark.parametrize("method", ["retry", "discard", "reload", "redo"])
def test_an_unknown_command_is_told_so(service: Outbox, method: str) -> None:
    with pytest.raises(NotPossible, match="unknown"):
        getattr(service, method)("nothing")
