"""Units of work of pulling, where a process dies between two of them or the replica knows nothing."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from kelmu_tui.api.answers import SnapshotRows
from kelmu_tui.api.contract import Change, Changes, SnapshotEnd, SnapshotStart
from kelmu_tui.store import feed, outbox, overlay
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, Frozen, State
from kelmu_tui.sync import pull, push
from tests.sync.simulation.record import INBOX, LOOK_UP, A, HandClock, Record


def read(store: Store, record: Record) -> None:
    """Ask once, and fill what has to be filled."""
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", ask.cursor)
    assert not isinstance(answer, Exception)
    pull.take_changes(store, ask, answer)


def log_size(store: Store) -> int:
    """Return the size of the replica's write-ahead log in bytes."""
    return (store.folder / f"replica-{A.business_id}.db-wal").stat().st_size


def acknowledged(store: Store, clock: HandClock) -> str:
    """Save a command and let the backend have applied it."""
    key = store.ids.new()
    with store.write() as db:
        outbox.append(db, Draft("aino", A.business_id, "n0001", "take", {}, {}, 1, "lease"), id=key, now=clock.now())
        outbox.freeze(db, key)
        outbox.acknowledge(db, key, seq=9, version=2, epoch="epoch", now=clock.now())
    return key


def fill_all(store: Store, record: Record) -> None:
    """Fill all that has to be filled, and ask once more."""
    while (fill := pull.next_fill(store)) is not None:
        page = record.page("aino", fill.scope, fill.after, first=True).page
        assert page is not None
        head = SnapshotStart(epoch=page.epoch, scope=fill.scope, count=page.count, head=page.head)
        for part in (head, SnapshotRows(page.rows), SnapshotEnd(head=page.head)):
            assert pull.take_part(store, fill, part)
    read(store, record)


def shown(store: Store) -> list[str]:
    """Return the ids of the notices that are shown."""
    with store.read() as db:
        rows = db.execute(
            "SELECT n.id FROM replica.notice AS n JOIN replica.scope AS s ON s.generation = n.generation ORDER BY n.id"
        )
        return [id_ for (id_,) in rows]


def notes_of(store: Store, notice: str) -> list[str]:
    """Return the notes of a notice that are shown beside those of the backend's row: the own ones under way."""
    with store.read() as db:
        effect = overlay.effect(db, overlay.frame(db), notice)
    assert effect is not None
    return [note.text for note in effect.notes]


def sent_by(user: str, key: str, record: Record) -> Frozen:
    """Return a note on the first notice as another terminal sends it."""
    return Frozen(key, A.business_id, "n0001", "note", 1, b'{"text":"Tavattu"}', record.lease(user), 1, attempt=1)


def state(store: Store, key: str) -> State:
    """Return a command's state."""
    with store.read() as db:
        found = outbox.command(db, key)
    assert found is not None
    return found.state


def test_what_a_newer_backend_grants_and_tells_is_left_alone(store: Store, record: Record) -> None:
    record.regrant("aino", INBOX, LOOK_UP)
    read(store, record)
    fill_all(store, record)
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", ask.cursor)
    assert not isinstance(answer, Exception)
    news = answer.model_dump(mode="json")
    strange = {"scope": "stars:1", "id": "s1", "version": 3, "op": "up", "row": {"table": "star", "id": "s1"}}
    moved = {"scope": "stars:1", "id": "s2", "version": 1, "op": "rm", "row": None}
    news |= {"changes": [strange, moved], "granted": [*answer.granted, "stars:1"], "added": ["stars:1"]}
    told = Changes.model_validate_json(json.dumps(news))
    assert told.changes[0].row is None
    assert pull.take_changes(store, ask, told).applied
    assert pull.next_fill(store) is None
    with store.read() as db:
        now = feed.state(db)
    assert now.cursor == answer.cursor
    kinds = {scope.name.partition(":")[0] for scope in now.scopes}
    assert kinds == {"announcements", "claims", "follows", "notices", "sendings", "traces"}


def test_a_scope_that_is_revoked_and_added_at_once_is_dropped_and_filled_anew(store: Store, record: Record) -> None:
    read(store, record)
    fill_all(store, record)
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", ask.cursor)
    assert not isinstance(answer, Exception)
    held = f"notices:{A.business_id}"
    before = shown(store)
    assert before
    assert pull.take_changes(store, ask, answer.model_copy(update={"revoked": [held], "added": [held]})).applied
    assert shown(store) == []
    fill_all(store, record)
    assert shown(store) == before


