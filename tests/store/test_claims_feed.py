"""Claims and accounts as the feed brings them: filled, changed, and gone with the mandate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from kelmu_tui.domain.claims.life import Status
from kelmu_tui.store import claims, feed, scopes
from kelmu_tui.store.database import Store
from kelmu_tui.store.feed import Effect
from kelmu_tui.store.page import Entry, Page
from tests.store.build import NOW, OWN
from tests.store.claim_commands import lines
from tests.store.claim_rows import CLAIM_TABLES, SCOPE, account, claim

NOTICES = f"notices:{OWN}"


def page(kind: str, seq: int, *changes: Entry, granted: Sequence[str] = (NOTICES, SCOPE), **more: Any) -> Page:
    """Return an answer of the feed."""
    values: dict[str, Any] = {
        "kind": kind, "epoch": "e", "cursor": f"c{seq}", "seq": seq, "more": False, "changes": changes,
        "granted": granted, "added": (), "revoked": (), "session_revision": 1, "lease": "l",
        "lease_until": NOW + timedelta(hours=1), "at": NOW,
    }  # fmt: skip
    return Page(**values | more)


def take(store: Store, answer: Page) -> Effect:
    with store.write("replica") as db:
        effect = feed.apply(db, answer)
    assert effect is not None
    return effect


def up(row: dict[str, Any]) -> Entry:
    return Entry(SCOPE, row["id"], row["version"], "up", row)


def fill(store: Store, *rows: dict[str, Any], head: int = 1) -> None:
    """Fill the scope of claims with these rows."""
    with store.write("replica") as db:
        (scope,) = (one for one in feed.state(db).scopes if one.name == SCOPE)
        assert scope.filling is not None
        assert feed.expect(db, SCOPE, scope.filling, "e", len(rows))
        assert feed.fill(db, SCOPE, scope.filling, "e", sorted(rows, key=lambda row: str(row["id"])))
        assert feed.end_fill(db, SCOPE, scope.filling, "e", head)


def accounts(store: Store) -> list[str]:
    with store.read() as db:
        return [one.name for one in claims.accounts(db)]


def filled(store: Store) -> None:
    take(store, page("reset", 1))
    fill(store, claim("c1"), claim("c2"), account("a1"))
    effect = take(store, page("delta", 2))
    assert {"claim", "account", "scope"} <= effect.tables


def test_claims_and_accounts_come_in_one_scope(store: Store) -> None:
    take(store, page("reset", 1))
    fill(store, claim("c1"), claim("c2"), account("a1"))
    assert (lines(store), accounts(store)) == ({}, []), "nothing is shown before the checkpoint"
    take(store, page("delta", 2))
    assert (list(lines(store)), accounts(store)) == (["c1", "c2"], ["Toimeentulotuki"])


def test_changes_are_told_by_their_ids(store: Store) -> None:
    filled(store)
    changed = claim("c1", version=2, status=Status.IN_HANDLING)
    effect = take(store, page("delta", 3, up(changed), up(account("a2", name="Hoito")), Entry(SCOPE, "c2", 2, "rm")))
    assert effect.told() == {"c1", "a2", "c2"}
    assert {"claim", "account"} <= effect.tables
    assert {id_: line.status for id_, line in lines(store).items()} == {"c1": "in_handling"}
    assert accounts(store) == ["Hoito", "Toimeentulotuki"]


def test_a_change_during_the_fill_is_not_undone_by_an_older_row(store: Store) -> None:
    take(store, page("reset", 1))
    take(store, page("delta", 2, up(claim("c1", version=3)), Entry(SCOPE, "c2", 4, "rm")))
    fill(store, claim("c1", version=1, status=Status.HEARING), claim("c2", version=3), head=2)
    take(store, page("delta", 3))
    assert {id_: (line.version, line.status) for id_, line in lines(store).items()} == {"c1": (3, "registered")}


def test_with_the_mandate_everything_goes(store: Store) -> None:
    filled(store)
    effect = take(store, page("delta", 3, granted=(NOTICES,), revoked=(SCOPE,)))
    assert effect.told() == frozenset()
    with store.read() as db:
        assert [db.execute(f"SELECT count(*) FROM replica.{table}").fetchone()[0] for table in CLAIM_TABLES] == [
            0,
            0,
            0,
        ]
        assert feed.unscrubbed(db), "the log holds it until it is emptied"
    assert (lines(store), accounts(store)) == ({}, [])


def test_a_new_fill_takes_the_place_of_what_is_shown_at_once(store: Store) -> None:
    filled(store)
    take(store, page("reset", 5))
    assert list(lines(store)) == ["c1", "c2"], "until the fill is done"
    fill(store, claim("c3"), head=5)
    take(store, page("delta", 6))
    assert (list(lines(store)), accounts(store)) == (["c3"], [])


def test_scopes_are_filled_in_the_order_in_which_they_are_needed() -> None:
    found = [f"claims:{OWN}", "announcements", f"follows:{OWN}:u", f"notices:{OWN}", f"traces:{OWN}"]
    kinds = [scopes.kind(name) for name in sorted(found, key=scopes.fill_key)]
    assert kinds == ["notices", "traces", "announcements", "follows", "claims"]
    assert scopes.known([*found, "stars:1"]) == found
    assert scopes.fill_key("stars:1") > max(map(scopes.fill_key, found))
