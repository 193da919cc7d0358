"""What the list of own commands still tells of a customer once the notice, or the right to it, is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kelmu_tui.services.session import end_organisation, replicas
from kelmu_tui.store import aftermath, outbox, views
from kelmu_tui.store.database import Store
from kelmu_tui.sync import pull
from tests.store.build import OWN

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OTHER = "9900050-1"
EPOCH = "one"


def give(store: Store, verb: str, to: str | None) -> str:
    """Save, send and acknowledge a command on the notice `n`."""
    label = {"customer": "Virta, Oskar", "kind": "reduced_basic_amount"} | ({"to_organisation": to} if to else {})
    payload = {"municipality": "853", "reason": "muutto"} if verb == "transfer" else {}
    draft = outbox.Draft("user", OWN, "n", verb, payload, label, 1, "lease")
    with store.write() as db:
        id_ = outbox.append(db, draft, id=f"command-{verb}", now=NOW)
        outbox.freeze(db, id_)
        outbox.acknowledge(db, id_, seq=7, version=2, epoch=EPOCH, now=NOW)
    return id_


def settle(store: Store) -> None:
    with store.write() as db:
        aftermath.settle(db, OWN, epoch=EPOCH, checkpoint=7, filling=False, now=NOW)


def labels(store: Store) -> dict[str, dict[str, object]]:
    with store.read() as db:
        found = [outbox.command(db, id_) for (id_,) in db.execute("SELECT id FROM main.command").fetchall()]
    return {command.verb: command.label for command in found if command is not None}


@pytest.mark.parametrize(("to", "stays"), [(OTHER, False), (OWN, True)])
def test_a_name_stays_only_while_the_notice_does(store: Store, to: str, stays: bool) -> None:
    give(store, "open", None)
    give(store, "transfer", to)
    settle(store)
    found = labels(store)
    assert set(found) == {"open", "transfer"}
    assert all(("customer" in label) is stays for label in found.values())
    assert all(label["kind"] == "reduced_basic_amount" for label in found.values())


def test_a_name_stays_while_the_transfer_is_on_its_way(store: Store) -> None:
    give(store, "transfer", OTHER)
    assert labels(store)["transfer"]["customer"] == "Virta, Oskar"


def refuse(store: Store) -> None:
    """Save a note and have it refused with the notice as the backend has it."""
    draft = outbox.Draft("user", OWN, "n", "note", {"text": "Soitettu"}, {"customer": "Virta, Oskar"}, 1, "lease")
    with store.write() as db:
        outbox.append(db, draft, id="command-note", now=NOW)
        outbox.freeze(db, "command-note")
        outbox.refuse(db, "command-note", {"code": "version_conflict"}, '{"customer": {"family_name": "Virta"}}', NOW)


def ledger_text(store: Store) -> str:
    with store.read() as db:
        rows = db.execute("SELECT label, payload FROM command").fetchall()
        rows += db.execute("SELECT coalesce(current, ''), code FROM conflict").fetchall()
    return str(rows)


@pytest.mark.parametrize(("scopes", "stays"), [([f"notices:{OWN}"], True), ([f"traces:{OWN}"], False), ([], False)])
def test_with_the_scope_go_names_and_rows_but_not_what_the_user_wrote(
    store: Store, scopes: list[str], stays: bool
) -> None:
    give(store, "open", None)
    refuse(store)
    with store.write() as db:
        db.execute("INSERT INTO replica.state VALUES ('epoch', ?), ('cursor', 'c')", (EPOCH,))
        db.executemany("INSERT INTO replica.scope (name, generation) VALUES (?, 1)", [(name,) for name in scopes])
    pull.follow_up(store)
    found = ledger_text(store)
    assert ("Virta" in found) is stays
    assert "Soitettu" in found
    assert "version_conflict" in found
    with store.read() as db:
        assert not aftermath.tells_too_much(db, OWN, scopes)


def test_before_the_backend_was_heard_nothing_is_forgotten(store: Store) -> None:
    refuse(store)
    pull.follow_up(store)
    assert "Virta" in ledger_text(store)


def test_a_lost_organisation_takes_the_names_along_and_sets_its_commands_aside(store: Store) -> None:
    give(store, "open", None)
    refuse(store)
    draft = outbox.Draft("user", OWN, "m", "take", {}, {"customer": "Virta, Oskar"}, 1, "lease")
    with store.write() as db:
        outbox.append(db, draft, id="command-take", now=NOW)
    store.detach()
    end_organisation(store, OWN)
    assert "Virta" not in ledger_text(store)
    with store.read() as db:
        found = outbox.command(db, "command-take")
    assert found is not None
    assert found.state is outbox.State.UNDELIVERABLE
    assert replicas(store.folder) == []


def test_after_a_long_absence_and_a_restore_commands_and_views_are_told_again(store: Store) -> None:
    give(store, "open", None)
    settle(store)
    with store.write() as db:
        aftermath.offer_again(db, OWN, epoch=EPOCH, now=NOW)
        views.log(db, views.ViewEvent(NOW, "user", OWN, "notice", "n", 1, None))
        views.received(db, 1, outbox.stamp(NOW))
        assert aftermath.offer_again(db, OWN, epoch="two", now=NOW + timedelta(days=79)) == ["n"]
        assert views.waiting(db, 5) == 1
        assert aftermath.offer_again(db, OWN, epoch="two", now=NOW + timedelta(days=79)) == []


@pytest.mark.parametrize(
    ("epoch", "nowhere", "state"),
    [("one", False, "settled"), ("before", False, "acknowledged"), (None, True, "settled")],
)
def test_an_effect_of_an_epoch_that_the_replica_has_yet_to_hear_of_stays_on_top_of_its_rows(
    store: Store, epoch: str | None, nowhere: bool, state: str
) -> None:
    give(store, "open", None)
    with store.write() as db:
        aftermath.settle(db, OWN, epoch=epoch, checkpoint=7, filling=False, now=NOW, nowhere=nowhere)
        found = outbox.command(db, "command-open")
    assert found is not None
    assert found.state == state


def test_what_was_never_settled_is_offered_again_however_old_it_is(store: Store) -> None:
    give(store, "open", None)
    with store.write() as db:
        aftermath.offer_again(db, OWN, epoch=EPOCH, now=NOW)
        assert aftermath.offer_again(db, OWN, epoch="two", now=NOW + timedelta(days=100)) == ["n"]


def test_what_ended_is_forgotten_for_the_organisation_that_is_heard_alone(store: Store) -> None:
    give(store, "open", None)
    settle(store)
    late = NOW + timedelta(seconds=1)
    with store.write() as db:
        assert aftermath.sweep(db, OTHER, ended_before=late) == 0
        assert aftermath.sweep(db, OWN, ended_before=NOW) == 0
        assert aftermath.sweep(db, OWN, ended_before=late) == 1
