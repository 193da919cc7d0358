"""Drafts: kept beside the commands, offered to their own notices alone, gone with the command that carries them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import aftermath, drafts
from kelmu_tui.store.database import Store
from kelmu_tui.store.drafts import Kept, Owner
from tests.store.build import NOW, OTHER, OWN
from tests.store.conftest import OpenStore

MINE = Owner("u", OWN, "note")
IDS = SeededIds(3)


@pytest.fixture
def store(opened: OpenStore) -> Store:
    return opened()


def keep(store: Store, *notices: str, text: str = "Soitin", owner: Owner = MINE, **options: Any) -> None:
    with store.write() as db:
        every: dict[str, Any] = {"id": IDS.new(), "now": NOW} | options
        drafts.save(db, owner, notices, {"text": text}, {"kind": "social_work_need"}, **every)


def find(store: Store, *notices: str, owner: Owner = MINE, now: Any = NOW) -> Kept | None:
    with store.read() as db:
        return drafts.find(db, owner, notices, now)


def text(store: Store, *notices: str, owner: Owner = MINE) -> str | None:
    found = find(store, *notices, owner=owner)
    return None if found is None else found.payload["text"]


def test_a_draft_is_offered_to_its_own_notices_and_to_no_other(store: Store) -> None:
    keep(store, "a", "b")
    assert text(store, "a") == text(store, "b", "a") == "Soitin"
    assert text(store, "c") is None
    assert text(store, "a", "c") is None


@pytest.mark.parametrize("other", [Owner("u", OTHER, "note"), Owner("v", OWN, "note"), Owner("u", OWN, "transfer")])
def test_another_user_organisation_or_command_never_gets_it(store: Store, other: Owner) -> None:
    keep(store, "a")
    keep(store, "a", text="toinen", owner=other)
    assert (text(store, "a"), text(store, "a", owner=other)) == ("Soitin", "toinen")
    with store.write() as db:
        drafts.drop(db, other, ["a"])
    assert (text(store, "a"), text(store, "a", owner=other)) == ("Soitin", None)


def test_the_newest_takes_the_place_of_the_one_before(store: Store) -> None:
    keep(store, "b", "a", text="Soi")
    keep(store, "a", "b", now=NOW + timedelta(seconds=1))
    with store.read() as db:
        (line,) = drafts.lines(db, NOW)
    assert (line.text, line.state, line.label) == ("Soitin", "draft", {"kind": "social_work_need", "count": 2})


def test_a_week_is_the_end_of_it(store: Store) -> None:
    keep(store, "a")
    late = NOW + drafts.KEPT
    assert find(store, "a", now=late - timedelta(seconds=1)) is not None
    assert find(store, "a", now=late) is None
    with store.write() as db:
        assert drafts.lines(db, late) == []
        drafts.sweep(db, late)
        assert db.execute("SELECT count(*) FROM draft").fetchone() == (0,)


def test_the_end_of_an_organisation_ends_no_draft(store: Store) -> None:
    keep(store, "a")
    with store.write() as db:
        aftermath.end_organisation(db, OWN, NOW)
    assert text(store, "a") == "Soitin"


def test_what_was_given_is_no_draft_for_those_that_got_it(store: Store) -> None:
    keep(store, "a", "b", "c", text=" Soitin \n")
    with store.write() as db:
        drafts.given(db, MINE, ["a", "b"], {"text": "Soitin"})
    assert [text(store, notice) for notice in "abc"] == [None, None, " Soitin \n"]
    with store.write() as db:
        drafts.given(db, MINE, ["c"], {"text": "Soitin"})
        assert db.execute("SELECT count(*) FROM draft").fetchone() == (0,)


def test_another_text_leaves_the_draft_alone(store: Store) -> None:
    keep(store, "a")
    with store.write() as db:
        drafts.given(db, MINE, ["a"], {"text": "Muuta"})
        drafts.given(db, Owner("u", OWN, "take"), ["a"], {})
    assert text(store, "a") == "Soitin"


def test_a_text_that_goes_its_own_way_leaves_the_one_for_many(store: Store) -> None:
    keep(store, "a", "b")
    before = find(store, "a")
    assert before is not None
    keep(store, "a", text="Soitin taas", before=before.id)
    assert (text(store, "a"), text(store, "b")) == ("Soitin taas", "Soitin")
    assert find(store, "a", "b") is None
    with store.write() as db:
        drafts.drop(db, MINE, ["b"], before=before.id)
    assert find(store, "b") is None


def test_a_recipient_alone_is_offered_again_and_not_listed(store: Store) -> None:
    with store.write() as db:
        drafts.save(db, MINE, ["a"], {"to": "esp"}, {}, id="d", now=NOW)
        assert drafts.lines(db, NOW) == []
    found = find(store, "a")
    assert found is not None
    assert found.payload == {"to": "esp"}
