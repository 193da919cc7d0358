"""Queueing documents and being told of them: what is refused, what is kept, what is destroyed."""

from __future__ import annotations

import errno
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.content import checking
from kelmu_tui.domain.documents import Fault, SendRefusal
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context
from kelmu_tui.services.customers import SITTING
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.sendings import File, FileRefused, NotPossible, Request, Sendings, SendRefused
from kelmu_tui.services.session import end_organisation, put_secrets
from kelmu_tui.services.unsent import discard_unsent, unsent
from kelmu_tui.store import aftermath, copies, outbox, replica, sealed
from kelmu_tui.store.copies import State
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.sendings import SendingLine
from kelmu_tui.sync import push, upload
from tests.content import files
from tests.services.customers import at_work, events
from tests.services.signed_in import FIRST, TODAY, Time, organisation, session_text

SOCIAL = "social_assistance_and_social_care"
CODE = make_identity_code(date(1990, 1, 1), "-", 919)
NAME = "Virtanen, Aino"


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    store.attach(FIRST)
    return at_work(profile, store, SOCIAL)


@pytest.fixture
def sendings(context: Context) -> Sendings:
    return context.sendings


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo that says where it was taken."""
    path = tmp_path / "kuva.jpg"
    path.write_bytes(files.jpeg_of(exif=files.exif_of()))
    return path


def request(*paths: Path, **changes: object) -> Request:
    values: dict[str, object] = {
        "customer": CODE,
        "name": NAME,
        "asked_by": "customer",
        "asked_on": TODAY,
        "way": "telephone",
        "case_reference": None,
        "files": [File(path, "bill", "Sähkölasku") for path in paths],
    }
    return Request(**(values | changes))  # type: ignore[arg-type]


def files_of(store: Store) -> list[str]:
    folder = sealed.folder(store.folder)
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def states(store: Store, sending: str) -> list[State]:
    with store.read() as db:
        return [one.state for one in copies.of(db, sending)]


# --- queueing -------------------------------------------------------------------------------------------------------


def test_what_is_queued_is_told_and_its_copy_is_the_cleaned_file(sendings: Sendings, store: Store, photo: Path) -> None:
    checked = sendings.check(photo)
    assert checked.fault is None
    assert "gps" in checked.removed
    assert checked.preview
    sending = sendings.queue(request(photo))
    (line,) = sendings.lines()
    assert (line.id, line.state, line.customer_name, line.problem) == (sending, "queued", NAME, None)
    (document,) = line.documents
    assert (document.name, document.kind, document.media_type, document.sent) == ("Sähkölasku", "bill", "image/jpeg", 0)
    assert document.removed == checked.removed
    assert document.size == checked.inspection.size
    with store.read() as db:
        (key,) = db.execute("SELECT key FROM main.sealed_copy").fetchone()
    with sealed.Copy(store.folder, document.id, bytes(key), document.size) as copy:
        kept = copy.piece(0)
    assert checking.inspect(kept).metadata == ()
    assert checking.inspect(kept).sha256 == checked.inspection.sha256


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"files": []}, "no_files"),
        ({"asked_by": "neighbour"}, SendRefusal.ASKED),
        ({"way": "telepathy"}, SendRefusal.ASKED),
        ({"asked_on": TODAY + timedelta(days=1)}, SendRefusal.ASKED),
        ({"files": [File(Path("x"), "bill", "x")] * 11}, SendRefusal.TOO_MANY),
        ({"files": [File(Path("x"), "poem", "x")]}, "kind"),
        ({"files": [File(Path("x"), "bill", " ")]}, "name"),
        ({"files": [File(Path("x"), "bill", "x" * 121)]}, "name"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_a_file_is_read(
    sendings: Sendings, store: Store, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(SendRefused) as refused:
        sendings.queue(request(**changes))
    assert refused.value.reason == reason
    assert files_of(store) == []


def test_the_tenth_file_that_is_refused_leaves_none_of_the_nine_before(
    sendings: Sendings, store: Store, photo: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"MZ" + bytes(100))
    with pytest.raises(FileRefused) as refused:
        sendings.queue(request(*[photo] * 9, bad))
    assert (refused.value.path, refused.value.fault) == (bad, Fault.TYPE)
    assert files_of(store) == []
    assert sendings.lines() == ()


@pytest.mark.parametrize("kind", ["empty", "missing", "folder", "denied"])
def test_a_file_that_is_none_is_told(sendings: Sendings, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.pdf"
    if kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "denied":
        path = Path("/proc/self/mem")
    with pytest.raises(FileRefused) as refused:
        sendings.queue(request(path))
    expected = {"missing": "missing", "folder": "not_a_file"}.get(kind, "")
    if kind == "empty":
        assert refused.value.fault is Fault.EMPTY
    elif kind != "denied":
        assert refused.value.unreadable == expected


def test_a_file_that_is_not_what_was_checked_is_noticed(sendings: Sendings, store: Store, photo: Path) -> None:
    seen = sendings.check(photo, 0).digest
    photo.write_bytes(files.jpeg_of(files.photo(32, 32)))
    with pytest.raises(FileRefused) as refused:
        sendings.queue(request(files=[File(photo, "bill", "x", seen)]))
    assert refused.value.fault is Fault.CHANGED
    photo.unlink()
    with pytest.raises(FileRefused) as refused:
        sendings.queue(request(files=[File(photo, "bill", "x", seen)]))
    assert refused.value.fault is Fault.CHANGED
    assert files_of(store) == []


def test_a_file_that_changes_while_it_is_read_is_noticed(
    sendings: Sendings, store: Store, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = checking.read

    def meanwhile(path: Path, *rest: object) -> bytes:
        data = read(path)
        path.write_bytes(data + b"x")
        return data

    monkeypatch.setattr(checking, "read", meanwhile)
    with pytest.raises(FileRefused) as refused:
        sendings.queue(request(photo))
    assert refused.value.fault is Fault.CHANGED
    assert files_of(store) == []


def test_once_sealed_the_file_does_not_matter(sendings: Sendings, store: Store, photo: Path) -> None:
    made = sendings.seal(request(photo))
    photo.unlink()
    assert sendings.commit(made) == made.sending
    assert [line.id for line in sendings.lines()] == [made.sending]


def test_a_full_disk_is_told_and_nothing_half_is_left(
    sendings: Sendings, store: Store, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = os.write, []

    def full(handle: int, data: bytes) -> int:
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "full")
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFull):
        sendings.seal(request(photo, photo))
    monkeypatch.undo()
    assert files_of(store) == []
    assert unsent(store) == 0


def test_nothing_of_a_person_is_shown_by_what_carries_it(photo: Path) -> None:
    shown = repr(request(photo))
    assert CODE.value not in shown
    assert NAME not in shown
    assert str(photo) not in shown


def received(own: SendingLine) -> dict[str, Any]:
    """Return the row with the receipt of a sending."""
    return {
        "table": "sending",
        "id": own.id,
        "version": 1,
        "state": "checked",
        "receipt": "20261123-ABCD",
        "customer_name": NAME,
        "masked_code": own.masked_code,
        "asked_by": "customer",
        "asked_on": TODAY.isoformat(),
        "way": "telephone",
        "received_at": "2026-11-23T08:00:00Z",
        "expires_at": "2026-12-23T08:00:00Z",
        "documents": [
            {"id": own.documents[0].id, "kind": "bill", "name": "x", "size": 9, "state": "taken", "refused": None}
        ],
    }


def hold(store: Store, *rows: dict[str, Any]) -> None:
    """Let the feed bring receipts."""
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.scope (name, generation) VALUES (?, 7)", (f"sendings:{FIRST}:u1",))
        replica.put_rows(db, 7, rows)


# --- looking --------------------------------------------------------------------------------------------------------


def test_a_list_of_names_is_logged_before_it_is_shown(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = sendings.queue(request(photo))
    sendings.log_list(1)
    assert sendings.open(sending) is not None
    assert sendings.open("f" * 32) is None
    assert [event["view"] for event in events(store)] == ["customer_list:sendings"] * 2


def test_a_sending_seen_again_is_another_look_with_its_receipt_and_after_a_while(
    sendings: Sendings, store: Store, photo: Path, time: Time
) -> None:
    sending, other = (sendings.queue(request(photo)) for _ in range(2))
    (own,) = (line for line in sendings.lines() if line.id == sending)

    def looks(now: str) -> int:
        before = len(events(store))
        assert sendings.open(now) is not None
        return len(events(store)) - before

    assert [looks(sending), looks(other), looks(sending)] == [1, 1, 0]
    with store.write() as db:
        db.execute("UPDATE main.sealed_copy SET state = 'begun', sent = 5")
    assert looks(sending) == 0
    hold(store, received(own))
    assert [looks(sending), looks(sending), looks(other)] == [1, 0, 0]
    time.at += SITTING
    assert [looks(sending), looks(sending)] == [1, 0]


def test_a_sending_that_leaves_is_logged_each_time(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = sendings.queue(request(photo))
    assert sendings.open(sending) == sendings.leaving(sending) == sendings.leaving(sending)
    assert len(events(store)) == 3
    assert sendings.leaving("f" * 32) is None
    assert len(events(store)) == 3


def test_a_receipt_takes_the_place_of_what_was_on_its_way(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = sendings.queue(request(photo))
    (own,) = sendings.lines()
    row = received(own)
    elsewhere = row | {"id": "e" * 32, "receipt": "20261101-WXYZ", "received_at": "2026-11-01T08:00:00Z"}
    over = row | {"id": "0" * 32, "expires_at": "2026-11-01T08:00:00Z"}
    hold(store, row, elsewhere, over)
    lines = sendings.lines()
    assert [(line.id, line.state, line.receipt) for line in lines] == [
        (sending, "checked", "20261123-ABCD"),
        ("e" * 32, "checked", "20261101-WXYZ"),
    ]
    assert lines[0].documents[0].removed == own.documents[0].removed
    assert lines[0].documents[0].media_type == "image/jpeg"
    assert [sendings.open(id_) for id_ in (sending, "e" * 32, "0" * 32)] == [*lines, None]


# --- ends -----------------------------------------------------------------------------------------------------------


def test_taken_back_the_key_and_the_file_are_gone(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = sendings.queue(request(photo))
    sendings.cancel(sending)
    assert sendings.lines() == ()
    assert files_of(store) == []
    assert states(store, sending) == [State.ENDED]
    with pytest.raises(NotPossible) as failure:
        sendings.cancel(sending)
    assert failure.value.reason == "unknown"


def test_what_was_sent_cannot_be_taken_back(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = sendings.queue(request(photo))
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
    sending = sendings.queue(request(photo))
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
    sendings.queue(request(photo))
    assert unsent(store) == 1
    assert discard_unsent(store, store.clock.now()) == 0
    copies.tidy(store)
    assert files_of(store) == []


def test_a_broken_copy_is_told_and_never_sent(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = sendings.queue(request(photo))
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
    sendings.queue(request(photo))
    with store.write() as db:
        db.execute("UPDATE main.sealed_copy SET state = 'whole'")
        ((id_,),) = db.execute("SELECT id FROM main.command").fetchall()
        assert outbox.freeze(db, id_) is not None
    end_organisation(store, FIRST)
    with store.write() as db:
        assert CODE.value in str(db.execute("SELECT payload FROM main.command").fetchall()), "it may be sent once more"
        outbox.refuse(db, id_, {"code": "mandate_missing", "status": 403}, None, store.clock.now())
        assert aftermath.tells_too_much(db, FIRST, ())
        aftermath.forget_customers(db, FIRST, ())
        assert CODE.value not in str(db.execute("SELECT payload, label, body FROM main.command").fetchall())
        assert not aftermath.tells_too_much(db, FIRST, ())
