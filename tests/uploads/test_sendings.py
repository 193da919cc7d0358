"""Queueing documents and being told of them: what is refused, what is kept, what is destroyed."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.content import checking
from kelmu_tui.domain.documents import Fault, SendRefusal
from kelmu_tui.services.customers import SITTING
from kelmu_tui.services.sealing import SendRefused
from kelmu_tui.services.sendings import File, FileRefused, Sendings
from kelmu_tui.services.unsent import unsent
from kelmu_tui.store import replica, sealed
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.sendings import SendingLine
from kelmu_tui.sync import push
from tests.content import files
from tests.services.customers import events
from tests.services.signed_in import FIRST, TODAY, Time
from tests.uploads.desk import CODE, NAME, files_of, queue, request
from tests.uploads.model import document

# --- queueing -------------------------------------------------------------------------------------------------------


def test_what_is_queued_is_told_and_its_copy_is_the_cleaned_file(sendings: Sendings, store: Store, photo: Path) -> None:
    checked = sendings.check(photo)
    assert checked.fault is None
    assert "gps" in checked.removed
    assert checked.preview
    sending = queue(sendings, request(photo))
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
        queue(sendings, request(**changes))
    assert refused.value.reason == reason
    assert files_of(store) == []


def test_the_tenth_file_that_is_refused_leaves_none_of_the_nine_before(
    sendings: Sendings, store: Store, photo: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"MZ" + bytes(100))
    with pytest.raises(FileRefused) as refused:
        queue(sendings, request(*[photo] * 9, bad))
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
        queue(sendings, request(path))
    expected = {"missing": "missing", "folder": "not_a_file"}.get(kind, "")
    if kind == "empty":
        assert refused.value.fault is Fault.EMPTY
    elif kind != "denied":
        assert refused.value.unreadable == expected


def test_a_file_that_is_not_what_was_checked_is_noticed(sendings: Sendings, store: Store, photo: Path) -> None:
    seen = sendings.check(photo, 0).digest
    photo.write_bytes(files.jpeg_of(files.photo(32, 32)))
    with pytest.raises(FileRefused) as refused:
        queue(sendings, request(files=[File(photo, "bill", "x", seen)]))
    assert refused.value.fault is Fault.CHANGED
    photo.unlink()
    with pytest.raises(FileRefused) as refused:
        queue(sendings, request(files=[File(photo, "bill", "x", seen)]))
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
        queue(sendings, request(photo))
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
    sending = queue(sendings, request(photo))
    sendings.log_list(1)
    assert sendings.open(sending) is not None
    assert sendings.open("f" * 32) is None
    assert [event["view"] for event in events(store)] == ["customer_list:sendings"] * 2


def test_a_sending_seen_again_is_another_look_with_its_receipt_and_after_a_while(
    sendings: Sendings, store: Store, photo: Path, time: Time
) -> None:
    sending, other = (queue(sendings, request(photo)) for _ in range(2))
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
    sending = queue(sendings, request(photo))
    assert sendings.open(sending) == sendings.leaving(sending) == sendings.leaving(sending)
    assert len(events(store)) == 3
    assert sendings.leaving("f" * 32) is None
    assert len(events(store)) == 3


def test_a_receipt_takes_the_place_of_what_was_on_its_way(sendings: Sendings, store: Store, photo: Path) -> None:
    sending = queue(sendings, request(photo))
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


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        (["documents.1: active_content"], [None, "active_content"]),
        (["documents.0: malware"], ["malware", None]),
        (["documents.7: malware"], [None, None]),
        (["documents.1: \x1b[31mnews"], [None, None]),
        ([], [None, None]),
    ],
)
def test_it_is_told_which_document_was_refused_and_why(
    sendings: Sendings, store: Store, photo: Path, errors: list[str], told: list[str | None]
) -> None:
    sending = queue(sendings, request(photo, photo))
    with store.write() as db:
        db.execute("UPDATE main.sealed_copy SET state = 'whole'")
    (sent,) = push.take_due(store)
    problem = document(409, ProblemCode.RULE_REFUSED, SendRefusal.DOCUMENT).model_copy(update={"errors": errors})
    push.answered(store, sent, CommandAnswer(409, problem=problem))
    (line,) = sendings.lines()
    assert (line.state, line.problem) == ("refused", "sending_document")
    assert [one.refused for one in line.documents] == told
    assert [one.state for one in line.documents] == ["whole" if one is None else "refused" for one in told]
    assert "news" not in str(line)
    sendings.retry(sending)
    (line,) = sendings.lines()
    assert [one.refused for one in line.documents] == [None, None]
