"""Own commands over the replica's rows: told, undone with their transaction, and computed only where they changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kelmu_tui.store import notices, outbox, overlay, replica
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.rows import Query, View
from tests.store.build import NOW, OWN, fill, notice

ME = "user-1"


def test_a_conflict_is_told_until_the_user_has_acted(store: Any) -> None:
    fill(store, [notice("n1"), notice("n2")])
    with store.write() as db:
        outbox.append(db, Draft(ME, OWN, "n1", "take", {}, {}, 1, "l"), id="c1", now=NOW)
        outbox.refuse(db, "c1", {"code": "version_conflict"}, json.dumps(notice("n1", version=2)), NOW)
    with store.read() as db:
        found = {line.id: (line.conflict, line.pending) for line in notices.page(db, Query(View.ALL))}
        assert found == {"n1": (True, False), "n2": (False, False)}
    with store.write() as db:
        db.execute("UPDATE conflict SET ended = 'discarded'")
    with store.read() as db:
        assert not any(line.conflict for line in notices.page(db, Query(View.ALL)))


def test_a_rolled_back_command_is_not_shown(store: Any) -> None:
    fill(store, [notice("n1")])

    def fail() -> None:
        with store.write() as db:
            outbox.append(db, Draft(ME, OWN, "n1", "handle", {}, {}, 1, "l"), id="c1", now=NOW)
            assert notices.count(db, Query(View.UNHANDLED)) == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as db:
        assert notices.count(db, Query(View.UNHANDLED)) == 1


def test_only_what_changed_is_computed_anew(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, [notice(f"n{n}") for n in range(5)])
    computed: list[str] = []
    original = overlay.apply

    def counted(base: Any, *values: Any) -> Any:
        computed.append(base[1])
        return original(base, *values)

    def give(id_: str) -> None:
        with store.write() as db:
            outbox.append(db, Draft(ME, OWN, id_, "take", {}, {}, 1, "l"), id=f"c-{id_}", now=NOW)

    def look() -> list[str]:
        computed.clear()
        with store.read() as db:
            notices.page(db, Query(View.UNHANDLED, "virt"))
            assert notices.count(db, Query(View.MINE, user=ME)) == len(given)
        return sorted(computed)

    given = ["n1", "n2"]
    for one in given:
        give(one)
    monkeypatch.setattr(overlay, "apply", counted)
    assert look() == ["n1", "n2"]
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO secret VALUES ('a', 'b')")
    assert look() == []
    given.append("n3")
    give("n3")
    assert look() == ["n3"]
    with store.write() as db:
        replica.put_rows(db, 1, [notice("n2", version=2)])
    assert look() == ["n2"]
    with store.write() as db:
        replica.remove(db, 1, "n1", 2)
    given.remove("n1")
    assert look() == []
