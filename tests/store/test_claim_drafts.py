"""Drafts of claims: whose they are, how long they stay, and what is left of a refused registration."""

from __future__ import annotations

from datetime import datetime, timedelta

from kelmu_tui.domain.claims.life import Cancel, Change, Register
from kelmu_tui.store import aftermath, claim_drafts, endings
from kelmu_tui.store.claim_drafts import KEPT, Owner
from kelmu_tui.store.claim_rows import ClaimDraft
from kelmu_tui.store.database import Store
from kelmu_tui.sync import pull
from tests.store.build import NOW, OTHER, OWN
from tests.store.claim_commands import give, refuse
from tests.store.claim_rows import CODE, SCOPE, content
from tests.store.conftest import OpenStore

MINE, THEIRS, ELSEWHERE = Owner("user", OWN), Owner("other", OWN), Owner("user", OTHER)


def draft(id: str = "d1", at: datetime = NOW, **values: str) -> ClaimDraft:  # noqa: A002
    return ClaimDraft(id, None, CODE, "Virtanen, Aino", values or {"amount": "12,5o"}, at)


def keep(store: Store, owner: Owner, *found: ClaimDraft) -> None:
    with store.write() as db:
        for one in found:
            claim_drafts.save(db, owner, one)


def test_a_draft_is_found_again_by_another_process_with_every_letter(store: Store, opened: OpenStore) -> None:
    kept = draft(amount="12,5o", grounds="Rivi\nja \u202e toinen 日本", last=" 31.2.2027 ")
    keep(store, MINE, kept)
    with opened().read() as db:
        assert claim_drafts.find(db, MINE, "d1", NOW) == kept
        assert claim_drafts.drafts(db, MINE, NOW) == [kept]


def test_a_draft_belongs_to_a_user_and_an_organisation(store: Store) -> None:
    keep(store, MINE, draft())
    keep(store, THEIRS, draft(amount="99"))
    with store.write() as db:
        for owner in (THEIRS, ELSEWHERE):
            assert claim_drafts.find(db, owner, "d1", NOW) is None
            assert claim_drafts.drafts(db, owner, NOW) == []
            assert not claim_drafts.drop(db, owner, "d1")
        assert claim_drafts.find(db, MINE, "d1", NOW) == draft(), "another one's keeping did not touch it"


def test_the_newest_stands_first_and_the_old_go(store: Store) -> None:
    keep(store, MINE, draft("old", NOW - KEPT), draft("d1", NOW - timedelta(days=1)), draft("d2", NOW))
    with store.write() as db:
        assert [one.id for one in claim_drafts.drafts(db, MINE, NOW)] == ["d2", "d1"]
        assert claim_drafts.find(db, MINE, "old", NOW) is None
        claim_drafts.sweep(db, NOW)
        assert db.execute("SELECT count(*) FROM main.claim_draft").fetchone() == (2,)


def test_drafts_go_with_the_mandate_to_make_claims(store: Store) -> None:
    keep(store, MINE, draft())
    keep(store, ELSEWHERE, draft("d2"))
    with store.write() as db:
        assert not aftermath.tells_too_much(db, OWN, [SCOPE])
        assert aftermath.forget_customers(db, OWN, [SCOPE]) == []
        assert aftermath.tells_too_much(db, OWN, [f"notices:{OWN}"])
        aftermath.forget_customers(db, OWN, [f"notices:{OWN}"])
        assert not aftermath.tells_too_much(db, OWN, [f"notices:{OWN}"])
        assert (claim_drafts.drafts(db, MINE, NOW), len(claim_drafts.drafts(db, ELSEWHERE, NOW))) == ([], 1)


def test_what_the_user_has_ended_forgets_the_payee_with_the_mandate(store: Store) -> None:
    typed = {"grounds": "Selvitys"}
    ended = give(store, "c1", "claim-register", Register(content()), 0, typed=typed, draft="d1")
    waiting = give(store, "c2", "claim-register", Register(content()), 0)
    without = [f"notices:{OWN}"]
    with store.write() as db:
        aftermath.forget_customers(db, OWN, without)
        endings.discard(db, ended, NOW)
        assert not aftermath.tells_too_much(db, OWN, [SCOPE])
        assert aftermath.tells_too_much(db, OWN, without), "the user has ended it when the mandate was gone already"
        aftermath.forget_customers(db, OWN, without)
        assert not aftermath.tells_too_much(db, OWN, without)
        rows = dict(db.execute("SELECT id, payload FROM main.command").fetchall())
    assert CODE not in rows[ended]
    assert "Selvitys" not in rows[ended]
    assert CODE in rows[waiting], "what may still be sent when the mandate is back keeps what it says"


def test_the_sync_lets_them_go_and_tells(store: Store) -> None:
    keep(store, MINE, draft())
    heard: list[frozenset[str]] = []
    store.listen(lambda change: heard.append(change.tables))
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.state VALUES ('epoch', 'e'), ('checkpoint', '1')")
        db.execute("INSERT INTO replica.scope (name, generation) VALUES (?, 1)", (f"notices:{OWN}",))
    pull.follow_up(store)
    with store.read() as db:
        assert claim_drafts.drafts(db, MINE, NOW) == []
    assert any("claim_draft" in tables for tables in heard)


def test_what_was_refused_is_a_draft_as_it_was_typed(store: Store) -> None:
    typed = {"amount": "320,50", "first": "5.12.2026"}
    refuse(store, give(store, "c1", "claim-register", Register(content()), 0, typed=typed, draft="d1"))
    with store.read() as db:
        found = claim_drafts.refused(db, OWN, "c1")
        assert claim_drafts.refused(db, OWN, "c2") is None
        assert claim_drafts.refused(db, OTHER, "c1") is None
    assert found is not None
    assert (found.id, found.claim, found.payee, found.name) == ("c1", None, CODE, "Virtanen, Uusi")
    assert found.values == typed


def test_what_was_never_typed_reads_as_it_was_given(store: Store) -> None:
    refuse(store, give(store, "c1", "claim-register", Register(content(last=None, care_first=None)), 0))
    with store.read() as db:
        found = claim_drafts.refused(db, OWN, "c1")
    assert found is not None
    assert {name: found.values[name] for name in ("first", "amount", "assistance_amount", "handler")} == {
        "first": "2026-12-05", "amount": "320.50", "assistance_amount": "400.00", "handler": "Laura Koski",
    }  # fmt: skip
    assert found.values["last"] == "-", "until further notice has to be said"
    assert "payee" not in found.values


def test_ending_a_refused_registration_ends_what_stands_behind_it(store: Store) -> None:
    command = give(store, "c1", "claim-register", Register(content()), 0)
    give(store, "c1", "claim-change", Change(content()), 0)
    give(store, "c1", "claim-cancel", Cancel(), 0)
    refuse(store, command)
    with store.write() as db:
        assert claim_drafts.end_refused(db, OWN, "c1", NOW)
        assert not claim_drafts.end_refused(db, OWN, "c1", NOW)
        assert {line.state for line in endings.lines(db)} == {"discarded"}
        assert [line for line in endings.lines(db) if line.conflict is not None] == []