@pytest.mark.parametrize("row", [{"table": "notice", "id": "n1"}, {"id": "n1"}, {"table": 7}])
def test_a_row_of_a_known_kind_has_to_be_whole(row: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Change.model_validate({"scope": "notices:1", "id": "n1", "version": 1, "op": "up", "row": row})


def test_a_purge_whose_log_was_not_emptied_is_finished_at_the_next_start(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(store, record)
    record.regrant("aino", LOOK_UP)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "scrub", lambda _: False)  # as when the process dies before it, or a reader is in the way
        read(store, record)
    assert log_size(store) > 0
    pull.follow_up(store)
    with store.read() as db:
        assert not feed.unscrubbed(db)
    before = log_size(store)
    pull.follow_up(store)
    assert log_size(store) == before, "once is enough"


def test_a_purge_empties_the_log_at_once(store: Store, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    read(store, record)
    record.regrant("aino", LOOK_UP)
    sizes = []
    original = Store.scrub

    def scrub(self: Store) -> bool:
        done = original(self)
        sizes.append(log_size(self))
        return done

    monkeypatch.setattr(Store, "scrub", scrub)
    read(store, record)
    assert sizes == [0]


def test_shut_out_with_a_replica_that_never_heard_anything_a_command_is_settled(store: Store, clock: HandClock) -> None:
    key = acknowledged(store, clock)
    pull.follow_up(store)
    assert state(store, key) is State.ACKNOWLEDGED, "the backend has not been heard: nobody knows"
    ask = pull.next_ask(store)
    assert ask is not None
    pull.shut_out(store, ask)
    assert state(store, key) is State.SETTLED


def test_shut_out_after_a_restore_nobody_heard_of_commands_are_offered_again_when_the_mandate_is_back(
    store: Store, record: Record, clock: HandClock
) -> None:
    read(store, record)
    key = acknowledged(store, clock)
    record.back_up()
    record.restore()
    record.regrant("aino")
    ask = pull.next_ask(store)
    assert ask is not None
    pull.shut_out(store, ask)
    record.regrant("aino", INBOX, LOOK_UP)
    read(store, record)
    assert state(store, key) is State.QUEUED


def test_rows_of_before_a_restore_hide_no_change_of_after_it(store: Store, record: Record, clock: HandClock) -> None:
    """The versions of the two lives of the record tell nothing of each other."""
    read(store, record)
    fill_all(store, record)
    key = store.ids.new()
    note = Draft("aino", A.business_id, "n0001", "note", {"text": "Soitettu"}, {"by": "Aino"}, 1, record.lease("aino"))
    record.back_up()
    assert record.command("bertta", sent_by("bertta", "colleague", record)).status == 200
    read(store, record)  # version 2 of the life that will be lost
    record.restore()
    read(store, record)  # the old rows stay on the screen until they are filled anew
    with store.write() as db:
        outbox.append(db, note, id=key, now=clock.now())
        sent = outbox.freeze(db, key)
    assert sent is not None
    push.answered(store, sent, record.command("aino", sent._replace(if_match=1)))
    assert state(store, key) is State.ACKNOWLEDGED
    assert notes_of(store, "n0001") == ["Soitettu"]
    fill_all(store, record)
    read(store, record)
    assert state(store, key) is State.SETTLED


@pytest.mark.parametrize("ended", [False, True])
def test_a_refusal_brings_no_row_of_a_scope_that_has_ended(
    store: Store, record: Record, clock: HandClock, ended: bool
) -> None:
    """Its answer was on the way when the feed told of the end; nothing asks the feed again before the store is read."""
    read(store, record)
    fill_all(store, record)
    key = store.ids.new()
    take = Draft("aino", A.business_id, "n0001", "take", {}, {}, 1, record.lease("aino"))
    theirs = sent_by("bertta", "colleague", record)._replace(verb="take", body=b"{}")
    assert record.command("bertta", theirs).status == 200
    with store.write() as db:
        outbox.append(db, take, id=key, now=clock.now())
        sent = outbox.freeze(db, key)
    assert sent is not None
    answer = record.command("aino", sent._replace(if_match=1))
    assert answer.problem is not None
    assert answer.problem.current is not None
    if ended:
        record.regrant("aino")
        ask = pull.next_ask(store)
        assert ask is not None
        told = record.changes("aino", ask.cursor)
        pull.shut_out(store, ask) if isinstance(told, Exception) else pull.take_changes(store, ask, told)
    push.answered(store, sent, answer)
    assert state(store, key) is State.REFUSED
    with store.read() as db:
        ((current,),) = db.execute("SELECT current FROM main.conflict WHERE command = ?", (key,)).fetchall()
    assert (current is None) is ended
