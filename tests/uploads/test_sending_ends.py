"""How a sending ends before its receipt: taken back, discarded, broken, or with the mandate."""

from __future__ import annotations

from pathlib import Path

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.network import _destroy_lost
from kelmu_tui.services.outbox import Outbox
from kelmu_tui.services.sendings import NotPossible, Sendings
from kelmu_tui.services.session import Session, end_organisation, put_secrets
from kelmu_tui.services.unsent import discard_unsent, unsent
from kelmu_tui.store import aftermath, copies, outbox
from kelmu_tui.store.copies import State
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.sync import push, upload
from tests.services.signed_in import FIRST, SECOND, organisation, session_text
from tests.uploads.desk import CODE, NAME, files_of, queue, request, states


def in_flight(store: Store) -> str:
    """Let the only sending be whole at the backend and its command under way; return the command."""
    with store.write() as db:
        db.execute("UPDATE main.sealed_copy SET state = 'whole'")
        ((id_,),) = db.execute("SELECT id FROM main.command").fetchall()
        assert outbox.freeze(db, id_) is not None
    return str(id_)


def test_taken_back_the_key_and_the_file_are_gone(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = queue(sendings, request(photo))
    sendings.cancel(sending)
    assert sendings.lines() == ()
    assert files_of(store) == []
    assert states(store, sending) == [State.ENDED]
    with pytest.raises(NotPossible) as failure:
        sendings.cancel(sending)
    assert failure.value.reason == "unknown"


def test_what_was_sent_cannot_be_taken_back(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = queue(sendings, request(photo))
    one = upload.take(store)
    assert one is not None
    upload.done(store, one)
    assert len(push.take_due(store)) == 1
    with pytest.raises(NotPossible) as failure:
        sendings.cancel(sending)
    assert failure.value.reason == "maybe_applied"
    with pytest.raises(NotPossible):
        sendings.retry(sending)
    assert len(files_of(store)) == 1


def test_with_the_mandate_the_copies_end_and_what_it_was_is_kept(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = queue(sendings, request(photo))
    end_organisation(store, FIRST)
    copies.tidy(store)
    assert files_of(store) == []
    with store.read() as db:
        (id_,) = db.execute("SELECT id FROM main.command").fetchone()
        found = outbox.command(db, id_)
        assert CODE.value not in str(db.execute("SELECT payload, label, body FROM main.command").fetchall())
        assert NAME not in str(db.execute("SELECT payload, label FROM main.command").fetchall())
    assert found is not None
    assert (found.state, found.label["documents"], found.payload["documents"][0]["name"]) == (
        outbox.State.UNDELIVERABLE,
        1,
        "Sähkölasku",
    )
    store.attach(FIRST)
    (line,) = sendings.lines()
    assert (line.id, line.state, line.problem, line.documents[0].state) == (sending, "stopped", "mandate", "gone")
    with pytest.raises(NotPossible):
        sendings.retry(sending)
    sendings.cancel(sending)
    assert sendings.lines() == ()


def test_without_the_mandate_nothing_is_shown_or_queued(sendings: Sendings, store: Store, photo: Path) -> None:
    made = sendings.seal(request(photo))
    put_secrets(store, {"session": session_text(organisation(FIRST, "Pirkanmaa", grants=[]))})
    with pytest.raises(NotAllowed):
        sendings.lines()
    with pytest.raises(NotAllowed):
        sendings.name_of(CODE)
    with pytest.raises(NotAllowed):
        sendings.commit(made)
    assert files_of(store) == []


def test_a_sign_out_is_told_of_it_and_can_discard_it(sendings: Sendings, store: Store, photo: Path) -> None:
    queue(sendings, request(photo))
    assert unsent(store) == 1
    assert discard_unsent(store, store.clock.now()) == 0
    assert files_of(store) == []


def test_discarded_among_the_commands_its_copies_are_gone_as_well(
    sendings: Sendings, store: Store, photo: Path
) -> None:
    sending = queue(sendings, request(photo))
    commands = Outbox(store, store.clock, SeededIds(5))
    told: list[Changed] = []
    store.listen(told.append)
    (line,) = commands.lines()
    commands.retry(line.id)
    commands.discard(line.id)
    assert files_of(store) == []
    assert states(store, sending) == [State.ENDED]
    assert sum("sending" in change.tables for change in told) == 2, "the page of documents hears of both"


def test_a_broken_copy_is_told_and_never_sent(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = queue(sendings, request(photo))
    one = upload.take(store)
    assert one is not None
    upload.broke(store, one)
    (line,) = sendings.lines()
    assert (line.state, line.problem, line.documents[0].state) == ("refused", "copy_broken", "broken")
    assert upload.take(store) is None
    assert push.take_due(store) == []
    with pytest.raises(NotPossible):
        sendings.retry(sending)
    sendings.cancel(sending)
    removal = upload.take(store)  # what had gone up before it broke is taken away there
    assert removal is not None
    assert removal.document == one.document


def test_what_is_refused_after_the_mandate_has_ended_says_no_more_whose_it_was(
    sendings: Sendings, store: Store, photo: Path
) -> None:
    queue(sendings, request(photo))
    id_ = in_flight(store)
    end_organisation(store, FIRST)
    with store.write() as db:
        assert CODE.value in str(db.execute("SELECT payload FROM main.command").fetchall()), "it may be sent once more"
        outbox.refuse(db, id_, {"code": "mandate_missing", "status": 403}, None, store.clock.now())
        assert aftermath.tells_too_much(db, FIRST, ())
        aftermath.forget_customers(db, FIRST, ())
        assert CODE.value not in str(db.execute("SELECT payload, label, body FROM main.command").fetchall())
        assert not aftermath.tells_too_much(db, FIRST, ())


def test_a_refused_sending_is_asked_about_at_the_sign_out_and_discarded(
    sendings: Sendings, store: Store, photo: Path
) -> None:
    queue(sendings, request(photo))
    id_ = in_flight(store)
    with store.write() as db:
        outbox.refuse(db, id_, {"code": "rule_refused", "rule": "sending_customer"}, None, store.clock.now())
    assert unsent(store) == 1
    assert discard_unsent(store, store.clock.now()) == 0
    assert (unsent(store), files_of(store)) == (0, [])


def test_given_once_more_it_goes_with_the_lease_of_now(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = queue(sendings, request(photo))
    id_ = in_flight(store)
    with store.write() as db:
        db.execute("UPDATE main.command SET lease = 'of-long-ago'")
        outbox.refuse(db, id_, {"code": "command_expired"}, None, store.clock.now())
    sendings.retry(sending)
    with store.read() as db:
        ((lease,),) = db.execute("SELECT lease FROM main.command WHERE state = 'queued'").fetchall()
    assert lease == Session(store).lease()[0]


def test_what_interrupts_after_the_commit_leaves_the_copies(sendings: Sendings, store: Store, photo: Path) -> None:
    def interrupt(_: Changed) -> None:
        raise KeyboardInterrupt

    made = sendings.seal(request(photo))
    stop = store.listen(interrupt)
    with pytest.raises(KeyboardInterrupt):
        sendings.commit(made)
    stop()
    assert len(files_of(store)) == 1
    assert [line.state for line in sendings.lines()] == ["queued"]


def test_the_end_of_a_mandate_is_carried_out_where_there_is_no_replica(
    sendings: Sendings, store: Store, photo: Path
) -> None:
    queue(sendings, request(photo))
    store.destroy_replica(FIRST)
    store.attach(SECOND)
    _destroy_lost(store, frozenset({SECOND}))
    assert files_of(store) == []
    with store.read() as db:
        told = str(db.execute("SELECT payload, label, body, state FROM main.command").fetchall())
    assert CODE.value not in told
    assert NAME not in told
    assert "undeliverable" in told
